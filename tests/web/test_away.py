"""PostgreSQL or RabbitMQ away: the page and the API say so, and come back by themselves."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from localcluster.postgres import Postgres
from localcluster.rabbitmq import RabbitCluster
from roost.errors import DatabaseUnavailable
from tests.cluster import wait_until
from tests.web.browsing import visitor
from tests.web.office import Office


@pytest.mark.timeout(240)
def test_postgresql_away(office: Office, postgres: Postgres, chromium: Browser) -> None:
    api, browser = office.api(), office.browser("admin0001")
    with visitor(chromium, office, "admin0001") as page:
        expect(page.locator("#live-state")).to_have_text("Live")
        postgres.stop()
        try:
            shown = browser.get("/organizations/0001")
            assert shown.status_code == 503
            assert "The database does not answer" in shown.text
            answer = api.get("/extensions")
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
            assert answer.headers["retry-after"] == "2"
            ready = api.get(f"{office.address}/readyz")
            assert (ready.status_code, ready.json()["postgresql"]["ok"]) == (503, False)
            assert "not reachable now. `roost doctor` says more" in ready.json()["postgresql"]["says"]
            assert api.get(f"{office.address}/healthz").status_code == 200
            expect(page.locator("#live-state")).to_contain_text("Not live", timeout=30_000)
            # As when the stream comes back and says that the page is an old one: the answer is a page of an error.
            with page.expect_response(
                lambda answer: answer.status == 503 and "/organizations/" in answer.url
            ):
                page.evaluate("htmx.trigger('[hx-trigger=\"sse:reload\"]', 'sse:reload')")
            page.wait_for_load_state("networkidle")
            expect(page.locator("#desk-001")).to_be_visible()
        finally:
            postgres.start()
        wait_until(lambda: browser.get("/organizations/0001").status_code == 200, "the page is back", 30)
        wait_until(lambda: api.get("/extensions").status_code == 200, "the API is back", 30)
        expect(page.locator("#live-state")).to_have_text("Live", timeout=40_000)

        def moves() -> bool:
            return api.post("/extensions/0001*001/virtualize", json={"phone": "desk002"}).status_code == 200

        wait_until(moves, "extensions move again", 40)
        expect(page.locator("#desk-002")).to_contain_text("sits here", timeout=30_000)
    wait_until(lambda: reached(office), "this test's own pool is back", 30)


def reached(office: Office) -> bool:
    try:
        office.world.now()
    except DatabaseUnavailable:
        return False
    return True


@pytest.mark.timeout(240)
def test_rabbitmq_away(office: Office, rabbitmq: RabbitCluster, chromium: Browser) -> None:
    api, browser = office.api(), office.browser("owner0001-001")
    office.world.sit("001", "desk002")
    with visitor(chromium, office, "root") as page:
        rabbitmq.stop()
        try:
            for part in ("#cluster-advice", "#cluster-queues"):
                expect(page.locator(part)).to_contain_text("RabbitMQ cannot be used", timeout=40_000)
                expect(page.locator(part)).to_contain_text("Start RabbitMQ")
            answer = api.post("/extensions/0001*001/return")
            assert (answer.status_code, answer.json()["code"]) == (503, "broker_unavailable")
            assert api.get("/extensions/0001*001").status_code == 200
            shown = browser.post("/extensions/0001*001/return")
            assert shown.status_code == 503
            assert "The workers do not answer" in shown.text
            ready = api.get(f"{office.address}/readyz")
            assert (ready.status_code, ready.json()["rabbitmq"]["ok"]) == (503, False)
            assert "Start RabbitMQ" in ready.json()["rabbitmq"]["says"]
        finally:
            rabbitmq.start()

        def returns() -> bool:
            return browser.post("/extensions/0001*001/return").status_code == 200

        wait_until(returns, "people come home again", 60)
        expect(page.locator("#cluster-queues")).to_contain_text("push to n1", timeout=40_000)
    assert office.world.guests() == {}
