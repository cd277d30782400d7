"""Operators see which processes run, by name: who dies vanishes, who starts appears, a frozen broker hangs no page."""

from __future__ import annotations

import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any

import httpx
import pytest
from kombu import Connection, Exchange, Queue
from playwright.sync_api import Browser, expect

from localcluster.rabbitmq import RabbitCluster
from roost.diagnosis.queues import MANY
from roost.moves.doors import Door
from roost.people.access import Right
from tasks.broker import connect
from tasks.doors import exchange_of
from tasks.messages import publish_job
from tasks.processes import GONE_AFTER, KINDS, Processes
from tasks.together import MOST
from tasks.topology import BIND
from tests.cluster import wait_until
from tests.web.browsing import PATIENCE, visitor
from tests.web.office import PLAIN, Office, items

ADD = "Add a <code>bind</code> worker."


def running(office: Office) -> set[tuple[str, int]]:
    """What the API tells of this machine."""
    answer = office.api(Right.READ).get("/processes")
    if answer.status_code == 503:
        return set()
    host = socket.gethostname()
    return {(each["kind"], each["process_id"]) for each in items(answer) if each["host"] == host}


def started(office: Office) -> set[tuple[str, int]]:
    """What was started here."""
    processes = {(kind, process) for kind in KINDS for process in office.cluster.product.of_kind(kind)}
    return {(kind, process.pid) for kind, process in processes if process.running}


def test_the_api_tells_every_process_and_only_those_that_run(office: Office) -> None:
    wait_until(lambda: running(office) == started(office), "every process is told", 30)
    assert {kind for kind, _ in running(office)} == set(KINDS)
    center = office.cluster.product.processes["center1"]
    verify = office.cluster.product.processes["verify1"]
    center.kill()
    verify.kill()
    wait_until(lambda: running(office) == started(office), "the dead are told no more", GONE_AFTER + 15)
    assert {kind for kind, _ in running(office)} == set(KINDS) - {"center", "verify"}
    center.start()
    verify.start()
    wait_until(lambda: running(office) == started(office), "the new ones are told", 30)


def test_processes_are_listed_in_parts(office: Office) -> None:
    wait_until(lambda: running(office) == started(office), "every process is told", 30)
    api = office.api(Right.READ)
    first = api.get("/processes", params={"limit": 4}).json()
    second = api.get("/processes", params={"limit": 4, "cursor": first["next"]}).json()
    assert len(first["items"]) == 4
    assert sorted(each["kind"] for each in first["items"] + second["items"]) == sorted(KINDS)
    assert second["next"] is None


def test_a_broadcast_that_is_no_question_silences_nobody(office: Office) -> None:
    wait_until(lambda: running(office) == started(office), "every process is told", 30)
    with Connection(office.cluster.product.settings.need("broker_url")) as connection:
        producer = connection.Producer()
        for body in (
            [1],
            "ping",
            {"method": ["ping"]},
            {"method": "ping", "arguments": 5},
            {"method": "ping", "more": 1},
            *([1] for _ in range(30)),
        ):
            producer.publish(body, exchange="celery.pidbox", serializer="json")
        for packed in ("none that there is", "gzip"):
            headers = {"compression": packed}
            producer.publish({"method": "ping"}, exchange="celery.pidbox", serializer="json", headers=headers)
    # Somebody who asks for the first time knows only who answers now, after these messages.
    with closing(Processes(office.cluster.product.settings)) as asker:
        wait_until(
            lambda: {(each.kind, each.process_id) for each in asker.look() or ()} == started(office),
            "all are told again",
            30,
        )
    # Nor does one close its channel, at which an answer that it waits for may be lost.
    product = office.cluster.product
    assert not [
        name for name, process in product.processes.items() if process.wrote("during closing channel")
    ]


