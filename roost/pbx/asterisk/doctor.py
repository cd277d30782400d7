"""What `roost doctor` looks at on an Asterisk."""

from __future__ import annotations

import re
from collections.abc import Iterator

from roost.errors import NodeRefused
from roost.finding import Finding, Level
from roost.pbx.ami.contacts import examine_contacts
from roost.pbx.ami.options import examine_transport
from roost.pbx.ami.version import examine_version
from roost.pbx.asterisk.adapter import AsteriskNode
from roost.pbx.asterisk.messages import AsteriskRegistrations
from roost.pbx.asterisk.options import AsteriskOptions
from roost.pbx.kinds import Examined

_NODE = re.compile(r"[A-Za-z0-9._-]{1,64}")
#: Seconds to log in once more.
_DEADLINE = 5.0
#: Of a dialplan that sets none.
_FEATURE_CODE = "*30"
_SITE = "docs/asterisk.md says what goes into [globals] of extensions.conf there."


def examine(node: Examined[AsteriskOptions]) -> Iterator[Finding]:
    """Look at how it is reached, at its version, and at its dialplan."""
    yield from examine_transport(node.address, node.options)
    if isinstance(node.node, AsteriskNode):
        yield from examine_version(node.node.health())
        yield from _dialplan(node, node.node)
        yield from examine_contacts(node.node.variables, node.phones)
        yield from _registrations(node, node.node)


def _dialplan(node: Examined[AsteriskOptions], asterisk: AsteriskNode) -> Iterator[Finding]:
    values = asterisk.variables(
        ["ROOST_NODE", "ROOST_FEATURE", "ROOST_CENTER", "DIALPLAN_EXISTS(roost-center,*,1)", "ROOST_NODES"]
    )
    if values is None:
        yield Finding(
            "nodes", Level.NOTE, "its dialplan cannot be looked at, and lamps do not follow: the AMI user lacks the class reporting.",
            "write = system,reporting in manager.conf there.",
        )  # fmt: skip
        return
    name, feature_code, center, included, others = values
    if included != "1":
        yield Finding(
            "nodes", Level.ERROR, "its dialplan has no roost.conf.", "Include it there; see docs/asterisk.md."
        )
        return
    if name != node.name:
        yield Finding(
            "nodes", Level.ERROR, f"its dialplan says that it is {name or 'no node'} (ROOST_NODE): calls ring at the wrong phones or at none.", _SITE,
        )  # fmt: skip
    if not center:
        yield Finding(
            "nodes", Level.ERROR, "its dialplan names no center (ROOST_CENTER): nobody can move.", _SITE
        )
    if (feature_code or _FEATURE_CODE) != node.feature_code:
        yield Finding(
            "nodes", Level.ERROR,
            f"its feature code is {feature_code or _FEATURE_CODE}, the centers' is {node.feature_code}: nobody can move there.",
            "ROOST_FEATURE in its dialplan, and ROOST_FEATURE_CODE of every center, must be the same.",
        )  # fmt: skip
    yield from _trunks(asterisk, [other for other in others.split("&") if _NODE.fullmatch(other)])


def _trunks(asterisk: AsteriskNode, others: list[str]) -> Iterator[Finding]:
    """Whoever names themselves in a From is not the other node for that."""
    asked = [f"PJSIP_ENDPOINT({other},{field})" for other in others for field in ("identify_by", "auth")]
    said = asterisk.variables(asked) or []
    for other, known_by, proof in zip(others, said[::2], said[1::2], strict=False):
        if "username" in known_by.split(",") and not proof:
            yield Finding(
                "nodes", Level.WARNING, f"who says there that their name is {other} is taken for that node: rings any phone, as anybody, with no password.",
                f"identify_by=ip in the endpoint [{other}] of its pjsip.conf; docs/asterisk.md has the whole of it.",
            )  # fmt: skip


def _registrations(node: Examined[AsteriskOptions], asterisk: AsteriskNode) -> Iterator[Finding]:
    if asterisk.messages.keeper() is None:
        return
    try:
        AsteriskRegistrations(node.address, node.options, _DEADLINE).close()
    except NodeRefused:
        yield Finding(
            "nodes", Level.NOTE, "phones that register there are not told of their messages: the AMI user hears no events.",
            "read = system,security in manager.conf there.",
        )  # fmt: skip
