"""The files of this checkout from which an operator starts, as tests read them."""

from __future__ import annotations

from pathlib import Path

from roost.grants import ROLES
from roost.settings import Settings

TOP = Path(__file__).parent.parent
#: Every setting, by its variable.
VARIABLES = {f"ROOST_{name.upper()}": field for name, field in Settings.model_fields.items()}
#: The variables that hold a secret.
SECRETS = {
    "ROOST_DATABASE_URL", "ROOST_BROKER_URL", "ROOST_SEAL_PRIVATE_KEY", "ROOST_CODE_PEPPER", "POSTGRES_PASSWORD",
    "RABBITMQ_PASSWORD", *(f"POSTGRES_{kind.upper()}_PASSWORD" for kind in ROLES),
}  # fmt: skip
COMPOSE_FILES = ("docker-compose.yml", "docker-compose.cluster.yml")


def read(name: str) -> str:
    """The text of a file of the checkout."""
    return (TOP / name).read_text(encoding="utf-8")


def modules_of_procfile() -> dict[str, str]:
    """The module that each line of the Procfile starts, by its name."""
    lines = [line.partition(": python -m ") for line in read("Procfile").splitlines()]
    return {name: module for name, _, module in lines}
