"""What a move and an audit cost at a FreePBX node of 10,000 users with lamps, beside a plain Asterisk with as many."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from itertools import cycle
from statistics import median

from benchmarks.effort import Effort
from benchmarks.report import Report
from benchmarks.stage import TOP, Rig
from localcluster.asterisk import AsteriskNode, node_addresses
from localcluster.freepbx import Device, FreepbxBox, User
from roost.nodes.audit import PIECE
from roost.pbx.ami.codec import unnumbered
from roost.pbx.ami.options import AmiOptions
from roost.pbx.ami.session import AmiSession
from roost.pbx.kinds import connect
from roost.pbx.node import ActsAs, Change, Cursor, Key, PbxNode, Rings, key_of

_DEADLINE = 60.0
_LAMPS = f'#include "{TOP}/asterisk/roost_features.conf.sample"\n'


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """Moves by turns at both, each of 4 rows and the cursor; then the reading of everything, in pieces as an audit does it."""
    users = 10_000 if effort.runs > 1 or effort.seconds >= 1 else 500
    moves = 400 if users == 10_000 else 20
    table = _table(users)
    addresses = node_addresses("n1", "f1")
    plain = AsteriskNode("n1", addresses["n1"], rig.folder / "fp-n1", site=_LAMPS)
    box = FreepbxBox(
        "f1", addresses["f1"], rig.folder / "fp-f1",
        users=[User(_number(user), "") for user in range(users)],
        devices=[Device(_number(user), _number(user)) for user in range(users)],
    )  # fmt: skip
    with plain, box, ExitStack() as open_:
        nodes = {
            node.name: open_.enter_context(closing(connect(node.control, _DEADLINE))) for node in (plain, box)
        }
        for node in nodes.values():
            assert node.apply(table, Cursor("bench", 1)) == []
        _watch_everybody(plain, users)
        took: dict[str, list[float]] = {name: [] for name in nodes}
        for move, _ in zip(cycle(_moves()), range(moves), strict=False):
            for name, node in nodes.items():
                took[name].append(_seconds(node, move))
        ratio = median(took["f1"]) / median(took["n1"])
        report.ratio("freepbx_move", ratio)
        report.figure(
            "a move applied at FreePBX, with lamps",
            median(took["f1"]) * 1e3,
            "ms",
            median(took["n1"]) * 1e3,
            "Asterisk ms",
        )
        began = time.perf_counter()
        _read_all(nodes["f1"], table)
        report.ratio("freepbx_audit", time.perf_counter() - began)


def _read_all(node: PbxNode, table: Sequence[Change]) -> None:
    for place in range(0, len(table), PIECE):
        piece = {key_of(row): row for row in table[place : place + PIECE]}
        assert node.read(list(piece)) == piece
    strangers = {key for page in node.keys(len(table)) for key in page} - {key_of(row) for row in table}
    assert strangers == set[Key]()


def _seconds(node: PbxNode, move: Sequence[Change]) -> float:
    began = time.perf_counter()
    assert node.apply(move, Cursor("bench", 2)) == []
    return time.perf_counter() - began


def _number(user: int) -> str:
    return str(10_000 + user)


def _table(users: int) -> list[Change]:
    numbers = [_number(user) for user in range(users)]
    return [
        *(Rings(f"0001*{number}", "f1", number) for number in numbers),
        *(_speaks(number, number) for number in numbers),
    ]


def _speaks(phone: str, number: str) -> ActsAs:
    return ActsAs(phone, "0001", number, "", f"0001-{number}", number, phone, "", "")


def _moves() -> list[list[Change]]:
    """Somebody sits down at the phone of another, and comes home."""
    guest, host = _number(1), _number(2)
    away: list[Change] = [
        Rings(f"0001*{guest}", "f1", host), Rings(f"0001*{host}", None, None), _speaks(host, guest), _speaks(guest, guest),
    ]  # fmt: skip
    home: list[Change] = [
        Rings(f"0001*{guest}", "f1", guest), Rings(f"0001*{host}", "f1", host), _speaks(host, host), _speaks(guest, guest),
    ]  # fmt: skip
    return [away, home]


def _watch_everybody(node: AsteriskNode, users: int) -> None:
    """A hint of its own for everybody, as whoever watches a lamp makes one; a FreePBX has them in its file."""
    session = AmiSession(node.control, AmiOptions(), _DEADLINE)
    with session.deadline():
        session.ask_many(range(users), _hint)
    session.close()


def _hint(user: int) -> bytes:
    number = _number(user)
    fields = {
        "Context": "roost-lamps-0001", "Extension": number, "Priority": "hint", "Application": f"PJSIP/{number}", "Replace": "yes",
    }  # fmt: skip
    return unnumbered("DialplanExtensionAdd", fields)
