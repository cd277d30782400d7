"""The services that demo and tests start: they come up, they die with us, and they keep to themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import psycopg
import pytest
from kombu.connection import Connection

from localcluster import ports
from localcluster.postgres import Postgres
from localcluster.process import ServiceFailed, SupervisedProcess, wait_until
from localcluster.rabbitmq import RabbitCluster
from localcluster.warm_python import TOP
from tests.warm import run_module


def _exists(pid: int) -> bool:
    """Whether the process lives; one that ended and was not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_process_that_ends_while_starting_shows_its_last_words(tmp_path: Path) -> None:
    process = SupervisedProcess(
        "grumpy", ["sh", "-c", "echo no flour left; exit 3"], log=tmp_path / "log", ready=lambda: False
    )
    with pytest.raises(ServiceFailed, match="grumpy ended while starting") as failure:
        process.start()
    assert "no flour left" in str(failure.value)


def test_a_process_that_is_never_ready_is_ended(tmp_path: Path) -> None:
    process = SupervisedProcess(
        "slow", ["sleep", "60"], log=tmp_path / "log", ready=lambda: False, start_deadline=0.1
    )
    with pytest.raises(ServiceFailed, match=r"not ready within 0\.1 s"):
        process.start()
    assert not process.running


def test_a_forked_module_has_its_own_folder_environment_input_and_end(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import os, sys\n"
        "print(sys.argv[1:], os.environ['MINE'], os.getcwd(), os.getsid(0) == os.getpid(), input())\n"
        "sys.exit('not today')\n"
    )
    ended = run_module(["mine", "1", "2"], {"MINE": "x"}, tmp_path, stdin="told\n")
    assert ended.stdout == f"['1', '2'] x {tmp_path} True told\n"
    assert ended.stderr == "not today\n"
    assert ended.returncode == 1
    assert run_module(["json.tool"], {}, tmp_path, stdin="{}").returncode == 0, (
        "the one after it starts as well"
    )


def test_a_forked_module_is_killed_and_collected_as_any_process(tmp_path: Path) -> None:
    port = ports.free_port()
    process = SupervisedProcess(
        "forked",
        [sys.executable, "-m", "http.server", str(port), "--bind", ports.LOOPBACK],
        log=tmp_path / "log",
        environment={"PYTHONPATH": str(TOP)},
        folder=tmp_path,
    )
    process.ready = lambda: process.wrote("Serving HTTP")
    process.start()
    pid = process.pid
    assert Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[2] == b"localcluster.warm_python"
    assert process.kill() == -signal.SIGKILL
    assert not Path(f"/proc/{pid}").exists()


def test_stop_ends_the_children_too_even_when_asked_nicely_in_vain(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 60 & echo $! > child; while :; do sleep 60; done"
    child = tmp_path / "child"
    process = SupervisedProcess(
        "stubborn",
        ["sh", "-c", script],
        log=tmp_path / "log",
        folder=tmp_path,
        ready=lambda: child.exists() and child.read_text().endswith("\n"),
        stop_deadline=0.2,
    )
    process.start()
    assert process.stop() == -signal.SIGKILL
    wait_until(lambda: not _exists(int(child.read_text())), 5, "the child ended")


def test_a_paused_process_can_be_stopped(tmp_path: Path) -> None:
    process = SupervisedProcess("frozen", ["sleep", "60"], log=tmp_path / "log")
    process.start()
    process.pause()
    assert process.stop() == -signal.SIGTERM


def test_a_process_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    process = SupervisedProcess("child", ["sleep", "60"], log=tmp_path / "log")
    thread = threading.Thread(target=process.start)
    thread.start()
    thread.join(10)
    assert process.running
    process.stop()


def test_what_a_killed_process_started_dies_with_it(tmp_path: Path) -> None:
    """Given a program that starts a process and a grandchild, when it is killed, then both end."""
    program = """
        import sys, time
        from pathlib import Path
        from localcluster.process import SupervisedProcess
        folder = Path(sys.argv[1])
        pids = folder / "pids"
        process = SupervisedProcess("family", ["sh", "-c", "sleep 60 & echo $$ $! > pids; wait"],
                                    log=folder / "log", folder=folder,
                                    ready=lambda: pids.exists() and pids.read_text().endswith("\\n"))
        process.start()
        print("started", flush=True)
        time.sleep(60)
    """
    root = Path(__file__).resolve().parents[1]
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)], stdout=subprocess.PIPE, cwd=root
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"started\n"
        family = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        assert all(_exists(pid) for pid in family)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait(10)
    wait_until(lambda: not any(_exists(pid) for pid in family), 5, "the family ended")


def test_ports_are_not_given_twice() -> None:
    given = [ports.free_port() for _ in range(50)]
    assert len(set(given)) == 50


def test_no_other_process_is_given_a_port_near_one_of_ours() -> None:
    """Which is free until the service takes it for which it was found."""
    ours = {ports.free_port() // 500 for _ in range(20)}
    program = "from localcluster import ports; print(*(ports.free_port() for _ in range(20)))"
    for _ in range(10):
        told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
        assert not ours & {int(port) // 500 for port in told.stdout.split()}


def test_a_taken_port_is_not_free() -> None:
    port = ports.free_port()
    assert ports.is_free(port)
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import socket; s = socket.create_server(('127.0.0.1', {port})); print(flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert not ports.is_free(port)
        holder.terminate()


def test_postgres_keeps_what_was_committed_through_a_crash(tmp_path: Path) -> None:
    with Postgres(tmp_path / "pg") as server:
        url = server.create_database("shop")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE bread (name text)")
            connection.execute("INSERT INTO bread VALUES ('rye')")
        copy = server.create_database("shop2", template="shop")
        server.kill()
        server.start()
        for database in (url, copy):
            with psycopg.connect(database) as connection:
                assert connection.execute("SELECT name FROM bread").fetchall() == [("rye",)]
        server.drop_database("shop2")
        assert server.has_database("shop")
        assert not server.has_database("shop2")


def test_postgres_takes_no_other_password(tmp_path: Path) -> None:
    with Postgres(tmp_path / "pg") as server:
        wrong = server.url().replace("roost:", "roost:x")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)


def test_rabbitmq_hosts_are_apart_and_survive_a_crash(tmp_path: Path) -> None:
    """Given a durable queue in one virtual host, after a crash it is there, and not in another host."""

    def declare(url: str, *, passive: bool) -> None:
        # kombu ships no types
        with Connection(url, connect_timeout=5) as connection:
            connection.channel().queue_declare("bread", durable=True, auto_delete=False, passive=passive)

    with RabbitCluster(tmp_path / "mq") as broker:
        first, second = broker.add_vhost(), broker.add_vhost()
        assert first != second
        declare(first, passive=False)
        broker.nodes[0].eval("mnesia:sync_log().")  # what was just declared may not be on disk yet
        broker.kill()
        assert not broker.nodes[0].answers()
        broker.nodes[0].start()
        declare(first, passive=True)
        with pytest.raises(Exception, match="NOT_FOUND"):
            declare(second, passive=True)
