"""One call of a plain phone: what was said in it, and what can be asked of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from localcluster.sip import SipMessage, address_of, name_and_number, tag_of

if TYPE_CHECKING:  # it makes its calls
    from localcluster.plain_phone import PlainPhone

#: Seconds that a wait may take.
DEADLINE = 10.0


class PlainCall:
    """One call, either direction. `heard` are all messages of it that came in, in order."""

    def __init__(self, phone: PlainPhone, call_id: str, local: str, remote: str, target: str) -> None:
        self.heard: list[SipMessage] = []
        self.call_id = call_id
        self.local = local
        self.remote = remote
        self.target = target
        self.sent = 0
        self.asked: tuple[str, Sequence[tuple[str, str]], str] = ("", (), "")
        self.invite: SipMessage | None = None
        #: The proxies that requests in the call pass, nearest first (RFC 3261, 12.1).
        self.route: list[str] = []
        self.is_up = False
        self.is_over = False
        #: Hung up by us before anybody answered.
        self.is_given_up = False
        self.watches = ""
        self._newest: dict[str, int] = {}
        self._phone = phone

    def was_overtaken(self, request: SipMessage) -> bool:
        """Whether a later request of the other party came first, so that this one is to be refused (RFC 3261, 12.2.2)."""
        party, number = tag_of(request["From"]), int(request["CSeq"].split()[0])
        newest = self._newest.get(party, 0)
        self._newest[party] = max(newest, number)
        return number < newest

    @property
    def asserted(self) -> tuple[str, str] | None:
        """Name and number of the other party as the last message that had them told; None when none had."""
        told = [message["P-Asserted-Identity"] for message in self.heard]
        last = next((header for header in reversed(told) if header), "")
        return name_and_number(last) if last else None

    @property
    def lamp(self) -> str:
        """What a watched lamp shows now: the last of `lamps`; empty before the first."""
        return next(reversed(self.lamps), "")

    @property
    def lamps(self) -> list[str]:
        """All that a watched lamp has shown, each `<state>` such as terminated (free), early (rings) or confirmed."""
        states = [re.findall("<state>(.*)</state>", m.body) for m in self.heard if m.method == "NOTIFY"]
        return [state[-1] for state in states if state]

    def wait_lamp(self, state: str, deadline: float = DEADLINE) -> None:
        """Wait until the lamp shows this."""
        self._phone.wait(lambda: self.lamp == state, deadline, f"the lamp {state}, not {self.lamp}")

    @property
    def caller(self) -> tuple[str, str]:
        """Name and number that an incoming call presents in its From."""
        return name_and_number(self.heard[0]["From"])

    def wait_status(self, status: int, deadline: float = DEADLINE) -> SipMessage:
        """The first response with this status to our INVITE."""
        self._phone.wait(lambda: self._answered(status) is not None, deadline, f"a {status}")
        found = self._answered(status)
        assert found is not None
        return found

    def wait_up(self, deadline: float = DEADLINE) -> None:
        """Wait until it is answered."""
        self._phone.wait(lambda: self.is_up, deadline, "an answer")

    def wait_over(self, deadline: float = DEADLINE) -> None:
        """Wait until it has ended."""
        self._phone.wait(lambda: self.is_over, deadline, "the end of the call")

    def wait_asserted(self, name: str, number: str, deadline: float = DEADLINE) -> None:
        """Wait until the other party is told to be this one."""
        self._phone.wait(
            lambda: self.asserted == (name, number), deadline, f"the name {name!r}, not {self.asserted}"
        )

    def answer(self) -> None:
        """Answer an incoming call."""
        self._phone.answer(self)

    def reject(self, status: str = "486 Busy Here") -> None:
        """Decline an incoming call."""
        self._phone.decline(self, status)

    def hang_up(self) -> None:
        """End the call, in whatever state; nothing happens when it is over."""
        self._phone.end(self)

    def transfer(self, uri: str) -> None:
        """Send the other party to `uri` (blind: RFC 5589), and hang up when the PBX says that it is done."""
        self._phone.request(self, "REFER", ("Refer-To", f"<{uri}>"), ("Referred-By", self.local))
        self._phone.wait(
            lambda: any(m.body.startswith("SIP/2.0 200") for m in self.heard if m.method == "NOTIFY"),
            DEADLINE,
            "the end of the transfer",
        )
        self.hang_up()

    def transfer_to(self, consulted: PlainCall) -> None:
        """Connect the other party with that of the call `consulted` (attended: RFC 5589, RFC 3891)."""
        self.transfer(self.replacing(consulted))
        consulted.hang_up()

    def headers(self, via: str, to: str, number: str, *, is_routed: bool) -> tuple[tuple[str, str], ...]:
        """Those that every request in the call has; the proxies on its way only if it `is_routed`."""
        routes = [("Route", route) for route in self.route] if is_routed else []
        return (
            ("Via", via), ("Max-Forwards", "70"), ("From", self.local), ("To", to), ("Call-ID", self.call_id),
            ("CSeq", number), *routes,
        )  # fmt: skip

    @staticmethod
    def replacing(consulted: PlainCall) -> str:
        """The URI by which somebody takes our place in a call."""
        replaces = quote(
            f"{consulted.call_id};to-tag={tag_of(consulted.remote)};from-tag={tag_of(consulted.local)}",
            safe="",
        )
        return f"{address_of(consulted.remote)}?Replaces={replaces}"

    def _answered(self, status: int) -> SipMessage | None:
        return next((m for m in self.heard if m.status == status and m.method == "INVITE"), None)
