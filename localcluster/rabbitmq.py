"""A private RabbitMQ of one or several nodes, from the machine's own `rabbitmq-server` package unless told otherwise.

Nothing is shared with a RabbitMQ of the machine: own epmd, cookie, ports, folders and user. Its distribution ports listen
on loopback alone.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from localcluster import ports
from localcluster.account import service_account
from localcluster.certificates import Authority
from localcluster.process import SupervisedProcess, wait_until
from localcluster.rabbitmq_install import RabbitProgram, rabbitmq_program
from localcluster.rabbitmq_node import RabbitNode
from localcluster.startable import Startable
from tasks.permissions import PERMISSIONS, USERS, Permissions

#: May do everything; the users of our processes have the same password.
_USER = "roost"
_VHOSTS_READY = 8
#: Starting a virtual host where it runs already does nothing.
_ALL_SERVE = """
length(rabbit_nodes:all_running()) == {size} andalso
lists:all(fun(V) -> rabbit_vhost_sup_sup:start_on_all_nodes(V) == ok end, rabbit_vhost:list_names()).
"""

#: A quorum queue answers for its members when it has a leader.
_ALL_LED = """
lists:all(fun(Q) -> not amqqueue:is_quorum(Q) orelse element(1, ra:members(amqqueue:get_pid(Q), 2000)) == ok end,
          rabbit_amqqueue:list()).
