"""What befalls a Kamailio: its table is in memory alone, so each restart loses it, and an operator's command does, too."""

from __future__ import annotations

from chaos.faults import KAMAILIO, Heal, Scene, fault, nothing
from chaos.node_faults import define_process_faults
from chaos.nodes import StagedKamailio
from localcluster.process import ServiceFailed

_GAVE_BACK = "gave "


def kamailios(scene: Scene) -> list[StagedKamailio]:
    """The Kamailios."""
    return [node for node in scene.stage.nodes.values() if isinstance(node, StagedKamailio)]


define_process_faults("kamailio", kamailios, KAMAILIO)


@fault("kamailio-reloaded", needs=KAMAILIO)
def kamailio_reloaded(scene: Scene) -> Heal:
    """A Kamailio ends in order, and starts with what its files say: with no table."""
    node = scene.dice.choice(kamailios(scene))
    node.process.stop()
    node.process.start()
    return nothing


@fault("kamailio-table-flushed", needs=KAMAILIO)
def kamailio_table_flushed(scene: Scene) -> Heal:
    """Somebody empties the table while it runs, twice."""
    node = scene.dice.choice(kamailios(scene))
    node.flush()
    return node.flush


@fault("kamailio-restored-older", needs=KAMAILIO)
def kamailio_restored_older(scene: Scene) -> Heal:
    """It dies while no push worker answers, and is given a table that is older than what it had."""
    node = scene.dice.choice(kamailios(scene))
    node.keep_snapshot()

    def heal() -> None:
        pushes = list(scene.stage.product.of_kind("push"))
        for process in pushes:
            process.pause()
        try:
            node.process.kill()
            node.process.start()
            said = node.give_back()
        finally:
            for process in pushes:
                process.resume()
        if not said.startswith(_GAVE_BACK):
            raise ServiceFailed(f"{node.name} was not given back what it had: {said}")

    return heal


@fault("kamailio-restored-amid-push", needs=KAMAILIO)
def kamailio_restored_amid_push(scene: Scene) -> Heal:
    """It dies, and an older table is given back while Roost sends it the newest."""
    node = scene.dice.choice(kamailios(scene))
    node.keep_snapshot()

    def heal() -> None:
        node.process.kill()
        node.process.start()
        node.give_back()  # what Roost has begun to write stays, and this is refused

    return heal
