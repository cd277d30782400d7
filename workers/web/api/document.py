"""The OpenAPI 3.1 document: every operation says which problems it may answer with."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from workers.web.problems import MEDIA_TYPE, Problem

_PROBLEMS = {
    "400": "The body cannot be read.",
    "401": "The token is missing, unknown or expired.",
    "403": "The token's scope does not hold this.",
    "404": "There is no such thing.",
    "408": "The body did not arrive in time.",
    "409": "It was refused, or clashes with what is there.",
    "413": "The body is too large.",
    "422": "The input is not valid.",
    "503": "PostgreSQL, RabbitMQ or the workers do not answer now; send the same again.",
}
#: What needs no token.
_OPEN = {"/healthz", "/readyz"}


def write_document(app: FastAPI) -> dict[str, Any]:
    """Make the document; kept by the app after the first time."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title="Roost", version="1", openapi_version="3.1.0", routes=app.routes,
        description="Extension virtualization for PBX clusters: who rings where, and moving it. "
        "Errors are RFC 9457 problem details with stable codes.",
    )  # fmt: skip
    document["components"]["schemas"]["Problem"] = Problem.model_json_schema(
        ref_template="#/components/schemas/{model}"
    )
    definitions = document["components"]["schemas"]["Problem"].pop("$defs", {})
    document["components"]["schemas"] |= definitions
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _add_problems(operation, needs_token=path not in _OPEN)
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    app.openapi_schema = document
    return document


def _add_problems(operation: dict[str, Any], *, needs_token: bool) -> None:
    for status, description in _PROBLEMS.items():
        if not needs_token and status != "503":
            operation["responses"].pop(status, None) if status == "422" else None
            continue
        if status == "503" and status in operation["responses"]:
            continue
        operation["responses"][status] = {
            "description": description,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