"""

_EVERYBODY = {_USER: Permissions(".*", ".*", ".*")} | PERMISSIONS


class RabbitCluster(Startable):
    """`size` nodes (1 or 3) with one user who may do everything, and one for each kind of process (`own_user`); `add_vhost()` gives a URL of an empty virtual host.

    `folder` is made when missing. Its data stays, with its user, password and virtual hosts. With `tls` it also speaks TLS (`by_tls`).
    """

    def __init__(
        self, folder: Path, size: int = 1, *, program: RabbitProgram | None = None, tls: bool = False
    ) -> None:
        self.folder = folder.resolve()
        #: Who signed the certificates of its nodes, for 127.0.0.1; None: it speaks no TLS.
        self.authority = Authority(self.folder / "tls") if tls else None
        self.program = program or rabbitmq_program()
        self.account = service_account("rabbitmq", "nobody")
        self.epmd_port = ports.free_port()
        self.command_ports = ports.free_range(20)
        self.nodes = [RabbitNode(self, f"rabbit{n}") for n in range(1, size + 1)]
        self._password = ""
        self._spare_vhosts: list[str] = []
        self._epmd = SupervisedProcess(
            "epmd",
            self.argv("epmd", "-address", ports.LOOPBACK, "-port", str(self.epmd_port)),
            log=self.folder / "epmd.log",
            ready=lambda: ports.answers(self.epmd_port),
            stop_deadline=2.0,
        )

    def argv(self, *command: str) -> list[str]:
        """`command` as this cluster runs it: its program, its account."""
        return self.program.argv(self.account.argv(command))

    def url(self, vhost: str = "/", node: int = 0) -> str:
        """An AMQP URL of `vhost` on one node, with the password in it."""
        return f"amqp://{_USER}:{self._password}@{ports.LOOPBACK}:{self.nodes[node].port}/{quote(vhost, safe='')}"

    def urls(self, vhost: str = "/") -> str:
        """AMQP URLs of `vhost` on every node, joined with `;`, as Celery takes them."""
        return ";".join(self.url(vhost, node) for node in range(len(self.nodes)))

    def start(self) -> None:
        """Start all nodes at once; ready when each speaks AMQP and all see each other."""
        self._prepare()
        self._epmd.start()
        try:
            for node in self.nodes:
                node.process.launch()
            for node in self.nodes:
                node.process.await_ready()
            if len(self.nodes) > 1:
                wait_until(self._complete, 60.0, "RabbitMQ cluster complete")
        except BaseException:
            for node in self.nodes:
                node.kill()
            self._epmd.kill()
            raise

    def stop(self) -> None:
        """Orderly shutdown of all nodes, then of their epmd."""
        for node in reversed(self.nodes):
            node.stop()
        self._epmd.stop()

    def kill(self) -> None:
        """SIGKILL to all nodes; epmd stays, so each can be started again."""
        for node in self.nodes:
            node.kill()

    def pause(self) -> None:
        """Freeze all nodes."""
        for node in self.nodes:
            node.pause()

    def resume(self) -> None:
        """Let all nodes go on."""
        for node in self.nodes:
            node.resume()

    def add_vhost(self) -> str:
        """URLs (see `urls`) of a fresh, empty virtual host. The first are made with the broker, later ones eight at a time."""
        if not self._spare_vhosts:
            self._spare_vhosts = [_vhost_name() for _ in range(_VHOSTS_READY)]
            self.make_vhosts(self._spare_vhosts)
        return self.urls(self._spare_vhosts.pop())

    def make_vhosts(self, names: Sequence[str]) -> None:
        """Make virtual hosts of these names, empty, with the rights of every user."""
        vhosts = ", ".join(map(_erlang, names))
        users = ", ".join(f"{{{', '.join(map(_erlang, (user, *may)))}}}" for user, may in _EVERYBODY.items())
        self.nodes[0].eval(
            f"[begin rabbit_vhost:add(V, {_erlang(_USER)}), [rabbit_auth_backend_internal:set_permissions("
            f"U, V, C, W, R, {_erlang(_USER)}) || {{U, C, W, R}} <- [{users}]] end || V <- [{vhosts}]].",
        )

    def set_password(self, password: str | None) -> None:
        """Give every user this password; None: the one that is in the URLs."""
        users = ", ".join(map(_erlang, _EVERYBODY))
        new = _erlang(self._password if password is None else password)
        self.nodes[0].eval(
            f"[rabbit_auth_backend_internal:change_password(U, {new}, {_erlang(_USER)}) || U <- [{users}]].",
        )

    def queues_are_led(self) -> bool:
        """Whether every quorum queue has a leader: seconds after a boot on a busy machine some have none."""
        return self.nodes[0].eval(_ALL_LED) == "true"

    def _complete(self) -> bool:
        """Whether all nodes see each other and serve every virtual host; one that was made as they joined may be down."""
        return self.nodes[0].eval(_ALL_SERVE.format(size=len(self.nodes))) == "true"

    def _prepare(self) -> None:
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        self._password = _kept_secret(self.folder / "password", 0o600)
        _kept_secret(home / ".erlang.cookie", 0o400)
        definitions = self.folder / "definitions.json"
        if not definitions.exists():
            self._spare_vhosts = [_vhost_name() for _ in range(_VHOSTS_READY)]
            definitions.touch(mode=0o600)
        definitions.write_text(json.dumps(self._definitions(["/", *self._spare_vhosts])))
        for node in self.nodes:
            node.prepare()
        self.account.give(self.folder)

    def _definitions(self, vhosts: list[str]) -> dict[str, object]:
        return {
            "users": [{"name": name, "password": self._password, "tags": []} for name in _EVERYBODY],
            "vhosts": [{"name": name} for name in vhosts],
            "permissions": [
                {"user": user, "vhost": vhost, **may._asdict()}
                for vhost in vhosts
                for user, may in _EVERYBODY.items()
            ],
        }


def by_tls(urls: str, cluster: RabbitCluster) -> str:
    """The same URLs over TLS."""
    for node in cluster.nodes:
        urls = urls.replace(f"@{ports.LOOPBACK}:{node.port}/", f"@{ports.LOOPBACK}:{node.tls_port}/")
    return urls.replace("amqp://", "amqps://")


def own_user(urls: str, kind: str) -> str:
    """The same URLs with the user of one kind of process: `center`, `web`, `cli`, `bind` or another."""
    return urls.replace(f"://{_USER}:", f"://{USERS[kind]}:")


def _erlang(text: str) -> str:
    """A binary in Erlang's syntax."""
    escaped = text.replace("\\", "\\\\")
    return f'<<"{escaped}">>'


def _vhost_name() -> str:
    return f"v{secrets.token_hex(6)}"


def _kept_secret(path: Path, mode: int) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(24))
        path.chmod(mode)
    return path.read_text()