def test_who_asks_again_after_a_while_waits_for_new_answers(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the last time are too old by then, though the end of that question is not."""
    monkeypatch.setattr("tasks.processes.GONE_AFTER", 3.0)
    monkeypatch.setattr("tasks.processes.SILENCE", 2.5)
    monkeypatch.setattr("tasks.processes.WANTED_FOR", 1.0)
    with closing(Processes(office.cluster.product.settings)) as asker:
        assert asker.look(patience=30)
        told = time.monotonic()
        wait_until(
            lambda: time.monotonic() - told > 1,
            "the answers are older than 3 s, the end of the question is not",
        )
        assert asker.look(patience=30)


def test_an_answer_that_is_none_is_left_alone(office: Office) -> None:
    """Whoever hears the question may answer it: with a list, a name that is none, or what cannot be unpacked."""
    settings = office.cluster.product.settings
    with Connection(settings.need("broker_url")) as connection, closing(Processes(settings)) as asker:
        questions = Queue(
            "web-liar.celery.pidbox", Exchange("celery.pidbox", "fanout", passive=True), exclusive=True
        )
        producer = connection.Producer()
        lies: list[tuple[object, dict[str, str]]] = [
            ([1], {}), ("x", {}), ({"<img src=x>": {}, "web-1@\n": {}}, {}), ({}, {"compression": "gzip"}), ({}, {"compression": "none that there is"})
        ]  # fmt: skip

        def lie(body: dict[str, Any], _message: object) -> None:
            said, headers = lies.pop() if lies else ({}, {})
            to = body["reply_to"]
            producer.publish(
                said,
                exchange=to["exchange"],
                routing_key=to["routing_key"],
                serializer="json",
                headers=headers,
            )

        with connection.Consumer([questions], callbacks=[lie], no_ack=True):
            ends = time.monotonic() + 30
            while lies and time.monotonic() < ends:
                asker.look()
                with suppress(TimeoutError):
                    connection.drain_events(timeout=1)
            assert lies == []
        wait_until(
            lambda: {(each.kind, each.process_id) for each in asker.look() or ()} >= started(office),
            "all are told",
            30,
        )


def test_only_who_sees_the_cluster_is_told(office: Office) -> None:
    assert office.api(Right.ADMINISTER, "0001").get("/processes").status_code == 403


def test_the_page_shows_them_and_moves_by_itself(office: Office, chromium: Browser) -> None:
    bind = office.cluster.product.processes["bind1"]
    with visitor(chromium, office, "root", width=360) as page:
        page.goto("/cluster")
        shown = page.locator("#cluster-processes")
        expect(shown).to_contain_text(f"process {bind.pid}", timeout=PATIENCE)
        bind.kill()
        try:
            expect(shown.get_by_role("row").filter(has_text="bind: moves extensions")).to_contain_text(
                "None runs", timeout=PATIENCE
            )
            expect(page.locator("#cluster-advice")).to_contain_text("Start a bind worker.", timeout=PATIENCE)
        finally:
            bind.start()
        expect(shown).to_contain_text(f"process {bind.pid}", timeout=PATIENCE)
        expect(page.locator("#cluster-advice")).not_to_contain_text("bind", timeout=PATIENCE)


def test_the_page_says_add_a_bind_worker_of_the_figure_that_the_alert_is_of(office: Office) -> None:
    browser, api = office.browser("root"), office.api(Right.READ)
    bind = office.cluster.product.processes["bind1"]
    bind.pause()
    try:
        with connect(office.cluster.product.broker_url) as connection:
            producer = connection.Producer(auto_declare=False)
            for number in range(MANY + 1 + 4 * MOST):  # what it takes ahead does not wait
                publish_job(producer, "roost.clock", f"clock:{number}", BIND, exchange=exchange_of(Door.DESK))
        wait_until(lambda: ADD in browser.get("/cluster").text, "the page says it", 30)
        figures = api.get(f"{office.address}/metrics").text
    finally:
        bind.resume()
    (waiting,) = re.findall(r'^roost_queue_messages\{queue="bind"} (\S+)$', figures, re.MULTILINE)
    assert float(waiting) > MANY
    wait_until(lambda: ADD not in browser.get("/cluster").text, "they are done", 30)


@pytest.mark.timeout(240)
def test_a_frozen_broker_keeps_no_page_waiting(office: Office, rabbitmq: RabbitCluster) -> None:
    browser = office.browser("root")
    wait_until(lambda: "bind: moves extensions" in browser.get("/cluster").text, "processes are shown", 30)
    rabbitmq.pause()
    try:

        def is_said() -> bool:
            began = time.monotonic()
            shown = browser.get("/cluster")
            assert shown.status_code == 200
            assert time.monotonic() - began < 10
            return "no process has answered" in shown.text and "RabbitMQ cannot be used" in shown.text

        wait_until(is_said, "the page says that it does not know", 60)
    finally:
        rabbitmq.resume()
    wait_until(
        lambda: "bind: moves extensions" in browser.get("/cluster").text, "processes are shown again", 60
    )


#: More than a process has threads.
_ASKERS = 60


@pytest.mark.timeout(240)
def test_who_asks_whether_a_frozen_broker_answers_keeps_nobody_waiting(
    office: Office, rabbitmq: RabbitCluster
) -> None:
    """Anybody may ask, and pages that wait for it to come back do."""
    browser = office.browser("admin0001")
    with ThreadPoolExecutor(_ASKERS) as askers:
        rabbitmq.pause()
        try:
            asked = [
                askers.submit(httpx.get, f"{office.address}/readyz", verify=PLAIN, timeout=60)
                for _ in range(_ASKERS)
            ]
            for _ in range(20):
                began = time.monotonic()
                assert browser.get("/organizations/0001").status_code == 200
                assert time.monotonic() - began < 5
            answers = {each.result().status_code for each in asked}
        finally:
            rabbitmq.resume()
    assert 503 in answers
    wait_until(
        lambda: httpx.get(f"{office.address}/readyz", verify=PLAIN).status_code == 200, "it answers again", 60
    )
