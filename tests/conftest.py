"""What holds for the suite's own tests alone."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """A warning is an error here. In a user's run of the battery it is a warning."""
    config.addinivalue_line("filterwarnings", "error")
