"""A route that only reads one row: the least that a page of FastAPI, uvicorn, psycopg and PostgreSQL can cost.

The server has the page's own settings, and the pool is Roost's. The row is a session's person, by its key.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
import uvicorn
from fastapi import FastAPI

from roost.database import Database
from roost.settings import settings
from workers.logs import set_up
from workers.web.app import POOL
from workers.web.server import server_config

_ROW = "SELECT id, login, name, role, created_at FROM person WHERE id = %(id)s"


def bare_app(url: str) -> FastAPI:
    """One route, one statement."""
    database = Database(url, size=POOL, name="bare-web")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        database.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/people/{number}")
    def read_person(number: int) -> dict[str, object]:
        with database.connection() as connection:
            row = connection.execute(_ROW, {"id": number}).fetchone()
        assert row is not None  # it was added before
        return dict(zip(("id", "login", "name", "role", "created_at"), row, strict=True))

    return app


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]  # as the page's own
        await super().startup(sockets)  # type: ignore[arg-type]  # passed on as they come
        structlog.get_logger(__name__).info("bare_web ready.")


def main() -> int:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    chosen = settings().model_copy(update={"web_port": parser.parse_args().port})
    set_up(chosen)
    _Server(server_config(bare_app(chosen.need("database_url")), chosen)).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
