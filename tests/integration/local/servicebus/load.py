"""How fast the emulator is: run by hand, never by the tests.

    PYTHONPATH=tests python -m integration.local.servicebus.load  # a minute

Client and emulator run in processes of their own, as they do in earnest. Beside the rate it tells
the CPU that each of the two spends on a message: on a busy machine the rate says how busy it is,
the CPU what the work costs.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from azure.servicebus import ServiceBusClient, ServiceBusMessage

from integration.local.processes import ENTITIES, running, spent

BODY = b"x" * 500
BATCH = 400


def main() -> None:
    with (
        running("servicebus", "--config", str(ENTITIES)) as (process, said),
        ServiceBusClient.from_connection_string(said["SERVICEBUS_CONNECTION_STR"]) as client,
    ):
        measure(client, process.pid)


def measure(client: ServiceBusClient, server: int) -> None:
    """Each way of sending and receiving, one after the other."""
    with (
        client.get_queue_sender("plain") as sender,
        client.get_queue_receiver("plain", prefetch_count=200) as receiver,
    ):
        with told("send one by one", 1_000, server):
            for _ in range(1_000):
                sender.send_messages(ServiceBusMessage(BODY))
        with told("send in batches", 20_000, server):
            for _ in range(0, 20_000, BATCH):
                sender.send_messages([ServiceBusMessage(BODY) for _ in range(BATCH)])
        with told("receive and complete", 6_000, server):
            done = 0
            while done < 6_000:
                for message in receiver.receive_messages(200, max_wait_time=5):
                    receiver.complete_message(message)
                    done += 1
    with (
        client.get_queue_receiver(
            "plain", prefetch_count=500, receive_mode="receiveanddelete"
        ) as receiver,
        told("receive and delete", 15_000, server),
    ):
        done = 0
        while done < 15_000:
            done += len(receiver.receive_messages(500, max_wait_time=5))


@contextmanager
def told(what: str, count: int, server: int) -> Iterator[None]:
    """Tell how fast something was done and what it cost each side."""
    began, own, other = time.monotonic(), time.process_time(), spent(server)
    yield
    took = time.monotonic() - began
    ours = (time.process_time() - own) / count * 1e6
    theirs = (spent(server) - other) / count * 1e6
    print(
        f"{what:22} {count / took:8.0f}/s   client {ours:5.0f} us, emulator {theirs:5.0f} us each",
        flush=True,
    )


if __name__ == "__main__":
    main()
