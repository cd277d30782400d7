"""Where an Asterisk calls a phone: at the address that the phone names, or at the one it registered from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from roost.finding import Finding, Level

#: What Asterisk says of an option that is off.
_OFF = frozenset({"no", "false"})
#: Names that a finding lists.
_LISTED = 5


def examine_contacts(
    variables: Callable[[Sequence[str]], list[str] | None], phones: Sequence[str]
) -> Iterator[Finding]:
    """Name the `phones` that are called at whatever address they register. `variables` evaluates functions of the dialplan, None: may not."""
    said = variables([f"PJSIP_ENDPOINT({phone},rewrite_contact)" for phone in phones]) or []
    if found := [phone for phone, value in zip(phones, said, strict=False) if value in _OFF]:
        others = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        yield Finding(
            "nodes", Level.WARNING,
            f"{', '.join(found[:_LISTED])}{others} may register any address, your carrier's too, and calls to them are made there with this node's credit.",
            "rewrite_contact=yes in the endpoints of phones in its pjsip.conf.",
        )  # fmt: skip
