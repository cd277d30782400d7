"""Takes the pictures of docs/screenshots anew: `python -m tests.web.take_screenshots`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import expect

from localcluster import ports
from localcluster.postgres import Postgres
from localcluster.product import Product
from localcluster.rabbitmq import RabbitCluster
from roost.schema import init_database
from tests.cluster import Cluster
from tests.web.all_pages import PAGES, furnish
from tests.web.browsing import WIDTHS, launch, visitor
from tests.web.office import Office

_FOLDER = Path(__file__).parent.parent.parent / "docs" / "screenshots"
#: Shown in the dark, too.
_ALSO_DARK = {"/organizations/0001", "/cluster", "/extensions/0001*001"}


def main() -> int:
    """Start everything, and visit every page at both widths."""
    with tempfile.TemporaryDirectory(prefix="roost-screenshots-") as name:
        folder = Path(name)
        with Postgres(folder / "postgres") as postgres, RabbitCluster(folder / "rabbitmq") as rabbitmq:
            postgres.create_database("roost")
            init_database(postgres.url("roost"))
            product = Product(
                folder / "roost", database_url=postgres.url("roost"), broker_url=rabbitmq.add_vhost(),
                counts={"web": 1}, simulated=("n1", "n2", "n3", "n4"),
            )  # fmt: skip
            with product, Cluster(product) as cluster, Office(cluster) as office:
                furnish(office)
                _take(office)
                _take_what_is_to_be_done(office)
    return 0


def _take(office: Office) -> None:
    _FOLDER.mkdir(parents=True, exist_ok=True)
    for browser in launch():
        for login, paths in PAGES.items():
            for dark in (False, True):
                with visitor(browser, office, login, dark=dark) as page:
                    for path in paths:
                        if dark and path not in _ALSO_DARK:
                            continue
                        for width in WIDTHS:
                            page.set_viewport_size({"width": width, "height": 900})
                            answer = page.goto(path)
                            assert answer is not None
                            assert answer.ok
                            expect(page.get_by_role("heading", level=1)).to_be_visible()
                            name = path.strip("/").replace("/", "-").replace("*", "-")
                            page.screenshot(
                                path=_FOLDER / f"{name}-{width}{'-dark' if dark else ''}.png", full_page=True
                            )


def _take_what_is_to_be_done(office: Office) -> None:
    """The cluster without its bind worker, and with a node that does not answer: wide, and on a telephone in the dark."""
    office.world.node("n5", port=ports.free_port())
    office.cluster.product.processes["bind1"].kill()
    for browser in launch():
        for width, dark in ((WIDTHS[1], False), (WIDTHS[0], True)):
            with visitor(browser, office, "root", dark=dark) as page:
                page.set_viewport_size({"width": width, "height": 900})
                page.goto("/cluster")
                expect(page.locator("#cluster-advice")).to_contain_text(
                    "Start a bind worker.", timeout=20_000
                )
                expect(page.locator("#cluster-processes")).to_contain_text("None runs", timeout=20_000)
                expect(page.locator("#node-n5")).to_contain_text("does not answer", timeout=20_000)
                page.screenshot(
                    path=_FOLDER / f"cluster-to-do-{width}{'-dark' if dark else ''}.png", full_page=True
                )


if __name__ == "__main__":
    sys.exit(main())
