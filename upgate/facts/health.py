"""What the API server says of its own health, sub-check by sub-check.

https://kubernetes.io/docs/reference/using-api/health-checks/
"""

from __future__ import annotations

from upgate.facts.meta import Fact


class HealthEndpoint(Fact):
    """The answer of `/readyz?verbose` or `/livez?verbose`."""

    name: str
    status: int = 0
    body: str = ""
    #: Why there is no answer; the API server cannot be reached.
    unreachable: str = ""

    @property
    def ref(self) -> str:
        """`APIServer/readyz`."""
        return f"APIServer/{self.name}"

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"name": self.name}

    def problem(self) -> str:
        """What is not healthy. Empty when all is.

        A page of a proxy may come with 200 too, so only the API server's own closing line counts.
        """
        if self.unreachable:
            return self.unreachable
        failing = [line[3:].strip() for line in self.body.splitlines() if line.startswith("[-]")]
        if failing:
            return f"status {self.status}: {'; '.join(failing)}"
        passed = self.status == 200 and f"{self.name} check passed" in self.body
        return "" if passed else f"status {self.status}, and not an API server's answer: {self.body[:80]!r}"
