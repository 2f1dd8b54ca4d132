"""A profile: YAML → a frozen description of one environment. The only reader of profiles/.

files      a name → a file
tree       YAML text → values that know their place
sources    a file and the one it extends → one tree (merging)
variables  `${VAR}` → values, remembered as secrets
model      what a profile may say, and every default (parts, external, objects; section, quantities, ids)
rules      what must be true between values
wording    pydantic's errors → lines with file, line and column
loading    all of it: a name → a Profile, or one UsageError
"""

from upgate.profile.files import available
from upgate.profile.loading import load
from upgate.profile.model import Profile

__all__ = ["Profile", "available", "load"]
