"""What `roost doctor` looks at on a FreePBX: its keys beside Roost's, its feature codes, its modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from roost.finding import Finding, Level
from roost.pbx.ami.contacts import examine_contacts
from roost.pbx.ami.options import examine_transport
from roost.pbx.ami.version import examine_version, is_too_old
from roost.pbx.freepbx.adapter import FreepbxNode
from roost.pbx.freepbx.box import Box
from roost.pbx.freepbx.options import FreepbxOptions
from roost.pbx.freepbx.own_keys import NOBODY
from roost.pbx.kinds import Examined
from roost.pbx.node import ActsAs, Change, Key, Rings

#: Names that a finding lists.
LISTED = 5
_MODULES = {
    "res_agi": "the feature code does not reach the center",
    "res_pjsip_exten_state": "no phone can watch a lamp",
}
_INCLUDE = "Include roost_freepbx.conf from extensions_custom.conf, and reload."
_GLOBALS = "Set ROOST_NODE and ROOST_CENTER in globals_custom.conf, and reload."


def examine(node: Examined[FreepbxOptions]) -> Iterator[Finding]:
    """Look at how it is reached and, when it was, at what it has loaded and holds."""
    yield from examine_transport(node.address, node.options)
    if isinstance(node.node, FreepbxNode):
        version = node.node.health()
        yield from examine_version(version)
        yield from _modules(node.node)
        yield from _dialplan(node, node.node)
        yield from examine_contacts(node.node.variables, node.phones)
        if is_too_old(version):
            return  # its keys cannot be listed
        box, table = node.node.box(), node.node.dump()
        yield from _keys(box, table)
        yield from _ways(box, table, node.name)


def _modules(freepbx: FreepbxNode) -> Iterator[Finding]:
    for module, then in _MODULES.items():
        if not freepbx.has_loaded(module):
            yield _finding(
                Level.ERROR, f"The module {module} is not loaded: {then}.", "Load it, in modules.conf."
            )


def _dialplan(node: Examined[FreepbxOptions], freepbx: FreepbxNode) -> Iterator[Finding]:
    code = node.feature_code
    contexts = ("from-internal-noxfer-custom", "from-internal")
    found = freepbx.variables(
        [*(f"DIALPLAN_EXISTS({context},{code},1)" for context in contexts), "ROOST_NODE", "ROOST_CENTER"]
    )
    if found is None:
        yield _finding(
            Level.NOTE, "Its dialplan cannot be looked at, and no audit sees its lamps: the AMI user lacks the class reporting.",
            "write = system,reporting in manager_custom.conf there.",
        )  # fmt: skip
        return
    ours, theirs, name, center = found
    if ours != "1" and theirs == "1":
        yield _finding(
            Level.ERROR, f"Something else has the feature code {code}, such as the blacklist.", _INCLUDE
        )
    elif ours != "1":
        yield _finding(Level.ERROR, f"It has no feature code {code}: nobody can move there.", _INCLUDE)
    elif name != node.name:
        yield _finding(
            Level.ERROR, f"Its dialplan says that it is {name or 'no node'} (ROOST_NODE).", _GLOBALS
        )
    elif not center:
        yield _finding(Level.ERROR, "It names no center (ROOST_CENTER): nobody can move there.", _GLOBALS)


def _keys(box: Box, table: dict[Key, Change | None]) -> Iterator[Finding]:
    if silent := [device for device, user in box.speaks.items() if user in NOBODY or user not in box.names]:
        yield _finding(
            Level.ERROR, f"Nobody speaks at {_some(silent)}: no call goes out there but to the emergency numbers of roost_freepbx.conf.",
            "Switch off FreePBX's own log-off (*12), and give each device a user; Roost's phones it mends by itself.",
        )  # fmt: skip
    several = [user for user, devices in box.rings.items() if "&" in devices]
    if several:
        yield _finding(
            Level.WARNING, f"Users with several devices: {_some(several)}; all of them ring.",
            "Leave each user one device; of Roost's users, the next audit does that.",
        )  # fmt: skip
    if different := [key for key, row in table.items() if row is None]:
        yield _finding(
            Level.WARNING, f"FreePBX's keys differ from Roost's: {_some('/'.join(key) for key in different)}.",
            "The next audit mends them. Find who edits them, or switch off *11 and *12.",
        )  # fmt: skip
    phones = {row.phone: row for row in table.values() if isinstance(row, ActsAs)}
    if unknown := sorted(box.devices - {key[1] for key in table if key[0] == "p"}):
        yield _finding(
            Level.WARNING, f"Devices that Roost does not know: {_some(unknown)}; nobody can sit down there.",
            "Add them: roost import --from-node NODE, or roost phone add.",
        )  # fmt: skip
    if len(organizations := {row.organization for row in phones.values()}) > 1:
        yield _finding(
            Level.ERROR, f"It is told of several organizations, whose numbers are one to it: {_some(sorted(organizations))}.",
            "roost node serve NODE ORGANIZATION",
        )  # fmt: skip
    named = {row.number: row.name for row in phones.values()}
    if names := [user for user, name in named.items() if box.names.get(user, name) != name]:
        yield _finding(
            Level.WARNING, f"Users named otherwise in Roost: {_some(names)}; callers see FreePBX's names.",
            "Change one of them.",
        )  # fmt: skip
    emergency = [
        phone for phone, row in phones.items()
        if phone in box.devices - box.elsewhere and row.emergency_number not in {"", box.emergency.get(phone, ("", ""))[1]}
    ]  # fmt: skip
    if emergency:
        yield _finding(
            Level.WARNING, f"Devices with another emergency number in Roost: {_some(emergency)}; calls have FreePBX's.",
            "Change one of them.",
        )  # fmt: skip


def _ways(box: Box, table: dict[Key, Change | None], node: str) -> Iterator[Finding]:
    """Whether each device dials the phone where Roost says that it is."""
    homes = {
        row.phone: row.node for row in table.values() if isinstance(row, Rings) and row.phone and row.node
    }
    ways = {
        phone: f"PJSIP/{phone}" if home == node else f"PJSIP/*{phone}@{home}" for phone, home in homes.items()
    }
    if wrong := [f"{phone} (not {way})" for phone, way in ways.items() if box.dials.get(phone, way) != way]:
        yield _finding(
            Level.ERROR, f"Devices that dial something else than the phone that Roost knows: {_some(wrong)}.",
            "Change the dial string there, or the phone's node: roost phone set PHONE --node NODE.",
        )  # fmt: skip


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - LISTED} more" if len(listed) > LISTED else ""
    return ", ".join(listed[:LISTED]) + more


def _finding(level: Level, says: str, mend: str) -> Finding:
    return Finding("nodes", level, says, mend)
