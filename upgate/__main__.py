"""`python -m upgate` is `upgate`."""

import sys

from upgate.cli import main

sys.exit(main())
