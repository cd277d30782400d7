"""Messages that are settled together are acknowledged in one frame, and none that is not settled with them."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

import pytest
from kombu.message import Message

from workers.acknowledgements import Acknowledgements

LOG = logging.getLogger(__name__)


class Channel:
    """What a worker said to RabbitMQ, instead of a channel."""

    no_ack_consumers = None

    def __init__(self) -> None:
        self.said: list[tuple[str, int]] = []

    def basic_ack(self, tag: int, multiple: bool) -> None:  # noqa: FBT001  # as amqp calls it
        self.said.append(("all up to" if multiple else "this one", tag))

    def basic_reject(self, tag: int, requeue: bool) -> None:  # noqa: FBT001  # as amqp calls it
        self.said.append(("again" if requeue else "dead", tag))


class Consumer:
    """A worker's consumer: its loop runs what is to be run soon, and messages come over one channel."""

    def __init__(self) -> None:
        self.soon: deque[Callable[[], None]] = deque()
        self.acknowledgements = Acknowledgements(self.soon.append)
        self.channel = Channel()

    def receive(self, *tags: int) -> list[Message]:
        messages = [Message(channel=self.channel, delivery_tag=tag) for tag in tags]
        for message in messages:
            self.acknowledgements.came(message)
        return messages

    def acknowledge(self, *messages: Message) -> list[tuple[str, int]]:
        """What is said of these, and only then."""
        for message in messages:
            self.acknowledgements.settle(message.ack_log_error, LOG, (OSError,))
        return self.turn()

    def turn(self) -> list[tuple[str, int]]:
        while self.soon:
            self.soon.popleft()()
        said, self.channel.said = self.channel.said, []
        return said


@pytest.fixture
def consumer() -> Consumer:
    return Consumer()


def test_what_is_settled_together_is_acknowledged_in_one_frame(consumer: Consumer) -> None:
    messages = consumer.receive(1, 2, 3, 4)
    assert consumer.acknowledge(*messages[:3]) == [("all up to", 3)]
    assert consumer.acknowledge(messages[3]) == [("all up to", 4)]


def test_what_is_not_settled_is_not_acknowledged_with_later_ones(consumer: Consumer) -> None:
    first, second, third, fourth = consumer.receive(1, 2, 3, 4)
    assert consumer.acknowledge(first, third, fourth) == [("all up to", 1), ("this one", 3), ("this one", 4)]
    assert consumer.acknowledge(second) == [("all up to", 2)]


def test_a_rejected_message_stands_in_nobody_s_way(consumer: Consumer) -> None:
    first, second, third = consumer.receive(1, 2, 3)
    consumer.acknowledgements.settle(first.reject_log_error, LOG, (OSError,), requeue=True)
    assert consumer.acknowledge(second, third) == [("again", 1), ("all up to", 3)]


def test_a_message_that_was_set_aside_at_once_is_not_waited_for(consumer: Consumer) -> None:
    aside = Message(channel=consumer.channel, delivery_tag=1)
    aside.reject()
    consumer.acknowledgements.came(aside)
    assert consumer.acknowledge(*consumer.receive(2, 3)) == [("dead", 1), ("all up to", 3)]


def test_a_message_of_an_earlier_connection_does_not_stand_for_one_of_this(consumer: Consumer) -> None:
    before = Message(channel=Channel(), delivery_tag=2)
    now = consumer.receive(1, 2)
    assert consumer.acknowledge(before, now[0]) == [("all up to", 1)]
    assert before.acknowledged
    assert consumer.acknowledge(now[1]) == [("all up to", 2)]
