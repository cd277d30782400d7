"""The whole OpenAPI document, fuzzed. In a cluster of its own, of which little is left afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from localcluster.postgres import Postgres
from localcluster.rabbitmq import RabbitCluster
from tests.cluster import running
from tests.web.office import PLAIN, Office

#: Checks of schemathesis: no server error, and no answer that the document does not describe.
_CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.fixture
def fuzzed(postgres: Postgres, rabbitmq: RabbitCluster, tmp_path: Path) -> Iterator[Office]:
    """An office whose event streams end soon, so that a fuzzer goes on."""
    more = {"ROOST_WEB_STREAM_LIFETIME": "0.2", "ROOST_ANSWER_DEADLINE": "15"}
    with (
        running(postgres, rabbitmq, tmp_path, {"web": 1}, more=more) as cluster,
        Office(cluster) as office,
    ):
        yield office


@pytest.mark.timeout(580)
def test_the_whole_document_without_a_server_error_or_an_answer_outside_it(fuzzed: Office) -> None:
    # The fuzzer may end tokens by their number: not its own.
    fuzzed.world.sql("ALTER TABLE token ALTER COLUMN id RESTART WITH 987654321987")
    document = f"{fuzzed.address}/api/v1/openapi.json"
    assert httpx.get(document, timeout=20, verify=PLAIN).json()["openapi"] == "3.1.0"
    run = subprocess.run(
        [
            sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run", document,
            "--header", f"Authorization: Bearer {fuzzed.token()}", "--checks", _CHECKS, "--max-examples", "8",
            "--phases", "examples,coverage,fuzzing", "--request-timeout", "30", "--seed", "1", "--no-color",
            "--suppress-health-check", "all",
        ],
        env=os.environ | {"NO_PROXY": "*"},  # or it looks for proxies at each request
        capture_output=True, text=True, timeout=560,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-1000:]
