"""Counts what was right and what was not."""

from __future__ import annotations

from collections.abc import Callable


class Checks:
    """`told` is called with each check that is to be heard: whether it was right, and what was checked."""

    def __init__(self, told: Callable[[bool, str], None]) -> None:
        self._told = told
        self.passed = 0
        self.failed: list[str] = []

    def check(self, right: bool, what: str, *, quietly: bool = False) -> None:  # noqa: FBT001 - a sentence
        """Count one check. `quietly`: it is shown elsewhere, and told only when it is wrong."""
        if right:
            self.passed += 1
        else:
            self.failed.append(what)
        if not (right and quietly):
            self._told(right, what)

    @property
    def all_right(self) -> bool:
        """Whether there were checks, and each was right."""
        return self.passed > 0 and not self.failed

    @property
    def summary(self) -> str:
        """The last line of the demo."""
        line = f"demo: {self.passed} checks passed"
        return f"{line}, {len(self.failed)} failed" if self.failed else line
