"""How fast the local Firestore is, through the official SDK, in a process of its own.

    PYTHONPATH=tests python -m bench.firestore

Client and emulator share the cores of this machine. Each line is one kind of work.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import google.cloud.firestore as firestore

TIMES = 500
CLIENTS = 4
SIZES = (1_000, 10_000, 50_000)


def rate(work: Callable[[int], object], times: int = TIMES) -> float:
    """How often a second a piece of work is done, one after the other."""
    began = time.perf_counter()
    for number in range(times):
        work(number)
    return times / (time.perf_counter() - began)


def measure(client: Any) -> None:
    """Print each measurement."""
    things = client.collection("things")
    print(f"set              {rate(lambda n: things.document(f'd{n}').set({'n': n})):8.0f} /s")
    print(f"get              {rate(lambda n: things.document(f'd{n}').get()):8.0f} /s")

    def add_one(transaction: Any, reference: Any) -> None:
        seen = reference.get(transaction=transaction).get("n")
        transaction.update(reference, {"n": seen + 1})

    carry_out: Any = firestore.transactional(add_one)

    def transact(number: int) -> None:
        carry_out(client.transaction(), things.document(f"d{number}"))

    print(f"transaction      {rate(transact):8.0f} /s, each on a document of its own")

    def many(worker: int) -> None:
        for number in range(worker, TIMES, CLIENTS):
            things.document(f"d{number}").set({"n": number})

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(many, range(CLIENTS)))
    print(f"set, {CLIENTS} threads   {TIMES / (time.perf_counter() - began):8.0f} /s")

    stored = 0
    rows = client.collection("rows")
    some = rows.where(filter=firestore.FieldFilter("n", "<", 10)).order_by("n")
    for size in SIZES:
        while stored < size:
            batch = client.batch()
            for number in range(stored, stored + 500):
                batch.set(rows.document(f"r{number:06}"), {"n": number, "even": number % 2 == 0})
            batch.commit()
            stored += 500
        assert len(some.get()) == 10
        took = 1000 / rate(lambda n: some.get(), times=5)
        print(f"query for 10 of {size:6} documents {took:8.1f} ms")
        took = 1000 / rate(lambda n: rows.document("r000001").set({"n": 1}), times=50)
        print(f"set among {size:6} documents       {took:8.2f} ms")


def main() -> None:
    """Start the emulator, measure, and stop it."""
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        os.environ.update(json.loads(process.stdout.readline()))
        measure(firestore.Client(project="bench"))
        process.stdin.close()


SERVER = """
import json, sys
from crosswind_local.firestore import FirestoreEmulator
with FirestoreEmulator() as emulator:
    print(json.dumps(emulator.env), flush=True)
    sys.stdin.read()
"""

if __name__ == "__main__":
    main()
