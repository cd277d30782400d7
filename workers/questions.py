"""What is broadcast to Celery's workers, and answered: the step of a worker's consumer that hears it.

Celery closes the channel and opens another whenever it cannot read a broadcast. While a channel closes, the answer that the worker waits
for may be dropped; then it does nothing until its heartbeat fails, half a minute later. Every process with a page may broadcast.
"""

from __future__ import annotations

from typing import Any

import structlog
from celery.worker.consumer import Consumer
from celery.worker.consumer.control import Control
from celery.worker.pidbox import Pidbox

log = structlog.get_logger(__name__)


class _Ear(Pidbox):
    def on_message(self, body: Any, message: Any) -> None:
        """Answer a question; anything else is left alone, whatever it makes kombu raise: an error here would end the worker."""
        self._forward_clock()
        try:
            self.node.handle_message(body, message)
        except self.c.connection_errors:
            raise  # the consumer connects again
        except Exception as error:  # noqa: BLE001 - it is logged
            log.warning("question_unreadable", error=type(error).__name__)


class Questions(Control):
    """Celery's step, for workers with threads or processes, whose consumer has an event loop of its own."""

    def __init__(self, consumer: Consumer, **options: Any) -> None:
        super().__init__(consumer, **options)
        self.box = _Ear(consumer)
        self.start = self.box.start
        self.stop = self.box.stop
        self.shutdown = self.box.shutdown
