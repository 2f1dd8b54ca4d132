"""Objects that are alike: what their names and the texts about them have in common."""

from __future__ import annotations

import re

from upgate.reports.cleaning import begun

#: The letters of names that Kubernetes makes up (SafeEncodeString in k8s.io/apimachinery): no vowels, no 0, 1, 3.
MADE_UP = "[bcdfghjklmnpqrstvwxz2456789]"
#: The end of a pod's name behind its ReplicaSet's, Job's or DaemonSet's; a CronJob adds the minute to its Jobs' names.
ENDING = re.compile(rf"(-{MADE_UP}{{6,10}}|-\d{{8,10}})?-{MADE_UP}{{5}}$|-\d{{8,10}}$")
#: The ordinal of a StatefulSet's pod.
ORDINAL = re.compile(r"-\d{1,5}$")
#: Characters of a name, and of what was observed, that are remembered.
LONGEST = 300
#: Kinds that lead users to pods.
FRONT = ("Service/", "Ingress/", "Gateway/", "HTTPRoute/")
#: An object of Kubernetes; what is asked from outside has no kind.
KIND = re.compile(r"^[A-Za-z]{1,80}/(?!/)")
#: What stands between a finding and the last lines that its container wrote, and between those lines.
LOG_MARK, LINE_BREAK = "; last lines of ", " ⏎ "
NUMBER = re.compile(r"\d+")


def replica_family(object: str) -> str:
    """The object, without the end of a name that changes whenever a controller makes a new pod."""
    named = ENDING.sub("-*", object) if object.startswith(("Pod/", "Job/", "ReplicaSet/")) else object
    return begun(named, LONGEST)


def home(object: str) -> str:
    """The namespace of an object; empty where it has none."""
    parts = object.split("/")
    return parts[1] if len(parts) == 3 and KIND.match(object) else ""


def seen_from_outside(object: str) -> bool:
    """Users see it: an address, or what leads to pods."""
    return object.startswith(FRONT) or not KIND.match(object)


def workload_family(object: str) -> str:
    """The same for all pods of one workload, also of a StatefulSet; any other object is alone."""
    family = replica_family(object)
    return ORDINAL.sub("-*", family) if family == object and object.startswith("Pod/") else family


def pattern_of(text: str, object: str) -> str:
    """How a text about an object begins, without what differs among replicas: the object's name, numbers, logs."""
    name, told = object.rpartition("/")[2], begun(without_log(text), LONGEST)
    return NUMBER.sub("#", told.replace(name, "*") if name else told)


def without_log(text: str) -> str:
    """What was observed, without the last lines of a log."""
    return text.partition(LOG_MARK)[0]


def log_lines(text: str) -> list[str]:
    """The last lines of the log that was observed; none where there is none."""
    _, mark, log = text.partition(LOG_MARK)
    return log.partition(": ")[2].split(LINE_BREAK) if mark else []
