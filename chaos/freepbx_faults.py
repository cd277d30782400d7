"""What befalls a FreePBX: it rewrites its own keys as it likes, by which it routes, and a reload puts back the lamps of its files.

Each is done when the fault begins, and once more when it is healed, while people move. Nothing but an audit can notice it.
"""

from __future__ import annotations

from collections.abc import Callable

from chaos.faults import FREEPBX, Heal, Scene, define
from chaos.node_faults import define_process_faults, define_store_faults
from chaos.nodes import StagedFreepbx
from localcluster.freepbx import FreepbxBox


def boxes(scene: Scene) -> list[StagedFreepbx]:
    """The FreePBX boxes."""
    return [node for node in scene.stage.nodes.values() if isinstance(node, StagedFreepbx)]


def _define_intrusion(name: str, intrude: Callable[[FreepbxBox], object]) -> None:
    def begin(scene: Scene) -> Heal:
        box = scene.dice.choice(boxes(scene)).box

        def once() -> None:
            intrude(box)

        once()
        return once

    define(f"freepbx-{name}", begin, needs=FREEPBX)


def _define_device_intrusion(name: str, intrude: Callable[[FreepbxBox, str], object]) -> None:
    def each(box: FreepbxBox) -> None:
        for device in box.devices:
            intrude(box, device)

    _define_intrusion(name, each)


def _edit_users(box: FreepbxBox) -> None:
    for user in box.users:
        box.edit_user(user)


define_process_faults("freepbx", boxes, FREEPBX)
define_store_faults("freepbx", boxes, FREEPBX)
_define_device_intrusion("devices-edited", FreepbxBox.edit)
_define_device_intrusion("logged-off", FreepbxBox.log_off)
_define_device_intrusion(
    "keys-deleted", lambda box, device: box.lose(device, box.devices[device].default_user)
)
_define_intrusion("users-edited", _edit_users)
_define_intrusion("reset", FreepbxBox.reset)
_define_intrusion("reloaded", lambda box: box.cli("dialplan reload"))
_define_intrusion("restarted", FreepbxBox.restart)
