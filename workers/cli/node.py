"""`roost node`: the PBX nodes of the cluster."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from roost.directory import LIMIT, Directory, fields
from roost.directory.node_scope import read_scope, set_scope
from roost.errors import Invalid
from roost.pbx.kinds import default_kind, kind_named
from roost.wording import count_of
from workers.cli.listing import counted, show_json_list, show_list
from workers.cli.options import NONE, Enabled, Limit, Yes, changes, confirm
from workers.cli.output import AsJson, say, show_facts, show_json
from workers.cli.session import open_database, open_directory, read_file, read_secret

app = typer.Typer(no_args_is_help=True, help="PBX nodes.")

NodeName = Annotated[
    str, typer.Argument(metavar="NODE", help=f"Its name in the cluster: {fields.NODE_NAME.words}.")
]
SecretFile = Annotated[
    Path | None,
    typer.Option(help="A file that holds its login secret; without one it is asked for, or read from stdin."),
]

Username = Annotated[
    str | None,
    typer.Option(
        "--username", "--user", help="Who Roost logs in as; `none` for what its kind has by itself."
    ),
]
Tls = Annotated[
    bool | None, typer.Option("--tls/--no-tls", help="Reach it by TLS; its usual port is another one.")
]
Ca = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Certificates (PEM) to trust, for TLS; without, those that the system trusts."
    ),
]
Options = Annotated[
    list[str] | None,
    typer.Option(
        "--option", metavar="NAME=VALUE", help="Any other option of its kind; with no value it is taken away."
    ),
]


@app.command("add")
def add(
    node: NodeName, host: Annotated[str, typer.Option(help="Where its control port is.")], *,
    port: Annotated[int | None, typer.Option(help="Its control port, if it is not the usual one of its kind.")] = None,
    kind: Annotated[str | None, typer.Option(help="Its kind of PBX, if not the usual one; a wrong one is answered with all there are.")] = None,
    tls: Tls = None, ca: Ca = None, username: Username = None, option: Options = None, secret_file: SecretFile = None,
    serve: Annotated[list[str] | None, typer.Option(metavar="ORGANIZATION", help="It hears of these alone, not of all; some kinds can serve only one.")] = None,
) -> None:  # fmt: skip
    """Add a node. It is filled within seconds, and kept up to date from then on."""
    options = _options(option, username=username, tls=tls, ca=ca)
    kind = kind or default_kind()
    wants_secret = kind_named(kind).has_secret or secret_file is not None
    secret = read_secret("login secret", secret_file) if wants_secret else None
    with open_directory() as directory:
        directory.add_node(node, kind, host, port, secret=secret, options=options, serves=serve or None)
    say(f"Added node {node}.")


@app.command("set")
def change(
    node: NodeName, *, host: Annotated[str | None, typer.Option(help="Where its control port is.")] = None,
    port: Annotated[int | None, typer.Option(help="Its control port.")] = None,
    tls: Tls = None, ca: Ca = None, username: Username = None, option: Options = None,
    secret: Annotated[bool, typer.Option("--secret", help="Ask for a new login secret, or read it from stdin.")] = False,
    secret_file: Annotated[Path | None, typer.Option(help="A file that holds its new login secret.")] = None,
    enabled: Enabled = None,
) -> None:  # fmt: skip
    """Change a node. A disabled one is told nothing; enabled again, it catches up."""
    new_secret = read_secret("login secret", secret_file) if secret or secret_file else None
    options = _options(option, username=username, tls=tls, ca=ca) or None
    wanted = changes(host=host, port=port, secret=new_secret, options=options, enabled=enabled, required=True)
    with open_directory() as directory:
        directory.change_node(node, **wanted)
    say(f"Changed node {node}.")


@app.command("serve")
def serve(
    node: NodeName, organizations: Annotated[
        list[str] | None, typer.Argument(metavar="[ORGANIZATION]...", help="Their codes; the node hears of no others.")
    ] = None,
    *, everybody: Annotated[bool, typer.Option("--all", help="It serves every organization, also those to come.")] = False,
) -> None:  # fmt: skip
    """Say which organizations a node serves. A new node serves all."""
    if everybody == bool(organizations):
        raise Invalid("Name the organizations, or --all.")
    with open_database() as database:
        set_scope(database, node, None if everybody else organizations)
    say(f"Node {node} serves {'every organization' if everybody else ', '.join(organizations or ())}.")


@app.command("list")
def list_all(
    *, after: Annotated[str | None, typer.Option(help="Go on after this node.")] = None, limit: Limit = LIMIT,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """List nodes; `roost status` says how they are."""
    with open_directory() as directory:
        found = counted(
            directory.each_node(after=after, limit=limit), limit,
            lambda last: f"There may be more: use --after {last.name}, or --limit.",
        )  # fmt: skip
        if as_json:
            show_json_list(found)
            return
        show_list(
            ("node", "kind", "address", "username", "enabled", "phones"),
            ((n.name, n.kind, f"{n.host}:{n.port}", n.username, n.enabled, n.phones) for n in found),
            right=("phones",),
            wraps=("node", "address"),
        )


@app.command("show")
def show(node: NodeName, *, as_json: AsJson = False) -> None:
    """Show a node; `roost status` says how it is."""
    with open_database() as database:
        found, scope = asdict(Directory(database).node(node)), read_scope(database, node)
    if as_json:
        show_json(found | {"serves": "all" if scope is None else scope})
    else:
        options = found.pop("options")
        facts = found | {name: _brief(value) for name, value in options.items()}
        show_facts(facts | {"serves": "every organization" if scope is None else ", ".join(scope)})


@app.command("remove")
def remove(node: NodeName, *, yes: Yes = False) -> None:
    """Remove a node that has no phones. What Roost wrote into it stays there."""
    with open_directory() as directory:
        directory.node(node)
        confirm(f"Remove node {node}?", yes=yes)
        directory.remove_node(node)
    say(f"Removed node {node}.")


def _options(
    others: list[str] | None, *, username: str | None, tls: bool | None, ca: Path | None
) -> dict[str, object]:
    """The node's options that were given; None takes one away. Its kind judges them. Raises BadField, Invalid.

    Without TLS there is nobody to trust, so the certificates go with it.
    """
    options: dict[str, object] = {}
    for each in others or ():
        name, equals, value = each.partition("=")
        if not equals:
            raise Invalid("Write an option as NAME=VALUE.")
        options[name] = value or None
    if tls is not None:
        options |= {"tls": tls} if tls else {"tls": None, "ca": None}
    if ca is not None:
        options["ca"] = read_file("certificates", ca)
    if username is not None:
        options["username"] = None if username == NONE else username
    return options


def _brief(value: object) -> object:
    """A text of many lines, such as a certificate, by its size alone."""
    lines = value.count("\n") if isinstance(value, str) else 0
    return f"{count_of(lines, 'line')}; --json shows them" if lines else value
