"""What is asked: what a check is, the registry of all checks, and the inputs that they take."""

from upgate.battery.check import Check, check
from upgate.battery.judgement import Judgement, Subjects

__all__ = ["Check", "Judgement", "Subjects", "check"]
