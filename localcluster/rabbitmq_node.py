"""One node of a private RabbitMQ: its files, its environment, and what is done to it."""

from __future__ import annotations

import os
import socket
import subprocess
from typing import TYPE_CHECKING

from localcluster import ports
from localcluster.process import ServiceFailed, SupervisedProcess
from localcluster.service import Service

if TYPE_CHECKING:  # it makes its nodes
    from localcluster.rabbitmq import RabbitCluster

_START_DEADLINE = 150.0
_COMMAND_DEADLINE = 60
_PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"  # AMQP 0-9-1, section 4.2.2
_LOOPBACK_DISTRIBUTION = "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false"
_NO_LEADER = """
Server = {{'{vhost}_{queue}', node()}},
Machine = #{{name => '{vhost}_{queue}', queue_resource => rabbit_misc:r(<<"{vhost}">>, queue, <<"{queue}">>)}},
ok = ra:force_delete_server(quorum_queues, Server),
ra:start_server(quorum_queues, '{vhost}_{queue}', Server, {{module, rabbit_fifo, Machine}},
                [Server, {{'{vhost}_{queue}', gone@localhost}}]).
"""


class RabbitNode(Service):
    """One broker node; made by `RabbitCluster`. Before one of a cluster is killed, look whether its queues keep a majority."""

    def __init__(self, cluster: RabbitCluster, name: str) -> None:
        self.name = name
        self.port = ports.free_port()
        self.tls_port = ports.free_port()
        self.folder = cluster.folder / name
        self._cluster = cluster
        self.process = SupervisedProcess(
            f"RabbitMQ node {name}",
            cluster.argv(str(cluster.program.scripts / "rabbitmq-server")),
            log=self.folder / "rabbitmq.log",
            environment=self.environment(),
            folder=cluster.folder,
            ready=self.answers,
            start_deadline=_START_DEADLINE,
            stop_deadline=30.0,
        )

    def environment(self) -> dict[str, str]:
        """A clean environment for the server and for rabbitmqctl."""
        cluster, folder = self._cluster, self.folder
        few = {"RABBITMQ_PLUGINS_DIR": str(folder / "few")} if cluster.program.itself else {}
        return few | {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "HOME": str(cluster.folder / "home"),  # the cookie lies there
            "ERL_EPMD_PORT": str(cluster.epmd_port),
            "ERL_EPMD_ADDRESS": ports.LOOPBACK,
            "RABBITMQ_NODENAME": f"{self.name}@localhost",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_DIST_PORT": str(ports.free_port()),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _LOOPBACK_DISTRIBUTION,
            "RABBITMQ_CTL_ERL_ARGS": _LOOPBACK_DISTRIBUTION,
            "RABBITMQ_CTL_DIST_PORT_MIN": str(cluster.command_ports),
            "RABBITMQ_CTL_DIST_PORT_MAX": str(cluster.command_ports + 19),
        }

    def prepare(self) -> None:
        """Write the node's files; its data, if any, stays."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "plugins").write_text("[].\n")
        itself = self._cluster.program.itself
        if itself is not None:
            # It looks through all plugins that it finds, though none is enabled: a third of the processor time of its start.
            (self.folder / "few").mkdir(exist_ok=True)
            link = self.folder / "few" / itself.name
            link.unlink(missing_ok=True)
            link.symlink_to(itself)
        lines = [
            f"listeners.tcp.default = {ports.LOOPBACK}:{self.port}",
            "disk_free_limit.absolute = 50MB",
            "max_message_size = 1048576",  # as docs/operating.md has it
            "raft.wal_max_size_bytes = 64000000",
            "log.file = false",
            "log.console = true",
            "log.console.level = info",
            f"load_definitions = {self._cluster.folder / 'definitions.json'}",
            "cluster_partition_handling = pause_minority",
        ]
        if self._cluster.authority is not None:
            pem = self._cluster.authority.issue(self.name, address=ports.LOOPBACK)
            lines += [
                f"listeners.ssl.default = {ports.LOOPBACK}:{self.tls_port}",
                f"ssl_options.certfile = {pem}",
                f"ssl_options.keyfile = {pem}",
            ]
        names = [node.name for node in self._cluster.nodes]
        if len(names) > 1:
            lines.append("cluster_formation.peer_discovery_backend = classic_config")
            lines += [
                f"cluster_formation.classic_config.nodes.{n} = {name}@localhost"
                for n, name in enumerate(names, 1)
            ]
        (self.folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")

    def answers(self) -> bool:
        """Whether the node speaks AMQP: its listener is the last thing it opens."""
        try:
            with socket.create_connection((ports.LOOPBACK, self.port), timeout=2) as connection:
                connection.sendall(_PROTOCOL_HEADER)
                return connection.recv(1) == b"\x01"  # a method frame: connection.start
        except OSError:
            return False

    def lose_leader(self, vhost: str, queue: str) -> None:
        """Take a quorum queue's only member for one of two, with the other gone: none is elected, also after a restart."""
        self.eval(_NO_LEADER.format(vhost=vhost, queue=queue))

    def eval(self, expression: str) -> str:
        """What an Erlang expression, which ends with a dot, gives in this node.

        Asked by `erl_call` where it is there: `rabbitmqctl eval` takes a second of processor time.
        """
        program = self._cluster.program.erl_call
        if program is None:
            return self.ctl("eval", expression).strip()
        done = self._run([str(program), "-sname", f"{self.name}@localhost", "-e"], f"{expression}\n")
        if done.returncode != 0 or not done.stdout.startswith("{ok, "):
            raise ServiceFailed(f"{self.name} could not evaluate it:\n{done.stdout}{done.stderr}")
        return done.stdout.strip().removeprefix("{ok, ").removesuffix("}")

    def ctl(self, *arguments: str) -> str:
        """Run `rabbitmqctl` against this node, about a second; returns what it printed."""
        program = self._cluster.program.scripts / "rabbitmqctl"
        done = self._run([str(program), "--quiet", *arguments])
        if done.returncode != 0:
            raise ServiceFailed(
                f"rabbitmqctl {arguments[0]} on {self.name} failed:\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def _run(self, command: list[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._cluster.argv(*command),
            env=self.environment(),
            cwd=self._cluster.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_COMMAND_DEADLINE,
            check=False,
        )
