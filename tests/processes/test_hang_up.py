"""A process whose terminal is closed (SIGHUP) ends as it does when it is told to, and does not come back by itself."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from localcluster.postgres import Postgres
from localcluster.rabbitmq import RabbitCluster
from tests.cluster import own_product


def test_each_process_ends_well_when_its_terminal_is_closed(
    postgres: Postgres, rabbitmq: RabbitCluster, tmp_path: Path
) -> None:
    with own_product(postgres, rabbitmq, tmp_path, counts={"web": 1}) as product, product:
        processes = list(product.processes.values())
        for process in processes:
            process.stop_signal = signal.SIGHUP
        with ThreadPoolExecutor(len(processes)) as pool:
            ended = list(pool.map(lambda process: (process.name, process.stop()), processes))
        assert ended == [(process.name, 0) for process in processes]
