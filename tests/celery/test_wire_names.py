"""Names that travel between processes of two releases: none may change while both run."""

import tasks.periodic
import tasks.push
import tasks.requests  # noqa: F401 - importing them registers their tasks
from tasks.app import app
from tasks.topology import ANNOUNCE, BIND, PUSH, VERIFY, push_queue_name


def test_the_tasks_have_the_names_they_always_had() -> None:
    assert {name for name in app.tasks if name.startswith("roost.")} == {
        "roost.announce", "roost.clock", "roost.dial", "roost.end_stays", "roost.push", "roost.push_several", "roost.return",
        "roost.set_code", "roost.verify", "roost.virtualize",
    }  # fmt: skip


def test_the_queues_have_the_names_they_always_had() -> None:
    assert (ANNOUNCE, BIND, PUSH, VERIFY) == ("announce", "bind", "push", "verify")
    assert push_queue_name("n1") == "push.n1"
