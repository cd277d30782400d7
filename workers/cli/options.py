"""Options that several commands have, and the way from options to changes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from roost.directory import fields
from roost.directory.fields import parse_duration, parse_wall_clock
from roost.errors import Invalid

#: Takes an end of stays away.
NONE = "none"

MaxStay = Annotated[
    str | None, typer.Option(help="The longest a guest stays, such as 8h; `none` for no limit.")
]
DailyReturn = Annotated[
    str | None, typer.Option(help="When guests go home each day, such as 18:30; `none` for not at all.")
]
Name = Annotated[str | None, typer.Option(help=f"What people see; {fields.DISPLAY_NAME.words}.")]
Enabled = Annotated[
    bool | None, typer.Option("--enable/--disable", help="Out of use, and back, without removing it.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="Rows at most.")]
Search = Annotated[str | None, typer.Option(help="Only what begins with, or is named, so.")]

#: The argument that names an extension.
Key = Annotated[str, typer.Argument(metavar="EXTENSION", help="Organization and short number: 0001*001.")]


def changes(
    *, max_stay: str | None = None, daily_return: str | None = None, required: bool = False, **given: object
) -> Any:
    """What the options change: those that were given. Raises BadField, Invalid when `required` and nothing was."""
    wanted: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    if max_stay is not None:
        wanted["max_stay"] = None if max_stay == NONE else parse_duration(max_stay)
    if daily_return is not None:
        wanted["daily_return"] = None if daily_return == NONE else parse_wall_clock(daily_return)
    if required and not wanted:
        raise Invalid("Say what to change; --help lists what can be.")
    return wanted


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is lost, unless told not to. Without a terminal the answer is no."""
    if not yes and not typer.confirm(question):
        raise typer.Abort
