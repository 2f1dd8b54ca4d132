"""Whether custom resources can be read, in each version that is served: the first of each was asked for."""

from __future__ import annotations

from urllib.parse import quote

from upgate.base.text import counted
from upgate.facts.extensions import CustomResourceDefinition
from upgate.facts.meta import Fact

#: Statuses that say that the API server refused to answer us, or had no time to: nothing is known then.
REFUSED, BUSY = (401, 403), (429, 503, 504)
#: Characters of what the server says.
SAYING = 400


class CustomRead(Fact):
    """What came of one list, where that was not status 200."""

    definition: str
    group: str
    version: str
    resource: str
    #: 0: there was no answer.
    status: int = 0
    message: str = ""

    @property
    def path(self) -> str:
        """Where it is listed. Names are quoted: whoever may write definitions chooses them."""
        return "/apis/" + "/".join(quote(each, safe="") for each in (self.group, self.version, self.resource))

    @property
    def unknown(self) -> bool:
        """It says nothing of the custom resources."""
        return self.status in (0, *REFUSED, *BUSY)

    @property
    def gap(self) -> str:
        """Why nothing is known."""
        where = f"{self.resource} in {self.group}/{self.version}"
        if self.status in REFUSED:
            said = f"needs `list` on `{self.resource}` in API group {self.group} cluster-wide"
            return f"cannot list {where}: not permitted; {said} (status {self.status})"
        return f"cannot list {where}: {self.words}"

    @property
    def words(self) -> str:
        """What the server said."""
        return f"status {self.status}: {self.message[:SAYING]}" if self.status else self.message[:SAYING]


class CustomReads(Fact):
    """All lists that did not succeed, and how many were not asked for."""

    failed: list[CustomRead]
    left_out: int = 0

    @property
    def gaps(self) -> list[str]:
        """What could not be looked at, a sentence for each API group."""
        by_group: dict[str, list[CustomRead]] = {}
        for each in self.failed:
            if each.unknown:
                by_group.setdefault(each.group, []).append(each)
        said = [f"{reads[0].gap}{other_lists(len(reads) - 1)}" for reads in by_group.values()]
        many = f"{counted(self.left_out, 'list')} of custom resources did not fit into the time or number of this look"
        return [*said, *([many] if self.left_out else [])]

    def problem(self, definition: CustomResourceDefinition) -> str:
        """In which of its versions it cannot be read, in the server's words. Empty where it can."""
        own = [each for each in self.failed if each.definition == definition.name and not each.unknown]
        return "; ".join(f"{each.version} cannot be listed: {each.words}" for each in own)


def other_lists(number: int) -> str:
    """`, and 3 other lists of that group`."""
    return f", and {counted(number, 'other list')} of that group" if number else ""
