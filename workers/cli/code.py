"""`roost code`: secret codes. They travel sealed to the verify workers, and appear nowhere in clear."""

from __future__ import annotations

import typer

from roost.directory.changes import By
from roost.directory.fields import ExtensionKey
from roost.errors import SettingMissing
from roost.moves.bound_ids import set_code_id
from roost.moves.outcomes import Outcome
from roost.moves.requests import SetCode
from roost.moves.secret_codes import BadCode, is_code
from roost.seal import seal
from roost.settings import settings
from tasks.requests import SET_CODE
from workers.cli.answers import show_answer
from workers.cli.options import Key
from workers.cli.output import AsJson, say
from workers.cli.session import actor, database_time, new_request_id, open_client, open_directory, read_secret


class KeysDiffer(SettingMissing):
    """The verify workers cannot open what is sealed here: ROOST_SEAL_PUBLIC_KEY here and their ROOST_SEAL_PRIVATE_KEY are no pair."""

    code = "keys_differ"


app = typer.Typer(no_args_is_help=True, help="Secret codes, with which people move their extension.")


@app.command("set")
def set_code(key: Key, *, as_json: AsJson = False) -> None:
    """Set or replace the secret code: asked for on the terminal, or read from stdin. A lock ends."""
    named = ExtensionKey.parse(key)
    public_key = settings().need("seal_public_key")
    digits = read_secret("secret code")
    if not is_code(digits):
        raise BadCode
    request_id = set_code_id(new_request_id(), named.organization, named.number)
    _send(named, request_id, seal(public_key, request_id, digits), as_json=as_json)


@app.command("clear")
def clear(key: Key, *, as_json: AsJson = False) -> None:
    """Take the secret code away. The extension goes home, and cannot move without one."""
    _send(ExtensionKey.parse(key), new_request_id(), None, as_json=as_json)


@app.command("unlock")
def unlock(key: Key) -> None:
    """End a lock after too many wrong codes; the code stays. `phone unlock` does so for a phone."""
    with open_directory() as directory:
        directory.unlock_extension(key, By("cli", actor()))
    say(f"Unlocked extension {key}.")


def _send(named: ExtensionKey, request_id: str, sealed_code: str | None, *, as_json: bool) -> None:
    with open_client() as client:
        request = SetCode(
            request_id=request_id, origin="cli", actor=actor(), made_at=database_time(client),
            organization=named.organization, number=named.number, sealed_code=sealed_code,
        )  # fmt: skip
        answer = client.call(SET_CODE, request)
    if answer.outcome is Outcome.BAD_REQUEST:
        # All else in the request was checked here, so it is the sealed box that the worker could not open.
        raise KeysDiffer
    show_answer(answer, subject=str(named), as_json=as_json)
