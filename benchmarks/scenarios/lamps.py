"""From a bind's answer to the NOTIFY at a watcher of each of two Asterisks; and what watched lamps cost at full load."""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack
from statistics import median

from benchmarks.caller import binds
from benchmarks.effort import Effort
from benchmarks.load import at_quantile
from benchmarks.report import Report
from benchmarks.stage import TOP, Rig, Stage
from benchmarks.usage import resident
from benchmarks.world import ORGANIZATION, mover
from localcluster.asterisk import AsteriskNode, SipPhone
from localcluster.plain_phone import PlainPhone
from roost.moves.outcomes import Outcome
from roost.moves.requests import Virtualize
from roost.pbx.ami.codec import unnumbered
from roost.pbx.ami.options import AmiOptions
from roost.pbx.ami.session import AmiSession
from tasks.client import Client

_EXTENSIONS = 6_000
_CALLERS = 8
_CONTEXT = f"roost-lamps-{ORGANIZATION}"
_SITE = f"""
#include "{TOP}/asterisk/roost_features.conf.sample"
[roost-outgoing]
exten => 9,1,Answer()
 same => n,Wait(3600)
"""


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """The mover sits in turn at a phone that is in a call and at one that is not: its lamp shows which."""
    moves = 200 if effort.runs > 1 else 10
    extension, (busy, _) = mover(_EXTENSIONS // 3 - 1)
    phones = [
        SipPhone(name, secrets.token_hex(8), "", settings=f"subscribe_context={_CONTEXT}")
        for name in (busy, "watcher")
    ]
    stage = Stage(rig, "lamps", extensions=_EXTENSIONS, asterisk=2, phones=phones, site=_SITE)
    with stage, ExitStack() as open_:
        stage.use(stage.nodes)
        watchers = [_watch(node, phones, open_).watch(extension) for node in stage.asterisk]
        client = open_.enter_context(Client(stage.settings))
        last = stage.own_movers[1]
        took: list[float] = []
        for (name, request), _ in zip(binds(last - 1, last, stage.settings), range(moves), strict=False):
            assert isinstance(request, Virtualize)
            answer = client.call(name, request, deadline=20)
            answered = time.perf_counter()
            assert answer.outcome is Outcome.VIRTUALIZED, answer
            for lamp in watchers:
                lamp.wait_lamp("confirmed" if request.phone == busy else "terminated")
            took.append((time.perf_counter() - answered) * 1e3)
        took.sort()
        for part, quantile in (("p50", 0.5), ("p99", 0.99)):
            report.ratio(f"lamp.{part}", at_quantile(took, quantile))
            report.figure(f"bind's answer to NOTIFY on both, {part}", at_quantile(took, quantile), "ms")
        _cost(stage, effort, report)


def _cost(stage: Stage, effort: Effort, report: Report) -> None:
    without: list[float] = []
    watched: list[float] = []
    memory: list[float] = []
    for _ in range(effort.runs):
        for node in stage.asterisk:
            node.cli(f"dialplan remove context {_CONTEXT}")
        without.append(stage.callers.run("bind", callers=_CALLERS, seconds=effort.seconds).per_second)
        stage.settle()
        before = sum(resident(stage.processes)[f"asterisk-{stage.asterisk[0].name}"])
        for node in stage.asterisk:
            node.cli("dialplan reload")
            _watch_everybody(node)
        memory.append(sum(resident(stage.processes)[f"asterisk-{stage.asterisk[0].name}"]) - before)
        watched.append(stage.callers.run("bind", callers=_CALLERS, seconds=effort.seconds).per_second)
        stage.settle()
    ratios = [with_ / none for with_, none in zip(watched, without, strict=True)]
    report.ratio("lamps_vs_none", median(ratios), ratios)
    report.figure("binds, every mover's lamp watched", median(watched), "/s", median(without), "no lamps /s")
    report.figure(f"  {_EXTENSIONS // 3:,} lamps take, in one Asterisk", memory[0], "MB")


def _watch(node: AsteriskNode, phones: list[SipPhone], open_: ExitStack) -> PlainPhone:
    """One phone that calls, for as long as all lasts, and the watcher."""
    busy, watcher = (
        open_.enter_context(PlainPhone(phone.name, phone.secret, node.address)) for phone in phones
    )
    busy.dial("9").wait_up()
    return watcher


def _watch_everybody(node: AsteriskNode) -> None:
    """A hint of its own for each mover, as whoever watches it makes one."""
    session = AmiSession(node.control, AmiOptions(), 60)
    with session.deadline():
        session.ask_many(range(_EXTENSIONS // 3), _hint)
    session.close()


def _hint(number: int) -> bytes:
    extension, (phone, _) = mover(number)
    fields = {
        "Context": _CONTEXT,
        "Extension": extension,
        "Priority": "hint",
        "Application": f"PJSIP/{phone}",
    }
    return unnumbered("DialplanExtensionAdd", fields | {"Replace": "yes"})
