"""Worlds that are an attack: what a tenant may write, and what a forged API server could send."""

from __future__ import annotations

from typing import Any

from tests.worlds import condition, container_status, good, ingress, node, pod, replicated, thing, warning

#: Secrets that a tenant's text, or a program's, may hold; each has a part that no output may have.
SECRETS = {
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl": "eyJhbGciOiJSUzI1NiJ9",
    "Authorization: Bearer 0a1b2c3d4e5f6a7b8c9d": "0a1b2c3d4e5f",
    "https://ci:hunt3r2-in-url@git.example.com/x": "hunt3r2-in-url",
    "--password=hunt3r2-in-flag": "hunt3r2-in-flag",
    "--db-password hunt3r2-after-flag": "hunt3r2-after-flag",
    '{"token": "hunt3r2-in-json"}': "hunt3r2-in-json",
    "AKIAIOSFODNN7EXAMPLE": "AKIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key=wJalrXUtnFEMI/K7MDENG": "wJalrXUtnFEMI",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----": "MIIEpAIBAAKCAQEA7",
    "ghp_0123456789abcdefghijABCDEFGHIJ012345": "ghp_0123456789",
}
#: Commands of CI systems; each has a beginning that no line of any output may have.
COMMANDS = (
    "##vso[task.setvariable variable=x]evil",
    "##[error]evil",
    "##teamcity[buildStatus status='SUCCESS']",
    "::add-mask::evil",
    "::set-output name=x::evil",
    "::stop-commands::evil",
    "section_start:1560896352:evil\r\x1b[0K",
    "--- evil",
    "+++ evil",
    "^^^ +++",
    "travis_fold:start:evil",
)
#: What some reader takes for the end of a line.
BREAKS = ("\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", " ")
SCRIPTS = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg/onload=alert(3)>${title}{{7*7}}"
MENTIONS = (
    "<!channel> <!here> <@U123> @channel @here @everyone <http://evil|prod> [prod](http://evil) ![x](http://evil) ```"
)
SHELL = "x; $(touch owned) `touch owned` | touch owned & touch owned\n touch owned #'\"\\ kubectl "
UNSEEN = "a\u200bb\u202ec\u2066d\u2060e\ufefff\u00adg\U000e0041h\u3164i\u061cj"
TERMINAL = "\x1b]0;evil\x07\x1b[2J\x9b31m\x90evil\x9c\x08\0\ud7ff"

TEXT = "".join(f"{end}{command}" for end in BREAKS for command in COMMANDS)
ATTACK = f"{TEXT}\n{SCRIPTS} {MENTIONS} {SHELL} {UNSEEN} {TERMINAL} {' '.join(SECRETS)}"
#: A name as only a forged server sends it; without a slash, for that would be another reference.
NAME = ATTACK.replace("/", "").replace("RSA PRIVATE", "RSA")
FORGED = f"-oProxyCommand=x{TEXT} {SCRIPTS} {MENTIONS} {SHELL} {UNSEEN}".replace("/", "")
LABELS = {"app": "web", "note": ATTACK}


def waiting(text: str) -> dict[str, Any]:
    """A container that does not start, and why."""
    return container_status(ready=False, state={"waiting": {"reason": f"ErrImagePull{text}", "message": text}})


def unready(name: str, namespace: str, text: str) -> dict[str, Any]:
    """A pod that is wrong in every way in which it can say something."""
    said = [condition("Ready", "False", reason=text, message=text), condition("PodScheduled", "False", message=text)]
    status = {
        "phase": "Pending",
        "message": text,
        "reason": text,
        "conditions": said,
        "containerStatuses": [waiting(text)],
    }
    spec = {"containers": [{"name": "app" + TEXT, "image": text}]}
    return pod(name, namespace, metadata={"labels": LABELS, "annotations": {"note": text}}, spec=spec, status=status)


def tenant() -> dict[str, Any]:
    """What somebody may write who can make pods and events, and the status of a node."""
    wrong = unready("web-1", "shop", ATTACK)
    stuck = replicated(
        "web", 3, status={"conditions": [condition("Available", "False", reason=ATTACK, message=ATTACK)]}
    )
    events = [warning(wrong, message=ATTACK, reason=f"FailedScheduling{ATTACK}")]
    said = [condition("Ready", "False", reason=ATTACK, message=ATTACK)]
    return good(
        pods=[wrong],
        deployments=[stuck],
        warnings=events,
        nodes=[node(metadata={"annotations": {"note": ATTACK}}, status={"conditions": said})],
        ingresses=[ingress("front", metadata={"annotations": {"note": ATTACK}})],
    )


def forged() -> dict[str, Any]:
    """What an API server could send that is none: names and namespaces that Kubernetes would refuse."""
    world = tenant()
    world["pods"] = [unready(FORGED, "shop", ATTACK), unready("web-2", FORGED, ATTACK), unready("--all", "-A", ATTACK)]
    world["nodes"] = [node(FORGED, status={"conditions": [condition("Ready", "False", message=ATTACK)]})]
    world["namespaces"] = [*world["namespaces"], thing(FORGED, status={"phase": "Terminating"})]
    return world


WORLDS = {"tenant": tenant, "forged": forged}
