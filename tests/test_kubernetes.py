"""The manifests for Kubernetes: its own definitions take them, and they fit to each other, to the compose file and to the settings."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from roost.settings import Settings
from tasks.topology import fixed_queues
from workers.processes import PROCESSES

TOP = Path(__file__).parent.parent
FOLDER = TOP / "kubernetes"
SCHEMAS = [
    json.loads((TOP / "tests" / "kubernetes" / name).read_text())
    for name in ("definitions.json", "keda.json")
]
FILES = [FOLDER / name for name in yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]]
OBJECTS: list[dict[str, Any]] = [
    each
    for file in (*FILES, FOLDER / "keda" / "scaling.yaml")
    for each in yaml.safe_load_all(file.read_text())
]


def named(each: dict[str, Any]) -> str:
    return f"{each['kind']}-{each['metadata']['name']}"


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in OBJECTS if each["kind"] == kind}


@pytest.mark.parametrize("each", OBJECTS, ids=named)
def test_kubernetes_and_keda_take_what_is_written(each: dict[str, Any]) -> None:
    (schema,) = [schema for schema in SCHEMAS if each["kind"] in schema["roots"]]
    root = {"$ref": f"#/$defs/{schema['roots'][each['kind']]}", "$defs": schema["$defs"]}
    assert [
        f"{error.json_path}: {error.message}" for error in Draft202012Validator(root).iter_errors(each)
    ] == []


def test_what_kubernetes_would_not_take_is_noticed() -> None:
    (schema, _) = SCHEMAS
    wrong = json.loads(json.dumps(of_kind("Deployment")["roost-bind"]))
    wrong["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    root = {"$ref": f"#/$defs/{schema['roots']['Deployment']}", "$defs": schema["$defs"]}
    assert not Draft202012Validator(root).is_valid(wrong)


def test_each_process_has_a_deployment_that_starts_it_and_finds_its_pods() -> None:
    assert of_kind("Deployment").keys() == {f"roost-{kind}" for kind in PROCESSES}
    for kind in PROCESSES:
        spec = of_kind("Deployment")[f"roost-{kind}"]["spec"]
        assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
        (container,) = spec["template"]["spec"]["containers"]
        assert container["command"][:3] == ["python", "-m", f"workers.{kind}"]
        assert {"secretRef": {"name": f"roost-{kind}"}} in container["envFrom"]
    for budget in of_kind("PodDisruptionBudget").values():
        labels = of_kind("Deployment")[budget["metadata"]["name"]]["spec"]["selector"]["matchLabels"]
        assert budget["spec"]["selector"]["matchLabels"] == labels
    for service in of_kind("Service").values():
        deployment = of_kind("Deployment")[service["metadata"]["name"]]["spec"]
        assert service["spec"]["selector"] == deployment["selector"]["matchLabels"]
        ports = {port["name"] for port in deployment["template"]["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_what_grows_by_its_queue_has_no_number_of_its_own() -> None:
    for name, scaled in of_kind("ScaledObject").items():
        assert "replicas" not in of_kind("Deployment")[scaled["spec"]["scaleTargetRef"]["name"]]["spec"]
        assert scaled["spec"]["triggers"][0]["metadata"]["queueName"] in {
            queue.name for queue in fixed_queues()
        }
        assert name == scaled["spec"]["scaleTargetRef"]["name"]


def test_settings_exist_and_each_secret_has_what_its_process_needs() -> None:
    settings = of_kind("ConfigMap")["roost-settings"]["data"]
    Settings.model_validate({name.removeprefix("ROOST_").lower(): value for name, value in settings.items()})
    assert {name.removeprefix("ROOST_").lower() for name in settings} <= Settings.model_fields.keys()
    compose = yaml.safe_load((TOP / "docker-compose.yml").read_text())["services"]
    page = (TOP / "docs" / "kubernetes.md").read_text()
    for kind in PROCESSES:
        (row,) = re.findall(rf"^\| `roost-{kind}` \|(.*)\|$", page, re.MULTILINE)
        told = set(re.findall(r"ROOST_\w+", row))
        secret = {
            name for name in compose[kind]["environment"]
            if re.search(r"_URL$|_KEY$|_PEPPER$", name) and name != "ROOST_WEB_URL"
        }  # fmt: skip
        assert told == secret, kind
