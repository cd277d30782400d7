"""What was settled together is acknowledged together: one frame, and one entry in the log of the queue, instead of one for each message.

AMQP can acknowledge all deliveries of a channel up to one of them (0-9-1, basic.ack, "multiple"). That is right only when each of them is
settled, so those that are not are remembered in order. A message that is settled before an earlier one is acknowledged by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any


class Acknowledgements:
    """Of the deliveries of one channel. All of it runs in the consumer's thread; `soon` runs something there a moment later."""

    def __init__(self, soon: Callable[[Callable[[], None]], object]) -> None:
        self._soon = soon
        self._open: dict[int, Any] = {}  # what came and is not acknowledged yet, by delivery tag
        self._settled: dict[
            int, Callable[..., object]
        ] = {}  # how each of those that are settled is acknowledged

    def came(self, message: Any) -> None:
        """Note a message that was taken, unless it was set aside at once."""
        if not message.acknowledged:
            self._open[message.delivery_tag] = message

    def settle(self, say: Callable[..., object], *args: object, **more: object) -> None:
        """Say what became of a message: `say` is its `ack_log_error`, which may wait for others, or its `reject_log_error`."""
        message = say.__self__  # type: ignore[attr-defined]  # a bound method, as Celery's consumer hands it on
        ours = self._open.get(message.delivery_tag) is message  # an earlier connection's tags begin at 1 too
        if ours and say.__name__ == "ack_log_error":
            if not self._settled:
                self._soon(self._acknowledge)
            self._settled[message.delivery_tag] = partial(say, *args, **more)
            return
        if ours:
            del self._open[message.delivery_tag]
        say(*args, **more)

    def _acknowledge(self) -> None:
        settled, self._settled = self._settled, {}
        all_up_to = None
        for tag in list(self._open):
            if tag not in settled:
                break
            all_up_to = settled.pop(tag)
            del self._open[tag]
        if all_up_to is not None:
            all_up_to(multiple=True)
        for tag, acknowledge in settled.items():
            del self._open[tag]
            acknowledge()
