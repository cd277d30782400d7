"""The Center: `*30` is answered here. Start as many as you like; each PBX node may know two."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys

from roost.errors import SettingMissing
from roost.moves.doors import Door
from roost.settings import Settings, settings
from tasks.client import Client
from tasks.presence import Presence
from workers.center.measures import of_calls
from workers.center.server import Center, connections_of
from workers.connection_limit import TooFewDescriptors, demand_descriptors
from workers.logs import refuse_to_start, set_up
from workers.metrics.kinds import export_center
from workers.processes import end_well, why_not_listening

#: After SIGTERM, calls in progress have so many seconds to end.
DRAIN = 8.0


async def serve(config: Settings) -> None:
    """Serve calls until SIGTERM or SIGINT."""
    gc.freeze()  # what was imported stays: not to be looked through again, which took 90 ms
    with Client(config, Door.CALLS) as client, Presence(config, "center"):
        center = Center(client, config)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, center.stop)
        export_center(config, client, of_calls(lambda: center.calls_in_progress, config.center_max_calls))
        await center.serve(DRAIN)


def main() -> int:
    """Run until SIGTERM."""
    end_well()
    try:
        set_up(settings())
        for name in ("broker_url", "seal_public_key"):
            settings().need(name)
        demand_descriptors(connections_of(settings().center_max_calls), "ROOST_CENTER_MAX_CALLS")
        asyncio.run(serve(settings()))
    except (SettingMissing, TooFewDescriptors) as error:
        refuse_to_start("center", error)
        return 2
    except OSError as error:
        place = f"{settings().center_host}:{settings().center_port}"
        why = why_not_listening(error)
        refuse_to_start("center", f"cannot listen at {place}: {why} (ROOST_CENTER_HOST, ROOST_CENTER_PORT)")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
