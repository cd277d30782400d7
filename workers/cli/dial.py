"""`roost dial`: a call to the Center from the terminal, over FastAGI, as Asterisk would make it."""

from __future__ import annotations

import re
import sys
import uuid
from collections import deque
from getpass import getpass
from ipaddress import ip_address
from typing import Annotated

import typer

from roost.directory.fields import PHONE_NAME
from roost.directory.rules import BadField
from roost.errors import Invalid
from roost.settings import settings
from workers.cli.answers import words_of_call
from workers.cli.exits import Exit, exit_of_outcome
from workers.cli.fastagi_call import Call, CenterUnavailable, Play, place_call
from workers.cli.output import AsJson, note, say, show_error, show_json
from workers.cli.session import open_directory

#: Lines of codes taken from stdin: more tries than any call has.
_MAX_CODES = 10


def dial(
    phone: Annotated[str, typer.Argument(metavar="PHONE", help="The phone to call from.")],
    dialled: Annotated[str, typer.Argument(metavar="DIALLED", help="Such as '*30001', or '*30' to return.")],
    *,
    node: Annotated[
        str | None, typer.Option(help="The node it calls through; its home node without one.")
    ] = None,
    center: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Which center; the one of the settings.")
    ] = None,
    code: Annotated[
        bool,
        typer.Option(
            "--code", help="Ask for the code before the call, or read codes from stdin, a line a try."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Call the Center as a phone would: hear its prompts as text, and key the code when it asks.

    Example: roost dial desk002 '*30001' --code < code-file
    """
    PHONE_NAME.check(phone)
    host, port = _address(center)
    codes = deque(_read_codes()) if code else deque[str]()
    call = Call(node=node or _home_node(phone), phone=phone, dialled=dialled, unique_id=f"cli-{uuid.uuid4()}")
    heard: list[Play] = []

    def hear(play: Play) -> None:
        heard.append(play)
        if not as_json:
            say(f"center: {play.prompt}" + (" …" if play.wants_digits else ""))

    def key() -> str:
        if codes:
            return codes.popleft()
        return getpass("code: ") if sys.stdin.isatty() else ""

    try:
        outcome = place_call(host, port, call, hear=hear, key=key)
    except CenterUnavailable as error:
        show_error(str(error), error.code, heard=heard)
        raise typer.Exit(Exit.UNAVAILABLE) from None
    words = words_of_call(outcome)
    exit_code = exit_of_outcome(outcome)
    if as_json:
        show_json({"outcome": outcome.value, "message": words, "heard": heard})
    elif exit_code is Exit.DONE:
        say(f"{words} [{outcome.value}]")
    else:
        show_error(words, outcome.value)
    if exit_code is not Exit.DONE:
        raise typer.Exit(exit_code)


def _address(center: str | None) -> tuple[str, int]:
    if center is None:
        host = settings().center_host
        return ("127.0.0.1" if _is_everywhere(host) else host), settings().center_port
    host, _, port = center.rpartition(":")
    if not (host and re.fullmatch("[0-9]{1,5}", port) and 1 <= int(port) <= 65_535):
        raise BadField("The center is named as HOST:PORT.")
    return host.strip("[]"), int(port)


def _is_everywhere(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _home_node(phone: str) -> str:
    if settings().database_url is None:
        raise Invalid("Name the --node: without ROOST_DATABASE_URL the phone's home is not known here.")
    with open_directory() as directory:
        return directory.phone(phone).node


def _read_codes() -> list[str]:
    if sys.stdin.isatty():
        return [getpass("code: ")]
    lines = [sys.stdin.readline(100).strip() for _ in range(_MAX_CODES)]
    if not any(lines):
        note("warning: stdin has no code; each try will be without input")
    while lines and not lines[-1]:
        lines.pop()
    return lines
