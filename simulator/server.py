"""One node: its store, its fault, and its connections."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets

from pydantic import SecretStr

from simulator import wire
from simulator.actions import ACTIONS, DATABASE, WRITES
from simulator.faults import Fault, Mode
from simulator.store import Store

#: Seconds a connection may stay without login, as Asterisk's `authtimeout`.
LOGIN_WITHIN = 30.0
#: Seconds Asterisk waits before it says that a login was wrong.
WRONG_LOGIN_WAIT = 1.0

#: Bytes of answers a connection may leave unread.
MAX_UNREAD = 256 * 1024 * 1024
UNKNOWN = "Invalid/unknown command: {}. Use Action: ListCommands to show available commands."


class Node:
    """A simulated PBX node that listens on one port."""

    def __init__(self, name: str, store: Store, username: str, secret: SecretStr, *, faults: bool) -> None:
        self.name = name
        self.store = store
        self.username = username
        self.secret = secret
        self.fault = Fault()
        self.takes_faults = faults
        self.connections: set[Connection] = set()
        self._commit: asyncio.TimerHandle | None = None

    async def listen(self, host: str, port: int) -> asyncio.Server:
        """Start to serve; port 0 takes a free one."""
        return await asyncio.get_running_loop().create_server(
            lambda: Connection(self), host, port, backlog=64
        )

    def plan_commit(self) -> None:
        """Commit as soon as Asterisk would."""
        due = self.store.commit_due_in
        if due is not None and self._commit is None:
            self._commit = asyncio.get_running_loop().call_later(due, self._commit_now)

    def inject(self, fault: Fault) -> None:
        """Have a fault, or do what it does at once."""
        if fault.mode not in {Mode.LOSE_LAST_SECOND, Mode.LOSE_MEMORY}:
            self.fault = fault
            return
        if fault.mode is Mode.LOSE_LAST_SECOND:
            self.store.crash()
        else:
            self.store.clear()
        for connection in list(self.connections):
            connection.abort()

    def _commit_now(self) -> None:
        self._commit = None
        self.store.commit()


class Connection(asyncio.Protocol):
    """One AMI connection."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._reader = wire.ActionReader()
        self._challenge = ""
        self._logged_in = False
        self._closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the banner; who does not log in within LOGIN_WITHIN seconds is cut off."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._login_timer = self._loop.call_later(LOGIN_WITHIN, transport.abort)
        self._node.connections.add(self)
        self._write(wire.BANNER)

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget it."""
        self._login_timer.cancel()
        self._node.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Obey what is complete, and answer it in one write."""
        try:
            actions = self._reader.feed(data)
        except wire.TooMuchError:
            self.abort()
            return
        answers: list[bytes] = []
        for action in actions:
            if self._closing:
                break
            answers.append(self._obey(action))
        self._answer(b"".join(answers))
        self._node.plan_commit()

    def abort(self) -> None:
        """Cut the connection off."""
        self._closing = True
        self._transport.abort()

    def _answer(self, data: bytes) -> None:
        if self._node.fault.mode is Mode.SLOW:
            self._loop.call_later(self._node.fault.seconds, self._write, data)
        else:
            self._write(data)

    def _write(self, data: bytes) -> None:
        if self._transport.get_write_buffer_size() > MAX_UNREAD:
            self.abort()
        if not self._transport.is_closing():
            self._transport.write(data)

    def _obey(self, action: bytes) -> bytes:
        fields, problem = wire.fields_of(action)
        if problem:
            return wire.error(fields, problem)
        name = fields.get("action", "").lower()
        if name == "simfault" and self._node.takes_faults:
            return self._inject(fields)
        strike = self._node.fault.strikes(database_action=name in DATABASE)
        if strike is Mode.HANG:
            return b""
        if strike is Mode.DROP_CONNECTION:
            self.abort()
            return b""
        if not name:
            return wire.error(fields, "Missing action in request")
        if name in {"login", "challenge", "logoff"}:
            return self._session_action(name, fields)
        if not self._logged_in or (strike is Mode.DENY and name in DATABASE):
            return wire.error(fields, "Permission denied")
        if (
            strike is Mode.ERROR
            and name in WRITES
            and fields.get("key", "").startswith(self._node.fault.keys)
        ):
            return wire.error(fields, WRITES[name])
        if name not in ACTIONS:
            return wire.error(fields, UNKNOWN.format(fields["action"]))
        return ACTIONS[name](self._node.store, fields)

    def _inject(self, fields: wire.Fields) -> bytes:
        try:
            fault = Fault.parse(fields)
        except ValueError as error:
            return wire.error(fields, str(error))
        self._node.connections.discard(self)
        self._node.inject(fault)
        self._node.connections.add(self)
        return wire.success(fields, "Fault taken")

    def _session_action(self, name: str, fields: wire.Fields) -> bytes:
        if name == "logoff":
            self._closing = True
            self._loop.call_soon(self._transport.close)
            return wire.response(fields, "Goodbye", "Message: Thanks for all the fish.")
        if name == "challenge":
            if fields.get("authtype", "").lower() != "md5":
                return wire.error(fields, "Must specify AuthType")
            self._challenge = self._challenge or str(secrets.randbelow(2**31))
            return wire.response(fields, "Success", f"Challenge: {self._challenge}")
        if self._logged_in:
            return wire.success(fields, "Already authenticated")
        if self._node.fault.mode is Mode.REFUSE_LOGIN or not self._proves(fields):
            self._closing = True
            self._loop.call_later(WRONG_LOGIN_WAIT, self._refuse, wire.error(fields, "Authentication failed"))
            return b""
        self._logged_in = True
        self._login_timer.cancel()
        accepted = wire.success(fields, "Authentication accepted")
        if fields.get("events", "").lower() in {"off", "0", "no"}:
            return accepted
        return accepted + wire.event("FullyBooted", "Privilege: system,all", "Status: Fully Booted")

    def _refuse(self, answer: bytes) -> None:
        self._write(answer)
        self._transport.close()

    def _proves(self, fields: wire.Fields) -> bool:
        """Whether a login names our user and knows its secret, in clear or as MD5 of challenge and secret."""
        secret = self._node.secret.get_secret_value()
        if fields.get("username") != self._node.username:
            return False
        if fields.get("authtype", "").lower() != "md5":
            return hmac.compare_digest(fields.get("secret", "").encode(errors="replace"), secret.encode())
        proof = hashlib.md5((self._challenge + secret).encode(), usedforsecurity=False).hexdigest()
        given = fields.get("key", "").encode(errors="replace")
        return bool(self._challenge) and hmac.compare_digest(given, proof.encode())
