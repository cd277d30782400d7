"""`roost phone`: phones."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from roost.directory import LIMIT, fields
from roost.directory.changes import By
from roost.directory.fields import ExtensionKey
from roost.errors import Invalid
from workers.cli.listing import counted, show_json_list, show_list
from workers.cli.options import NONE, Enabled, Limit, Search, Yes, changes, confirm
from workers.cli.output import AsJson, say, show_facts, show_json
from workers.cli.session import actor, open_directory

app = typer.Typer(no_args_is_help=True, help="Phones (SIP endpoints).")

Phone = Annotated[
    str, typer.Argument(metavar="PHONE", help=f"The name of its SIP endpoint: {fields.PHONE_NAME.words}.")
]
Base = Annotated[str | None, typer.Option(help="The extension it is provisioned with: 0001*001, or `none`.")]
EmergencyNumber = Annotated[
    str | None,
    typer.Option(
        help=f"Caller ID of emergency calls from it, whoever sits there; {fields.EMERGENCY_NUMBER.words}."
    ),
]
EmergencyLocation = Annotated[
    str | None, typer.Option(help=f"Where it stands, for emergency calls; {fields.EMERGENCY_LOCATION.words}.")
]


@app.command("add")
def add(
    phone: Phone, *, node: Annotated[str, typer.Option(help="The node it registers on.")], base: Base = None,
    organization: Annotated[
        str | None, typer.Option("--organization", "--org", help="Needed only without --base.")
    ] = None,
    emergency_number: EmergencyNumber = None, emergency_location: EmergencyLocation = None,
) -> None:  # fmt: skip
    """Add a phone."""
    own = None if base in {None, NONE} else base
    if organization is None:
        if own is None:
            with open_directory() as directory:
                directory.node(node)  # a name that is mistyped is the nearer mistake
            raise Invalid("Name its --base extension, or its --organization.")
        organization = ExtensionKey.parse(own).organization
    wanted = changes(base=own, emergency_number=emergency_number, emergency_location=emergency_location)
    with open_directory() as directory:
        directory.add_phone(phone, organization=organization, node=node, **wanted)
    say(f"Added phone {phone}.")


@app.command("set")
def change(
    phone: Phone, *, node: Annotated[str | None, typer.Option(help="The node it registers on.")] = None,
    base: Base = None, emergency_number: EmergencyNumber = None, emergency_location: EmergencyLocation = None,
    enabled: Enabled = None,
) -> None:  # fmt: skip
    """Change a phone. Its guest goes home when it is disabled or gets another base extension."""
    wanted = changes(
        node=node, emergency_number=emergency_number, emergency_location=emergency_location, enabled=enabled,
        base=base, required=True,
    )  # fmt: skip
    if base == NONE:
        wanted["base"] = None
    with open_directory() as directory:
        directory.change_phone(phone, **wanted)
    say(f"Changed phone {phone}.")


@app.command("list")
def list_all(
    *, organization: Annotated[str | None, typer.Option("--organization", "--org", help="Only of this one.")] = None,
    node: Annotated[str | None, typer.Option(help="Only on this node.")] = None, search: Search = None,
    after: Annotated[str | None, typer.Option(help="Go on after this phone.")] = None, limit: Limit = LIMIT,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """List phones."""
    with open_directory() as directory:
        if organization is not None:
            directory.organization_name(organization)  # one that is mistyped has no phones either
        if node is not None:
            directory.node(node)
        found = counted(
            directory.each_phone(organization=organization, node=node, search=search, after=after, limit=limit), limit,
            lambda last: f"There may be more: use --after {last.name}, or --limit.",
        )  # fmt: skip
        if as_json:
            show_json_list(found)
            return
        show_list(
            ("phone", "org", "node", "enabled", "base", "guest", "guest since"),
            ((p.name, p.organization, p.node, p.enabled, p.base, p.guest, p.guest_since) for p in found),
            wraps=("phone", "node"),
        )


@app.command("show")
def show(phone: Phone, *, as_json: AsJson = False) -> None:
    """Show a phone."""
    with open_directory() as directory:
        found = directory.phone(phone)
    if as_json:
        show_json(found)
    else:
        show_facts({field.replace("_", " "): value for field, value in asdict(found).items()})


@app.command("unlock")
def unlock(phone: Phone) -> None:
    """End a lock after too many wrong codes keyed on this phone."""
    with open_directory() as directory:
        directory.unlock_phone(phone, By("cli", actor()))
    say(f"Unlocked phone {phone}.")


@app.command("remove")
def remove(phone: Phone, *, yes: Yes = False) -> None:
    """Remove a phone; its guest goes home first."""
    with open_directory() as directory:
        found = directory.phone(phone)
        guest = f" on which {found.guest} sits" if found.guest else ""
        confirm(f"Remove phone {phone}{guest}?", yes=yes)
        directory.remove_phone(phone)
    say(f"Removed phone {phone}.")
