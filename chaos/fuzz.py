"""The parsers of what strangers send, fed by atheris: `python -m chaos.fuzz agi FOLDER -max_total_time=600`.

Each must end, in memory bounded by its limits, with what it documents: events, or its own error.
FOLDER keeps the inputs that taught something; what follows is libFuzzer's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # it ships no types

with atheris.instrument_imports(include=["roost", "workers"]):
    from roost.errors import Invalid
    from roost.moves.dialogue import AskDial, AskTry, Collect, Dialogue, End
    from roost.moves.outcomes import Outcome
    from roost.pbx import agi, agi_client, row_text
    from roost.pbx.ami import codec
    from roost.pbx.node import Cursor, Kind
    from simulator import wire

#: In how many pieces an input may arrive.
_PIECES = 8
KINDS: tuple[Kind, ...] = ("e", "p")


def agi_server(data: bytes) -> None:
    """What Asterisk sends to the center."""
    server = agi.Server()
    with suppress(agi.ProtocolError):
        for piece in _pieces(data):
            server.feed(piece)
        server.end()


def agi_commands(data: bytes) -> None:
    """What a center sends to Asterisk, as the tests and the simulator of callers read it."""
    client = agi_client.Client()
    with suppress(agi.ProtocolError):
        for piece in _pieces(data):
            client.feed(piece)


def ami_reader(data: bytes) -> None:
    """What a PBX answers, down to the table entries in it."""
    reader = codec.Reader()
    with suppress(codec.ProtocolError):
        for piece in _pieces(data):
            for message in reader.feed(piece):
                fields = codec.fields_of(message)
                stored = fields.get("Val", "").encode(errors="surrogateescape").decode(errors="replace")
                Cursor.parse(stored)
                for kind in KINDS:
                    row_text.change((kind, fields.get("Key", "")), stored)


def ami_action(data: bytes) -> None:
    """What is sent to a PBX: nothing that a field holds may become a line of its own."""
    name, _, value = data[1:].decode(errors="replace").partition("\0")
    try:
        sent = codec.action("DBPut", {"Key": name, "Val": value})
    except Invalid:
        return
    assert sent.count(b"\r\n") == 4, "a field broke out of its line"


def simulator(data: bytes) -> None:
    """What a client sends to a simulated node."""
    reader = wire.ActionReader()
    with suppress(wire.TooMuchError):
        for piece in _pieces(data):
            for action in reader.feed(piece):
                wire.fields_of(action)


def dial(data: bytes) -> None:
    """What is dialled and keyed: only digits behind the feature code are ever asked for."""
    dialled, _, keyed = data[1:].decode(errors="surrogateescape").partition("\0")
    talk = Dialogue(feature_code="*30", dialled=dialled, tries=3)
    action = talk.start()
    for _ in range(20):
        match action:
            case End():
                return
            case AskDial(number) | AskTry(number, _):
                assert number == "" or (number.isascii() and number.isdigit() and len(number) <= 16)
                action = talk.answered(
                    Outcome.CODE_NEEDED if isinstance(action, AskDial) else Outcome.WRONG_CODE
                )
            case Collect():
                action = talk.keyed(keyed)
    raise AssertionError("the conversation has no end")


def _pieces(data: bytes) -> list[bytes]:
    """The input as it may arrive: cut into so many parts as its first byte says."""
    data, parts = data[1:], data[0] % _PIECES + 1 if data else 1
    size = max(1, len(data) // parts)
    return [data[start : start + size] for start in range(0, len(data), size)]


#: What well-behaved peers send, to begin with; a byte before each says how it is cut.
SEEDS = {
    "agi": agi_client.environment({"agi_uniqueid": "1.1"}, ["n1", "desk001", "*30001"])
    + agi_client.reply("0") + agi_client.reply("1234") + agi_client.reply("", "timeout") + b"520-Invalid\nUsage\n520 End\n" + agi_client.HANGUP,
    "agi-client": agi.answer() + agi.stream_file("beep") + agi.get_data("agent-pass", 7000, 9)
    + agi.set_variable("ROOST_OUTCOME", "returned") + agi.hang_up(),
    "ami": b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: 1\r\nMessage: ok\r\n\r\n"
    b"Event: DBGetTreeResponse\r\nKey: /roost/p/desk001\r\nVal: 0001,1,A%20B,a,m,1,112,Room\r\nActionID: 2\r\n\r\n",
    "ami-action": b"key\0value",
    "simulator": b"Action: DBPut\r\nFamily: roost\r\nKey: e/0001*001\r\nVal: n1/desk\r\n\r\nAction: Ping\r\n\r\n",
    "dial": b"*30001\x001234",
}  # fmt: skip

TARGETS: dict[str, Callable[[bytes], None]] = {
    "agi": agi_server, "agi-client": agi_commands, "ami": ami_reader, "ami-action": ami_action, "simulator": simulator,
    "dial": dial,
}  # fmt: skip


def main() -> None:
    """Fuzz one target until libFuzzer's arguments end it."""
    target, corpus, *options = sys.argv[1:]
    Path(corpus).mkdir(exist_ok=True)
    Path(corpus, "seed").write_bytes(b"\x02" + SEEDS[target])
    atheris.Setup([sys.argv[0], *options, corpus], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
