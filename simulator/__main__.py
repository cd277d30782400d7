"""`python -m simulator --secret-file FILE --node NAME:PORT …`: the process.

Prints `NAME ready on HOST:PORT` for each node, then serves until SIGTERM or SIGINT.
The secret comes from a file, never from an argument: arguments are for all to see.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from simulator.server import Node
from simulator.store import Store


def node_argument(text: str) -> tuple[str, int]:
    """Read `NAME:PORT`."""
    match = re.fullmatch(r"([A-Za-z0-9._-]{1,64}):([0-9]{1,5})", text)
    if match is None or int(match[2]) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME:PORT")
    return match[1], int(match[2])


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="simulator", description="PBX nodes that speak AMI as Asterisk does."
    )
    parser.add_argument("--node", action="append", type=node_argument, required=True, metavar="NAME:PORT")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--username", default="roost", help="the AMI user (default: %(default)s)")
    parser.add_argument(
        "--secret-file", type=Path, required=True, help="file that holds the AMI user's secret"
    )
    parser.add_argument(
        "--data", type=Path, help="folder to keep each node's database in; without it, in memory"
    )
    parser.add_argument("--faults", action="store_true", help="obey the action SimFault, from anybody")
    return parser.parse_args(argv)


async def run(options: argparse.Namespace, secret: SecretStr) -> None:
    """Serve every node until a signal comes."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    nodes: list[Node] = []
    servers: list[asyncio.Server] = []
    for name, port in options.node:
        store = Store(options.data / f"{name}.sqlite" if options.data else None)
        node = Node(name, store, options.username, secret, faults=options.faults)
        server = await node.listen(options.host, port)
        nodes.append(node)
        servers.append(server)
        print(f"{name} ready on {options.host}:{server.sockets[0].getsockname()[1]}", flush=True)
    await ended.wait()
    for server in servers:
        server.close()
    for node in nodes:
        # Asterisk commits when it is asked to end; only a crash loses the last second.
        node.store.commit()


def main(argv: Sequence[str] | None = None) -> int:
    """The process; its exit code."""
    options = arguments(argv)
    try:
        secret = SecretStr(options.secret_file.read_text().strip())
        if options.data:
            options.data.mkdir(parents=True, exist_ok=True)
        asyncio.run(run(options, secret))
    except OSError as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
