"""Service Bus at half of its goals: 1,000 messages a second sent in batches and completed.

One in ten is abandoned first, and then dead-lettered, so that those ways are gone too.
"""

import time

from azure.servicebus import (
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusReceivedMessage,
    ServiceBusReceiver,
)

from integration.local.processes import ENTITIES, running
from soak.course import EVERY, Course

BODY = b"x" * 490
"""With the ten digits of its number a message has 500 bytes."""
RATE = 1_000
BATCH = 200


def soak(seconds: float) -> list[str]:
    """Send and receive for so long; returns what was not good enough."""
    with running("servicebus", "--config", str(ENTITIES)) as (process, said):
        text = said["SERVICEBUS_CONNECTION_STR"]
        with ServiceBusClient.from_connection_string(text) as client:
            return Traffic(client, Course(process.pid, seconds)).run()


class Traffic:
    """A sender and a receiver that take turns."""

    def __init__(self, client: ServiceBusClient, course: Course) -> None:
        self._client = client
        self._course = course
        self._open: set[int] = set()
        """The numbers that were sent and are not done with."""
        self._buried: set[int] = set()
        """The numbers that must be among the dead letters."""
        self._sent = self._done = 0

    def run(self) -> list[str]:
        """Let messages through until the course is over, then take out what is left."""
        with (
            self._client.get_queue_sender("plain") as sender,
            self._client.get_queue_receiver("plain", prefetch_count=200) as receiver,
        ):
            emptied = time.monotonic()
            while not self._course.over:
                numbers = range(self._sent, self._sent + BATCH)
                self._sent += BATCH
                self._open.update(numbers)
                sender.send_messages([ServiceBusMessage(b"%010d" % n + BODY) for n in numbers])
                self._receive(receiver, until=BATCH)
                if time.monotonic() - emptied > EVERY:
                    self._dig()
                    emptied = time.monotonic()
                self._course.look(self._done)
                due = self._course.began + self._sent / RATE
                time.sleep(max(0.0, due - time.monotonic()))
            self._receive(receiver, until=0)
            self._dig()
        print(f"{self._sent} sent, {self._done} done with")
        return self._course.faults(len(self._open) + len(self._buried))

    def _receive(self, receiver: ServiceBusReceiver, until: int) -> None:
        """Receive until no more than so many are left; none for half a minute is the end."""
        heard = time.monotonic()
        while len(self._open) > until and time.monotonic() - heard < 30:
            # Asked for more than there is, the SDK waits for the rest.
            most = min(BATCH, len(self._open))
            for message in receiver.receive_messages(most, max_wait_time=5):
                heard = time.monotonic()
                self._settle(receiver, message)

    def _settle(self, receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage) -> None:
        number = number_of(message)
        if number % 10:
            receiver.complete_message(message)
        elif message.delivery_count:
            receiver.dead_letter_message(message)
            self._buried.add(number)
        else:
            receiver.abandon_message(message)
            return
        self._open.remove(number)
        self._done += 1

    def _dig(self) -> None:
        """Take out all dead letters."""
        with self._client.get_queue_receiver(
            "plain", sub_queue="deadletter", receive_mode="receiveanddelete", prefetch_count=500
        ) as letters:
            while received := letters.receive_messages(500, max_wait_time=1):
                self._buried -= {number_of(message) for message in received}


def number_of(message: ServiceBusReceivedMessage) -> int:
    """The number that a message carries."""
    return int(b"".join(message.body)[:10])
