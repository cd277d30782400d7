"""The alerts, the dashboard and their pages: Prometheus' own tool takes them, and they speak of metrics that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from localcluster.prometheus import promtool
from roost.diagnosis.queues import MANY
from roost.nodes.status import FAR_BEHIND

FOLDER = Path(__file__).parent.parent / "monitoring"
DOCS = Path(__file__).parent.parent / "docs"
RULES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
_METRIC = re.compile(r"\broost_[a-z_]+")


def test_prometheus_takes_the_rules_and_they_fire_when_they_should() -> None:
    for arguments in (
        ("check", "config", str(FOLDER / "prometheus.yml")),
        ("check", "rules", str(FOLDER / "alerts.yml")),
        ("test", "rules", str(FOLDER / "alerts_test.yml")),
    ):
        done = promtool(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_what_the_dashboard_asks(tmp_path: Path) -> None:
    rules = [{"record": f"asked:{place}", "expr": asked} for place, asked in enumerate(EXPRESSIONS)]
    (tmp_path / "asked.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = promtool("check", "rules", str(tmp_path / "asked.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_that_is_asked_for_has_a_line_in_the_page() -> None:
    asked = {
        name for text in (*EXPRESSIONS, *(rule["expr"] for rule in RULES)) for name in _METRIC.findall(text)
    }
    told = set(_METRIC.findall((DOCS / "monitoring.md").read_text()))
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked} <= told


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_says_what_is_the_matter_and_where_it_stands_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["annotations"]["summary"]
    assert f"## {rule['alert']}\n" in (DOCS / "alerts.md").read_text()
    assert rule["annotations"]["runbook"] == f"docs/alerts.md#{rule['alert'].lower()}"


def test_the_doctor_and_the_page_call_many_and_late_what_the_alerts_do() -> None:
    asked = {rule["alert"]: rule["expr"] for rule in RULES}
    assert asked["RoostQueueGrows"].endswith(f"> {MANY}")
    assert f"(roost_node_lag_seconds) > {FAR_BEHIND:.0f} " in asked["RoostNodeLags"]


def test_the_page_of_alerts_has_none_that_is_not_there() -> None:
    told = re.findall(r"^## (.*)$", (DOCS / "alerts.md").read_text(), re.MULTILINE)
    assert sorted(told) == sorted(rule["alert"] for rule in RULES)
