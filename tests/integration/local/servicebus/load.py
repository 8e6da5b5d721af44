"""How fast the emulator is, and whether it keeps its size: run by hand, never by the tests.

    PYTHONPATH=tests python -m integration.local.servicebus.load            # a minute
    PYTHONPATH=tests python -m integration.local.servicebus.load --soak 10  # ten minutes

Client and emulator run in processes of their own, as they do in earnest. Beside the rate it tells
the CPU that each of the two spends on a message: on a busy machine the rate says how busy it is,
the CPU what the work costs.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from azure.servicebus import ServiceBusClient, ServiceBusMessage

BODY = b"x" * 500
BATCH = 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--soak", type=float, default=0, help="minutes at half the goals")
    soak = parser.parse_args().soak
    config = Path(__file__).parents[3] / "fixtures" / "servicebus" / "conformance.json"
    command = [sys.executable, "-m", "crosswind_local.cli", "servicebus", "--json"]
    with subprocess.Popen(
        [*command, "--config", str(config)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        text = json.loads(process.stdout.readline())["SERVICEBUS_CONNECTION_STR"]
        try:
            with ServiceBusClient.from_connection_string(text) as client:
                if soak:
                    endure(client, process.pid, soak * 60)
                else:
                    measure(client, process.pid)
        finally:
            process.terminate()


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


def endure(client: ServiceBusClient, server: int, seconds: float) -> None:
    """Half of the goals for a while; tells the memory of the emulator every ten seconds."""
    end, sent, done = time.monotonic() + seconds, 0, 0
    with (
        client.get_queue_sender("plain") as sender,
        client.get_queue_receiver("plain", prefetch_count=200) as receiver,
    ):
        began = tick = time.monotonic()
        while time.monotonic() < end:
            sender.send_messages([ServiceBusMessage(BODY) for _ in range(200)])
            sent += 200
            while done < sent:
                # Asked for more than there is, the SDK waits for the rest: 0.2 s after the last
                # message to come, and its whole time if those there are had come before it asked.
                received = receiver.receive_messages(min(200, sent - done), max_wait_time=5)
                for number, message in enumerate(received):
                    # One in ten takes another way than the usual.
                    if number % 10:
                        receiver.complete_message(message)
                        done += 1
                    elif message.delivery_count:
                        receiver.dead_letter_message(message)
                        done += 1
                    else:
                        receiver.abandon_message(message)
            if time.monotonic() - tick >= 10:
                tick = time.monotonic()
                empty(client)
                rate = done / (tick - began)
                print(
                    f"{tick - began:6.0f} s  {memory(server):7.1f} MiB  {rate:6.0f}/s", flush=True
                )
            # 1,000 a second at most.
            time.sleep(max(0, began + done / 1_000 - time.monotonic()))


def empty(client: ServiceBusClient) -> None:
    """Take out all dead letters."""
    with client.get_queue_receiver(
        "plain", sub_queue="deadletter", receive_mode="receiveanddelete", prefetch_count=500
    ) as letters:
        while letters.receive_messages(500, max_wait_time=0.5):
            pass


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


def spent(process: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(process: int) -> float:
    """MiB that a process holds in memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


if __name__ == "__main__":
    main()
