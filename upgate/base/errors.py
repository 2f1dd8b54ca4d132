"""Everything that can go wrong, as types.

UpgateError
├── UsageError       bad input: a profile, kubeconfig, baseline or snapshot file. Nothing is run; exit code 4.
├── Inconclusive     we could not look, or there was nothing to look at. Never a pass; exit code 75.
└── NotAllRight      we looked, and the cluster is wrong: a check's findings. Exit code 1.
"""


class UpgateError(Exception):
    """The base of all errors that upgate words itself; its text is shown to people as it stands."""


class UsageError(UpgateError):
    """The caller's input cannot be used. The text says what was read, where, what was seen and what to do next."""


class Inconclusive(UpgateError):
    """Something could not be judged. The text says what was asked, of what, and why no answer came."""


class NotAllRight(UpgateError):
    """A check failed. The text lists its findings, one line each; it needs no traceback."""


def words_of(problem: BaseException) -> str:
    """An error without a message of ours, in a short line."""
    return f"{type(problem).__name__}: {' '.join(str(problem).split())[:100]}"
