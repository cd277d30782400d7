"""What a request came to, in words."""

from __future__ import annotations

import typer

from roost.moves.outcomes import Outcome
from roost.moves.requests import Answer
from workers.cli.exits import Exit, exit_of_outcome
from workers.cli.output import say, show_error, show_json

_WORDS = {
    Outcome.VIRTUALIZED: "{extension} rings on phone {phone} now.",
    Outcome.RETURNED: "{extension} is back at its base; phone {phone} is free.",
    Outcome.NOTHING_TO_RETURN: "{extension} is at its base already.",
    Outcome.ALREADY_HERE: "{extension} is there already.",
    Outcome.UNKNOWN_PHONE: "There is no such phone, or it has no extension in use.",
    Outcome.UNKNOWN_EXTENSION: "There is no such extension in the phone's organization, or it is disabled.",
    Outcome.NOT_ALLOWED: "The phone's own extension does not allow virtualization.",
    Outcome.OCCUPIED: "Somebody else sits on that phone.",
    Outcome.NO_CODE: "The extension has no secret code; one is needed to move it.",
    Outcome.TOO_LONG: "No node could store it: name, mailbox and the phone's emergency location are too long together.",
    Outcome.PHONE_LOCKED: "The phone is locked after too many wrong codes.",
    Outcome.LOCKED: "The extension is locked after too many wrong codes.",
    Outcome.WRONG_CODE: "The secret code is wrong.",
    Outcome.DROPPED: "The secret code was wrong too often; the call was dropped.",
    Outcome.EXPIRED: "The request took too long; nothing was changed.",
    Outcome.FEATURE_CODE_DIFFERS: "The center has another feature code: ROOST_FEATURE_CODE is to be as it is dialled.",
    Outcome.BAD_REQUEST: "That is not a request.",
    Outcome.CODE_SET: "The secret code of {extension} is set.",
    Outcome.WEAK_CODE: "Everybody tries that code first (a run, a repeat, a date, the extension's own number …); choose another.",
    Outcome.CODE_CLEARED: "{extension} has no secret code now.",
    Outcome.UNAVAILABLE: "The service is unavailable.",
}


#: What a caller hears of, who knows neither the extension nor the phone of the answer.
_WORDS_OF_A_CALL = {
    Outcome.VIRTUALIZED: "The extension rings here now.",
    Outcome.RETURNED: "The extension is back at its base.",
    Outcome.NOTHING_TO_RETURN: "Nobody sits here, and this phone's own extension is at home.",
    Outcome.ALREADY_HERE: "The extension is here already.",
}


def words_of_call(outcome: Outcome) -> str:
    """Say what the outcome of a call means."""
    return _WORDS_OF_A_CALL.get(outcome) or _WORDS.get(outcome, outcome.value)


def show_answer(answer: Answer, *, subject: str, as_json: bool) -> None:
    """Print what the request came to; ends the command with its exit code when it was not granted."""
    code = exit_of_outcome(answer.outcome)
    words = _WORDS.get(answer.outcome, answer.outcome.value).format(
        extension=answer.extension or subject, phone=answer.phone
    )
    if answer.displaced:
        words += f" {answer.displaced} was sent home."
    if as_json:
        show_json({**answer.model_dump(mode="json"), "message": words})
    elif code is Exit.DONE:
        say(f"{words} [{answer.outcome.value}]")
    else:
        show_error(words, answer.outcome.value)
    if code is not Exit.DONE:
        raise typer.Exit(code)
