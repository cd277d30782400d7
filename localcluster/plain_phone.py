"""A phone that shows every SIP message, and can do what a well-behaved one does not: forward, stay silent, withhold.

It registers, dials, answers, transfers; it sends no speech. For what is spoken and keyed, see `phones`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from localcluster.plain_call import DEADLINE, PlainCall
from localcluster.sip import SipMessage, address_of, proof, tag_of
from localcluster.sip_wire import SipWire

_ALLOW = ("Allow", "INVITE, ACK, BYE, CANCEL, UPDATE, REFER, NOTIFY, OPTIONS")


class PlainPhone:
    """One SIP account at a registrar (an address, of IPv6 in brackets), over UDP on a port of its own. Several with one account are several contacts of it.

    What it does is noted before it is said: others may hear of it before this thread goes on.
    `told` are the requests outside every call, such as a NOTIFY that nobody asked for. `forward` is the URI that a 302 names; `silent`: requests of others are taken and never answered.
    """

    def __init__(self, name: str, secret: str, registrar: str, port: int = 5060) -> None:
        self.name = name
        self.registrar = registrar
        #: What it says of itself: another From, and more headers in each INVITE and in each answer to one.
        self.local = ""
        self.more: Sequence[tuple[str, str]] = ()
        self.forward = ""
        self.silent = False
        self.rung: list[PlainCall] = []
        self.forwarded: list[PlainCall] = []
        self.told: list[SipMessage] = []
        self._secret = secret
        self._calls: dict[str, PlainCall] = {}
        self._wire = SipWire(name, registrar, port)
        self._wire.listen(self._hear)

    @property
    def address(self) -> str:
        """HOST:PORT of its contact."""
        return self._wire.address

    def register(self, seconds: int = 3600) -> None:
        """Register this contact beside others of the account, and wait for the yes; 0 seconds takes it back."""
        self.register_as(f"sip:{self.name}@{self.address}", seconds)

    def register_as(self, contact: str, seconds: int = 3600) -> None:
        """Register another URI."""
        call = self._open(f"sip:{self.registrar}", f"<sip:{self.name}@{self.registrar}>")
        self._send(call, "REGISTER", (("Contact", f"<{contact}>"), ("Expires", str(seconds))))
        self.wait(lambda: any(m.status == 200 for m in call.heard), DEADLINE, "the registrar's yes")

    def dial(self, number: str, to_tag: str = "", *, to: str = "", call_id: str = "") -> PlainCall:
        """Dial a number at the registrar; does not wait for an answer.

        With a `to_tag` it pretends that the call is known; `to`, a URI, and `call_id` are other ones than a well-behaved phone would write.
        """
        uri = f"sip:{number}@{self.registrar}"
        call = self._open(uri, f"<{to or uri}>{';tag=' * bool(to_tag)}{to_tag}", call_id)
        self._send(call, "INVITE", self._offer(), self._wire.session)
        return call

    def ask(self, method: str, number: str) -> PlainCall:
        """A request outside every call, about a number; does not wait for an answer."""
        uri = f"sip:{number}@{self.registrar}"
        call = self._open(uri, f"<{uri}>")
        self._send(call, method, (self._contact(), *self.more))
        return call

    def watch(self, number: str) -> PlainCall:
        """Subscribe to the lamp of an extension (RFC 4235), and wait until it says something."""
        uri = f"sip:{number}@{self.registrar}"
        call = self._open(uri, f"<{uri}>")
        call.watches = "dialog"
        self._subscribe(call, 3600)
        self.wait(lambda: call.lamp != "", DEADLINE, f"the lamp of {number}")
        return call

    def wait_ring(self, deadline: float = DEADLINE) -> PlainCall:
        """The next incoming call that nobody waited for."""
        self.wait(lambda: bool(self.rung), deadline, "a call")
        return self.rung.pop(0)

    def wait_told(self, event: str, deadline: float = DEADLINE) -> SipMessage:
        """The next NOTIFY of an event that nobody waited for."""
        self.wait(lambda: any(m["Event"].startswith(event) for m in self.told), deadline, f"a NOTIFY {event}")
        found = next(m for m in self.told if m["Event"].startswith(event))
        self.told.remove(found)
        return found

    def wait(self, condition: Callable[[], bool], deadline: float, what: str) -> None:
        """Wait until a message made `condition` true."""
        self._wire.wait(condition, deadline, what)

    def hang_up_all(self) -> None:
        """End every call, and forget the rings that nobody took."""
        for call in list(self._calls.values()):
            call.hang_up()
        self.rung.clear()

    def close(self) -> None:
        """End every call, take the registration back, and let the port go."""
        self.silent, self.more, self.local = False, (), ""
        self.hang_up_all()
        self.register(0)
        self.drop()

    def drop(self) -> None:
        """Let the port go, and say nothing to anybody."""
        self._wire.drop()

    def __enter__(self) -> Self:
        self.register()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- what a call asks for ---

    def answer(self, call: PlainCall) -> None:
        """200 with our session."""
        assert call.invite is not None
        call.is_up = True
        self._wire.reply(call.invite, "200 OK", self._offer(), self._wire.session)

    def decline(self, call: PlainCall, status: str) -> None:
        """A final response other than 2xx."""
        assert call.invite is not None
        call.is_over = True
        self._wire.reply(call.invite, status)

    def request(self, call: PlainCall, method: str, *more: tuple[str, str]) -> None:
        """A request in the call."""
        self._send(call, method, (*more, self._contact()))

    def renew(self, call: PlainCall, method: str = "INVITE") -> None:
        """Offer our session again in a call, as for hold or when a session timer runs out; with `local` and `more` as they are now."""
        if self.local:
            call.local = f"{self.local};tag={tag_of(call.local)}"
        self._send(call, method, self._offer(), self._wire.session)

    def end(self, call: PlainCall) -> None:
        """BYE, CANCEL or 480, whichever fits."""
        with self._wire.news:
            if call.is_over or call.is_given_up:
                return
            if call.watches:
                call.is_over = True
                self._subscribe(call, 0)
            elif call.is_up:
                call.is_over = True
                self.request(call, "BYE")
            elif call.invite is not None:
                self.decline(call, "480 Temporarily Unavailable")
            else:
                call.is_given_up = True
                if any(message.status for message in call.heard):  # not sooner (RFC 3261, 9.1)
                    self._send(call, "CANCEL")

    # --- messages ---

    def _open(self, target: str, remote: str, call_id: str = "") -> PlainCall:
        local = f"{self.local or f'<sip:{self.name}@{self.registrar}>'};tag={secrets.token_hex(6)}"
        call = PlainCall(self, call_id or secrets.token_hex(10), local, remote, target)
        self._calls[call.call_id] = call
        return call

    def _subscribe(self, call: PlainCall, seconds: int) -> None:
        accept = ("Accept", "application/dialog-info+xml")
        more = (self._contact(), ("Event", call.watches), accept, ("Expires", str(seconds)))
        self._send(call, "SUBSCRIBE", more)

    def _contact(self) -> tuple[str, str]:
        return ("Contact", f"<sip:{self.name}@{self.address}>")

    def _offer(self) -> tuple[tuple[str, str], ...]:
        kind = ("Content-Type", "application/sdp")
        return (self._contact(), _ALLOW, ("Supported", "replaces"), kind, *self.more)

    def _send(
        self, call: PlainCall, method: str, more: Sequence[tuple[str, str]] = (), body: str = ""
    ) -> None:
        if method not in {"ACK", "CANCEL"}:  # they carry the number of their INVITE
            call.sent += 1
            call.asked = (method, more, body)
        branch = f"z9hG4bK{call.call_id}-{self.address.rpartition(':')[2]}-{call.sent}"
        via = f"SIP/2.0/UDP {self.address};branch={branch};rport"
        headers = call.headers(via, call.remote, f"{call.sent} {method}", is_routed=method != "CANCEL")
        self._wire.put(SipMessage(f"{method} {call.target} SIP/2.0", (*headers, *more), body))

    # --- what comes in ---

    def _hear(self, message: SipMessage) -> None:
        if message.status:
            self._hear_response(message)
        elif not self.silent:
            self._hear_request(message)

    def _hear_response(self, message: SipMessage) -> None:
        call = self._calls.get(message["Call-ID"])
        if call is None:
            return
        if message.status in {401, 407} and int(message["CSeq"].split()[0]) < call.sent:
            if message.method == "INVITE":  # said again: the proof is on its way
                self._acknowledge(call, message)
            return
        if message.status in {401, 407} and not any(
            name.endswith("Authorization") for name, _ in call.asked[1]
        ):
            self._prove(call, message)
            return
        is_first = not any(heard.status for heard in call.heard)
        call.heard.append(message)
        if message.method == "INVITE" and message.status < 200 and call.is_given_up and is_first:
            self._send(call, "CANCEL")
        if message.method != "INVITE" or message.status < 180:
            return
        call.remote = message["To"]
        if message.status < 300:
            call.route = list(reversed(message.all("Record-Route")))
        if message["Contact"] and message.status < 300:
            call.target = address_of(message["Contact"])
        if message.status >= 200:
            call.is_up = message.status < 300
            call.is_over = call.is_over or message.status >= 300
            self._acknowledge(call, message)
        if call.is_up and call.is_given_up and not call.is_over:  # it was answered sooner than cancelled
            call.is_over = True
            self.request(call, "BYE")

    def _prove(self, call: PlainCall, message: SipMessage) -> None:
        method, more, body = call.asked
        if method == "INVITE":
            self._acknowledge(call, message)
        if call.is_given_up:
            call.is_over = True
            return
        answer = proof(message, method, call.target, self.name, self._secret)
        self._send(call, method, (*more, answer), body)

    def _acknowledge(self, call: PlainCall, message: SipMessage) -> None:
        via = message["Via"]
        if message.status < 300:  # a transaction of its own
            via = f"SIP/2.0/UDP {self.address};branch=z9hG4bK{secrets.token_hex(6)};rport"
        number = message["CSeq"].split()[0]
        headers = call.headers(via, message["To"], f"{number} ACK", is_routed=message.status < 300)
        self._wire.put(SipMessage(f"ACK {call.target} SIP/2.0", headers))

    def _hear_request(self, message: SipMessage) -> None:
        if message.method == "ACK":
            return
        if self._wire.replied_again(message):
            return
        call = self._calls.get(message["Call-ID"])
        if message.method == "INVITE" and (call is None or (call.is_over and not tag_of(message["To"]))):
            self._ring(message)
            return
        if call is not None and call.was_overtaken(message):
            self._wire.reply(message, "500 Server Internal Error")
            return
        if call is not None:
            call.heard.append(message)
        else:
            self.told.append(message)
        if message.method in {"INVITE", "UPDATE"} and message.body:
            self._wire.reply(message, "200 OK", self._offer(), self._wire.session)
            return
        is_cancelled = message.method == "CANCEL" and call is not None and not call.is_up
        if call is not None and (message.method == "BYE" or is_cancelled):
            call.is_over = True
        self._wire.reply(message, "200 OK", (self._contact(),))
        if call is not None and call.invite is not None and is_cancelled:
            self._wire.reply(call.invite, "487 Request Terminated")

    def _ring(self, message: SipMessage) -> None:
        local = f"{message['To']};tag={self.name}"
        call = PlainCall(self, message["Call-ID"], local, message["From"], address_of(message["Contact"]))
        call.invite = message
        call.route = message.all("Record-Route")
        call.heard.append(message)
        self._calls[call.call_id] = call
        if self.forward:
            call.is_over = True
            self.forwarded.append(call)
            self._wire.reply(message, "302 Moved Temporarily", (("Contact", f"<{self.forward}>"),))
            return
        self.rung.append(call)
        self._wire.reply(message, "180 Ringing", (self._contact(), *self.more))
