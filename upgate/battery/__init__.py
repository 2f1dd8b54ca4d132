"""What is asked: what a check is, the registry of all checks, and the inputs that they take."""

from upgate.battery.check import Check, Judgement, Subjects, check

__all__ = ["Check", "Judgement", "Subjects", "check"]
