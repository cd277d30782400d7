"""What the audience sees. Plain words, readable without colour, good from 80 columns on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from demo.cast import NOWHERE, ORGANIZATION, ORGANIZATION_NAME, Cast, View

#: Marks what changed.
_MOVED = ">"
#: No line is longer than this, however wide the terminal.
_WIDEST = 110


class Screen:
    """Writes to standard output."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=False)
        self._console.width = min(self._console.width, _WIDEST)
        self._step = 0

    def say(self, text: str = "", style: str = "") -> None:
        """A line; markup in it is plain text."""
        self._console.print(escape(text), style=style or None)

    def progress(self, text: str, seconds: float) -> None:
        """Something was done, and how long it took."""
        self._console.print(f"  [dim]{seconds:5.1f} s[/]  {escape(text)}")

    def title(self, text: str) -> None:
        """The head of the next step."""
        self._step += 1
        self._console.print()
        self._console.rule(f"[bold]{self._step}. {escape(text)}[/]", align="left", style="cyan")

    def tell(self, text: str) -> None:
        """A sentence of the story."""
        self._console.print(Padding(escape(text), (0, 0, 0, 2), expand=False))

    def check(self, right: bool, what: str) -> None:  # noqa: FBT001 - Checks says it so
        """One check."""
        mark, style = ("ok", "green") if right else ("WRONG", "bold red")
        self._console.print(Padding(f"[{style}]{mark}[/]  {escape(what)}", (0, 0, 0, 2), expand=False))

    def cast(self, cast: Cast) -> None:
        """Who plays."""
        self._console.print()
        self._console.print(f"[bold]Organization {ORGANIZATION}, {escape(ORGANIZATION_NAME)}[/]")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in ("extension", "who", "own phone", "node", "shared", "secret code"):
            table.add_column(heading, no_wrap=True)
        for person in cast.people:
            table.add_row(
                person.key,
                person.who,
                person.phone,
                cast.homes[person.phone],
                "yes" if person.shared else "no",
                person.code or "none",
            )
        self._console.print(Padding(table, (0, 0, 0, 1), expand=False))
        self.tell("Shared: its owner lets others sit there (allows virtualization).")

    def rings(
        self,
        cast: Cast,
        views: Mapping[str, View | None],
        wanted: View,
        before: View,
        milliseconds: Mapping[str, float | None] | None,
    ) -> None:
        """Where every extension rings on each node, as the nodes say; and how long after the answer each knew."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 3, 0, 0))
        table.add_column("where it rings", no_wrap=True)
        for name in views:
            table.add_column(f"  node {name}", no_wrap=True)
        for person in cast.people:
            number = person.number
            cells = [_place(view, number, wanted, before) for view in views.values()]
            table.add_row(escape(person.label), *cells)
        table.add_section()
        if milliseconds is not None:
            cells = [f"  {_time(milliseconds[name])}" for name in views]
            table.add_row("after the answer", *cells)
        cells = ["  [green]ok[/]" if view == wanted else "  [bold red]WRONG[/]" for view in views.values()]
        table.add_row("as it should be", *cells)
        self._console.print(Padding(table, (0, 0, 0, 1), expand=False))

    def lines(self, rows: Sequence[tuple[str, str]]) -> None:
        """Commands and what they are for."""
        width = max(len(command) for command, _ in rows)
        for command, purpose in rows:
            self._console.print(
                f"  [bold]{escape(command):{width + 2 + len(escape(command)) - len(command)}}[/]{escape(purpose)}"
            )


def _place(view: View | None, number: str, wanted: View, before: View) -> str:
    if view is None:
        return "  [red]no answer[/]"
    place = view.rings.get(number)
    text = "unknown" if place is None else "nowhere" if place == NOWHERE else place.partition("/")[2]
    if place != wanted.rings[number]:
        return f"  [bold red]{escape(text)} (WRONG)[/]"
    if place != before.rings[number]:
        return f"[bold cyan]{_MOVED} {escape(text)}[/]"
    return f"  {escape(text)}"


def _time(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "[bold red]never[/]"
    return "at once" if milliseconds < 0 else f"{milliseconds:.0f} ms"
