"""The benchmarks run, and say what they are asked for. What they measure here means nothing: it is over in moments."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.targets import TARGETS, Target
from localcluster.postgres import Postgres
from localcluster.rabbitmq import RabbitCluster


@dataclass
class Run:
    """What a run printed, wrote, and left in its folder."""

    printed: str
    figures: dict[str, Any]
    left: list[Path]


@pytest.fixture(scope="module")
def run(postgres: Postgres, rabbitmq: RabbitCluster, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Three scenarios, one after the other: what they are measured on takes longer to start than they take."""
    folder = tmp_path_factory.mktemp("benchmarks")
    folder.chmod(0o755)
    output = folder / "figures.json"
    arguments = ["--effort", "tiny", "--json", str(output), "--folder", str(folder / "data")]
    arguments += ["--runs", "2", "--seconds", "0.2"]  # a second run finds the world as the first one left it
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        code = main([*arguments, "--only", "catch_up", "requests", "pages"], (postgres, rabbitmq))
    assert code == 0, printed.getvalue()
    return Run(printed.getvalue(), json.loads(output.read_text()), list((folder / "data").iterdir()))


@pytest.mark.timeout(300)
def test_scenarios_run_and_their_json_has_the_keys(run: Run) -> None:
    found = run.figures
    assert found["failed"] == {}
    assert found["catch_up"] == 1000
    assert found["targets"]["catch_up"].items() >= {"relation": "=", "limit": 1000, "met": True}.items()
    assert found["bind_vs_noop"] > 0
    assert min(found["bind_burst"], found["bind_vs_database"], found["cpu_per_bind"]) > 0
    assert found["verify_vs_argon2"] > 0
    assert set(found["latency_vs_noop"]) == {"p50", "p99"}
    assert {figure["scenario"] for figure in found["figures"]} == {"catch_up", "requests", "pages"}
    assert "bind_vs_noop" in run.printed
    assert run.left == []


@pytest.mark.timeout(300)
def test_pages_are_read_beside_a_bare_route(run: Run) -> None:
    assert run.figures["page_reads_vs_bare"] > 0
    assert run.figures["api_reads_vs_bare"] > 0


def test_what_needs_root_says_so_and_is_no_failure(
    postgres: Postgres, rabbitmq: RabbitCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("PATH", "")  # root alone would not do either
    assert main(["--effort", "tiny", "--folder", str(tmp_path), "--only", "apart"], (postgres, rabbitmq)) == 0
    assert "apart: left out: it needs root" in capsys.readouterr().out


@pytest.mark.parametrize(("relation", "value"), [("≥", 0.6), ("≥", 0.7), ("≤", 0.6), ("≤", 0.5), ("=", 0.6)])
def test_a_target_is_met(relation: str, value: float) -> None:
    assert Target("", relation, 0.6).met(value)


@pytest.mark.parametrize(("relation", "value"), [("≥", 0.59), ("≤", 0.61), ("=", 0.59), ("=", 0.61)])
def test_a_target_is_not_met(relation: str, value: float) -> None:
    assert not Target("", relation, 0.6).met(value)


def test_every_key_of_the_suite_has_a_target() -> None:
    groups = {key.partition(".")[0] for key in TARGETS}
    assert groups >= {
        "bind_vs_noop", "bind_burst", "bind_vs_database", "cpu_per_bind", "converge_16", "bind_64_vs_2", "verify_vs_argon2", "latency_vs_noop", "converge_vs_noop", "messages_per_bind",
        "resync_vs_dbput", "bind_1m_vs_1k", "catch_up", "center_calls", "rss", "vs_naive", "vs_procrastinate", "api_reads_vs_bare",
        "page_reads_vs_bare",
    }  # fmt: skip
