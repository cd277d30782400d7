"""`roost`: the commands, and what becomes of errors."""

from __future__ import annotations

import gc
import logging
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import structlog
import typer
from typer.core import TyperGroup

from roost.directory.importing import ImportRefused
from roost.env_file import env_file
from roost.errors import RoostError
from workers.cli import (
    audit,
    broker,
    code,
    dial,
    doctor,
    exporting,
    extension,
    importing,
    journal,
    keys,
    moves,
    node,
    organization,
    phone,
    run,
    schema,
    setup,
    status,
    streams,
    token,
    user,
    where,
)
from workers.cli.exits import exit_of_error
from workers.cli.output import people_read, show_error
from workers.cli.usage import told


class _Errors(TyperGroup):
    """Turns Roost's errors into a line on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            env_file()  # where there is no folder, no command has anything to go by
            return super().invoke(ctx)
        except ImportRefused as error:
            show_error(str(error), error.code, faults=error.faults)
            raise typer.Exit(exit_of_error(error)) from None
        except RoostError as error:
            show_error(str(error), error.code)
            raise typer.Exit(exit_of_error(error)) from None
        except typer.TyperException as error:
            raise told(error) from None

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        people_read()
        try:
            return super().make_context(*args, **kwargs)
        except typer.TyperException as error:
            raise told(error) from None


app = typer.Typer(
    name="roost",
    cls=_Errors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its pages would show local variables, secrets among them
    help="Extension virtualization for PBX clusters: move extensions between phones, and see where they are.",
    epilog="Settings come from ROOST_… variables and `.env`; `roost doctor` says what is missing.",
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        try:
            print(f"roost {version('roost')}")
        except PackageNotFoundError:
            print("roost (not installed)")
        raise typer.Exit


@app.callback()
def roost(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Show the version; the rest is up to the commands."""


_DAY = "Day by day"
_DIRECTORY = "What there is"
_OPERATION = "Running it"

app.command("where", rich_help_panel=_DAY)(where.where)
app.command("virtualize", rich_help_panel=_DAY)(moves.virtualize)
app.command("return", rich_help_panel=_DAY)(moves.return_home)
app.add_typer(code.app, name="code", rich_help_panel=_DAY)
app.command("journal", rich_help_panel=_DAY)(journal.journal)
app.command("dial", rich_help_panel=_DAY)(dial.dial)

app.add_typer(organization.app, name="org", rich_help_panel=_DIRECTORY)
app.add_typer(extension.app, name="extension", rich_help_panel=_DIRECTORY)
app.add_typer(phone.app, name="phone", rich_help_panel=_DIRECTORY)
app.add_typer(node.app, name="node", rich_help_panel=_DIRECTORY)
app.add_typer(user.app, name="user", rich_help_panel=_DIRECTORY)
app.add_typer(token.app, name="token", rich_help_panel=_DIRECTORY)
app.command("import", rich_help_panel=_DIRECTORY)(importing.import_file)
app.command("export", rich_help_panel=_DIRECTORY)(exporting.export_file)

app.command("setup", rich_help_panel=_OPERATION)(setup.setup)
app.command("run", rich_help_panel=_OPERATION)(run.run)
app.command("status", rich_help_panel=_OPERATION)(status.status)
app.command("audit", rich_help_panel=_OPERATION)(audit.audit)
app.command("doctor", rich_help_panel=_OPERATION)(doctor.doctor)
app.add_typer(keys.app, name="keys", rich_help_panel=_OPERATION)
app.add_typer(schema.app, name="db", rich_help_panel=_OPERATION)
app.add_typer(broker.app, name="broker", rich_help_panel=_OPERATION)


def main() -> None:
    """Run one command and exit."""
    gc.freeze()  # what was imported stays; to look through it at the end takes a quarter of a second
    # The pool and the client log what they will also raise; here the error is all there is to say.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    streams.prepare()
    try:
        try:
            app(prog_name="roost")
        finally:
            sys.stdout.flush()
    except OSError as error:
        said = streams.not_printed(error)
        if said is None:
            raise
        show_error(str(said), said.code)
        sys.exit(exit_of_error(said))


if __name__ == "__main__":
    main()
