"""What holds for every command: help, version, missing settings, an unreachable database, prompts on a terminal."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from roost.seal import seal, unseal
from roost.settings import Settings
from tests.cli.command import Run
from tests.warm import run_module
from tests.world import World
from workers.cli import output


def test_help_and_version(bare_roost: Run) -> None:
    assert "roost doctor" in bare_roost("--help").out
    assert bare_roost("--version").out.startswith("roost ")
    assert bare_roost("where", "--help").exit_code == 0
    assert bare_roost("nonsense").exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [("org", "list"), ("where", "0001*001"), ("status",), ("virtualize", "0001*001", "desk"), ("db", "init")],
)
def test_a_missing_setting_is_named(bare_roost: Run, arguments: tuple[str, ...]) -> None:
    ended = bare_roost(*arguments)
    assert ended.exit_code == 7
    assert "Set ROOST_" in ended.err
    assert ended.err.endswith("[setting]\n")


def test_a_bad_setting_is_named_without_its_value(bare_roost: Run, folder: Path) -> None:
    (folder / ".env").write_text("ROOST_CENTER_PORT=hunter2\n")
    ended = bare_roost("status")
    assert ended.exit_code == 7
    assert "ROOST_CENTER_PORT" in ended.err
    assert "hunter2" not in ended.err


def test_a_folder_that_is_gone_is_named(
    bare_roost: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = folder / "gone"
    gone.mkdir()
    with monkeypatch.context() as there:
        there.chdir(gone)
        gone.rmdir()
        ended = [bare_roost("org", "list"), bare_roost("setup", "x")]
    assert [each.exit_code for each in ended] == [7, 7]
    assert all("is not there any more: go to another. [setting]" in each.err for each in ended)


def test_an_env_that_is_a_folder_is_named(bare_roost: Run, folder: Path) -> None:
    (folder / ".env").mkdir()
    ended = bare_roost("org", "list")
    assert (ended.exit_code, ended.out) == (7, "")
    assert "/.env is a folder" in ended.err


def test_an_unreachable_database(bare_roost: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOST_DATABASE_URL", "postgresql://roost:hunter2@127.0.0.1:1/roost")
    ended = bare_roost("org", "list")
    assert (ended.exit_code, ended.out) == (6, "")
    assert ended.err.endswith("[database_unavailable]\n")
    assert "hunter2" not in ended.err


def test_an_unreachable_broker(roost: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOST_BROKER_URL", "amqp://roost:hunter2@127.0.0.1:1/")
    monkeypatch.setenv("ROOST_ANSWER_DEADLINE", "1")
    ended = roost("return", "0001*001")
    assert ended.exit_code == 6
    assert ended.err.endswith("[broker_unavailable]\n")
    assert "hunter2" not in ended.err


def test_keys_fit_each_other(bare_roost: Run, folder: Path) -> None:
    printed = bare_roost("keys").out
    (folder / ".env").write_text(printed)
    given = Settings()
    assert (
        unseal(given.need("seal_private_key"), "x", seal(given.need("seal_public_key"), "x", "fits"))
        == "fits"
    )
    assert len(given.need("code_pepper")) >= 32
    assert printed != bare_roost("keys").out


def test_keys_made_again_keep_those_before_them(bare_roost: Run, folder: Path) -> None:
    without = bare_roost("keys", "rotate")
    assert (without.exit_code, without.out) == (7, "")
    assert "ROOST_SEAL_PRIVATE_KEY" in without.err
    (folder / ".env").write_text(bare_roost("keys").out)
    before = Settings()
    (folder / ".env").write_text(bare_roost("keys", "rotate").out)
    now = Settings()
    assert now.peppers == (now.need("code_pepper"), before.need("code_pepper"))
    sealed = seal(before.need("seal_public_key"), "x", "opens")
    assert unseal(now.private_keys, "x", sealed) == "opens"
    assert now.seal_public_key != before.seal_public_key


class Terminal:
    """A command on a pseudo-terminal."""

    def __init__(
        self, arguments: list[str], environment: dict[str, str], folder: Path, repository: Path
    ) -> None:
        self._us, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workers.cli.main", *arguments],
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, cwd=folder,
            env={"PYTHONPATH": str(repository), "PATH": os.defpath, "TERM": "xterm", **environment},
        )  # fmt: skip
        os.close(theirs)
        self.shown = ""

    def expect(self, text: str, deadline: float = 20) -> None:
        """Read until the text is shown."""
        ends = time.monotonic() + deadline
        while text not in self.shown:
            assert time.monotonic() < ends, f"{text!r} was not shown: {self.shown!r}"
            if select.select([self._us], [], [], 0.2)[0]:
                try:
                    self.shown += os.read(self._us, 4096).decode()
                except OSError:  # Linux says EIO when the other side is closed
                    assert text in self.shown, self.shown

    def type(self, text: str) -> None:
        """Key a line."""
        os.write(self._us, f"{text}\n".encode())

    def close(self) -> int:
        """Wait for the end; the exit code."""
        code = self.process.wait(20)
        os.close(self._us)
        return code


def test_a_secret_is_asked_for_twice_and_not_shown(
    settings: Settings, world: World, folder: Path, repository: Path
) -> None:
    environment = {
        "ROOST_DATABASE_URL": settings.need("database_url"),
        "ROOST_SEAL_PUBLIC_KEY": settings.need("seal_public_key"),
    }
    for second, exit_code in (("another", 2), ("s3cret-typed", 0)):
        terminal = Terminal(["node", "add", "n1", "--host", "10.0.0.5"], environment, folder, repository)
        terminal.expect("Login secret: ")
        terminal.type("s3cret-typed")
        terminal.expect("Once more: ")
        terminal.type(second)
        terminal.expect("Added node" if exit_code == 0 else "differ")
        assert terminal.close() == exit_code
        assert "s3cret-typed" not in terminal.shown
    assert world.value("SELECT count(*) FROM pbx_node") == 1


def test_keys_on_a_terminal_warn(folder: Path, repository: Path) -> None:
    terminal = Terminal(["keys"], {}, folder, repository)
    terminal.expect("warning: these secrets are on your screen")
    assert terminal.close() == 0


_LONG_WORK = """
from workers.cli import progress
progress.EVERY = 0
with progress.progress() as tell:
    tell("removing 0001", 500, 2000)
"""


def test_long_work_is_told_by_a_bar_on_a_terminal_and_by_lines_elsewhere() -> None:
    work = [sys.executable, "-c", _LONG_WORK]
    lines = subprocess.run(work, capture_output=True, text=True, check=True, timeout=30)
    assert (lines.stdout, lines.stderr) == ("", "removing 0001: 500 of about 2000\n")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        work, stderr=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    ) as working:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # EIO: the terminal's other side is closed
            while part := os.read(ours, 4096):
                shown += part
        assert working.wait(30) == 0
    os.close(ours)
    assert b"removing 0001" in shown
    assert b"500/2000" in shown


class Screen(io.StringIO):
    """What is printed on a terminal."""

    def isatty(self) -> bool:
        return True


def shown_at(columns: int, show: Callable[[], None]) -> list[str]:
    """The lines that are printed on a terminal of this width, without their colors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", screen := Screen())
        patch.setenv("COLUMNS", str(columns))
        show()
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue()).splitlines()]


def test_nothing_of_a_table_is_cut_off_on_a_narrow_terminal() -> None:
    node = ("n" * 64, "never seen", "0", "4 changes", "never", "not audited", "asterisk")
    columns = ("node", "state", "version", "behind", "last seen", "drift", "kind")

    def show() -> None:
        output.show_rows(columns, [node, node], wraps=("node", "behind"))

    narrow, wide = shown_at(40, show), shown_at(100, show)
    assert all(len(line) <= 40 for line in narrow)
    assert narrow[3:9] == [
        "state      never seen", "version    0", "behind     4 changes", "last seen  never", "drift      not audited",
        "kind       asterisk",
    ]  # fmt: skip
    assert "".join(line.removeprefix("node").strip() for line in narrow[:3]) == "n" * 64
    assert wide[0].split() == ["node", "state", "version", "behind", "last", "seen", "drift", "kind"]


_NO_SECRET = "The secret code is read from stdin, and there was none. [invalid]"
_SET = ("code", "set", "0001*001")
#: How a shell may start a command: stdin, stdout, their encoding, and the command; then its exit code, and what it says.
_ODDLY: dict[str, tuple[tuple[str, str, str], tuple[str, ...], int, str]] = {
    "a full disk": (("as is", "/dev/full", "utf-8"), ("keys",), 7, "No space left on device. [not_printed]"),
    "a full disk, of a table": (("as is", "/dev/full", "utf-8"), ("--help",), 7, "No space left on device. [not_printed]"),
    "output closed": (("as is", "closed", "utf-8"), ("keys",), 0, ""),
    "input closed": (("closed", "as is", "utf-8"), _SET, 2, _NO_SECRET),
    "input that is no text": (("code", "as is", "utf-8"), _SET, 2, "A secret code is 4 to 8 digits. [bad_code]"),
    "no letters but ASCII": (("as is", "as is", "ascii"), ("where", "--help"), 0, ""),
    "a name that is no text": (("as is", "as is", "utf-8"), ("node", "serve", "\udcff", "\udcff"), 7, "[setting]"),
}  # fmt: skip


@pytest.mark.parametrize("how", _ODDLY)
def test_however_it_is_started_it_ends_with_a_line_and_its_code(
    how: str, settings: Settings, folder: Path
) -> None:
    streams, command, exit_code, says = _ODDLY[how]
    (folder / "code").write_bytes(b"\xff\xfe\n")
    environment = {"ROOST_SEAL_PUBLIC_KEY": settings.need("seal_public_key")}
    ended = run_module(["tests.cli.started_oddly", *streams, *command], environment, folder)
    assert (ended.returncode, "Traceback" in ended.stderr) == (exit_code, False), ended.stderr
    assert ended.stderr.removesuffix("\n").endswith(says)
    assert len(ended.stderr.splitlines()) == bool(says)


_CTRL_C_AMID_IMPORTS = """
import os, signal, sys

class Impatient:
    def find_spec(self, name, *_):
        if name == "tasks.app":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Impatient())
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
sys.argv[0] = sys.argv.pop(1)
import workers.{module} as begun; begun.main()
"""
#: Python runs it as it starts, before anything of ours: first for the command, and then for the process that it starts.
_CTRL_C_AT_ONCE = """
import os, signal, sys
if "workers.bind" in sys.orig_argv:
    os.kill(os.getpid(), signal.SIGINT)
else:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests may ignore it
"""


@pytest.mark.parametrize(("program", "module"), [("-m", "bind"), ("/usr/bin/roost", "cli.start")])
def test_ctrl_c_while_it_starts_says_nothing(repository: Path, program: str, module: str) -> None:
    started = [sys.executable, "-c", _CTRL_C_AMID_IMPORTS.format(module=module), program]
    ended = subprocess.run(started, cwd=repository, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_ctrl_c_while_run_starts_a_process_says_nothing(folder: Path, repository: Path) -> None:
    (folder / "sitecustomize.py").write_text(_CTRL_C_AT_ONCE)
    ended = subprocess.run(
        [sys.executable, "-m", "workers.cli.main", "run", "bind"],
        env={"PYTHONPATH": f"{folder}:{repository}"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")
