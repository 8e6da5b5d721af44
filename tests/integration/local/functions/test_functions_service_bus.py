"""Functions that Service Bus calls: the real worker, the official SDK, the local emulator."""

import functools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.servicebus import (
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusReceivedMessage,
    ServiceBusSubQueue,
)

from crosswind_local import ManualClock
from crosswind_local.clock import Alarm
from crosswind_local.functions_host import FunctionsHost
from crosswind_local.pytest_plugin import FunctionsApp
from crosswind_local.servicebus import (
    QueueSettings,
    ServiceBusEmulator,
    Space,
    SubscriptionSettings,
)
from integration.local.functions.conftest import AppFolder
from integration.local.functions.desk import eventually

TELL = """
import json, os, threading, time

def told(message):
    return json.dumps({
        "body": message.get_body().decode(),
        "id": message.message_id,
        "count": message.delivery_count,
        "subject": message.subject,
        "label": message.label,
        "correlation": message.correlation_id,
        "type": message.content_type,
        "session": message.session_id,
        "sequence": message.sequence_number,
        "enqueued": str(message.enqueued_time_utc),
        "properties": message.application_properties,
        "user": message.user_properties,
        "token": message.lock_token,
    })
"""


class Bus:
    """Sends to and receives from entities, with the SDK."""

    def __init__(self, connection: str) -> None:
        self.connection = connection
        self._client = ServiceBusClient.from_connection_string(connection)

    def send(self, entity: str, *messages: ServiceBusMessage | str) -> None:
        """Send messages to a queue or topic."""
        with self._client.get_queue_sender(entity) as sender:
            sender.send_messages(
                [ServiceBusMessage(m) if isinstance(m, str) else m for m in messages]
            )

    def receive(
        self, queue: str, count: int = 1, **options: Any
    ) -> list[ServiceBusReceivedMessage]:
        """Receive and complete messages; a failure where they do not come."""
        got: list[ServiceBusReceivedMessage] = []
        with self._client.get_queue_receiver(queue, **options) as receiver:
            end = time.monotonic() + 60
            while len(got) < count and time.monotonic() < end:
                for message in receiver.receive_messages(count, max_wait_time=5):
                    receiver.complete_message(message)
                    got.append(message)
        assert len(got) == count
        return got

    def close(self) -> None:
        """Close the client."""
        self._client.close()


@pytest.fixture
def bus(servicebus_space: Space) -> Iterator[Bus]:
    bus = Bus(servicebus_space.connection_string)
    yield bus
    bus.close()


def run(app: FunctionsApp, folder: Any, bus: Bus, **options: Any) -> FunctionsHost:
    """An app whose connections and entities are those of the test."""
    return app(folder, env={"Bus": bus.connection, **options.pop("env", {})}, **options)


def counts(emulator: ServiceBusEmulator, queue: str) -> dict[str, Any]:
    """What a queue holds."""
    report: Any = emulator.report()
    found: dict[str, Any] = report["queues"][queue]
    return found


def test_a_message_arrives_with_all_that_it_carries_and_is_completed(
    app_folder: AppFolder,
    functions_app: FunctionsApp,
    servicebus_space: Space,
    local_servicebus: ServiceBusEmulator,
    bus: Bus,
) -> None:
    orders, done = servicebus_space.queue("orders"), servicebus_space.queue("done")
    folder = app_folder(
        TELL
        + """
@app.service_bus_queue_trigger(arg_name="order", queue_name="%ORDERS%", connection="Bus")
@app.service_bus_queue_output(arg_name="done", queue_name="%DONE%", connection="Bus")
def on_order(order: func.ServiceBusMessage, done: func.Out[str]):
    done.set(told(order))
"""
    )
    run(functions_app, folder, bus, env={"ORDERS": orders, "DONE": done})
    bus.send(
        orders,
        ServiceBusMessage(
            '{"n": 1}',
            message_id="m1",
            subject="order.made",
            correlation_id="c1",
            content_type="application/json",
            application_properties={"severity": "high", "n": 7},
        ),
    )

    (output,) = bus.receive(done)

    told = json.loads(str(output))
    assert told["body"] == '{"n": 1}'
    assert (told["id"], told["count"], told["sequence"]) == ("m1", 1, 1)
    assert told["subject"] == told["label"] == "order.made"
    assert (told["correlation"], told["type"]) == ("c1", "application/json")
    assert told["properties"] == told["user"] == {"severity": "high", "n": 7}
    assert len(told["token"]) == 36
    assert told["enqueued"].startswith("20")
    assert output.content_type == "text/plain"
    eventually(lambda: counts(local_servicebus, orders)["locked"] == 0)
    assert counts(local_servicebus, orders)["active"] == 0


def test_a_poison_message_is_tried_as_often_as_the_queue_says_and_then_dead_lettered(
    app_folder: AppFolder, functions_app: FunctionsApp, servicebus_space: Space, bus: Bus
) -> None:
    orders = servicebus_space.queue("orders", QueueSettings(max_delivery_count=3))
    folder = app_folder(
        """
        @app.service_bus_queue_trigger(arg_name="order", queue_name="%ORDERS%", connection="Bus")
        def on_order(order: func.ServiceBusMessage):
            logging.info("attempt %d", order.delivery_count)
            raise ValueError("poison")
        """
    )
    host = run(functions_app, folder, bus, env={"ORDERS": orders})
    bus.send(orders, ServiceBusMessage("x", message_id="poison"))

    (dead,) = bus.receive(orders, sub_queue=ServiceBusSubQueue.DEAD_LETTER)

    assert dead.message_id == "poison"
    assert dead.dead_letter_reason == "MaxDeliveryCountExceeded"
    assert [line for line in ("attempt 1", "attempt 2", "attempt 3") if line in host.log()] == [
        "attempt 1",
        "attempt 2",
        "attempt 3",
    ]
    assert "attempt 4" not in host.log()
    assert "ValueError: poison" in host.log()
    report: Any = host.report()
    assert report["functions"]["on_order"]["invocations"] == {"failed": 3}


def test_a_subscription_calls_a_function_of_a_blueprint_in_batches(
    app_folder: AppFolder, functions_app: FunctionsApp, servicebus_space: Space, bus: Bus
) -> None:
    topic, done = servicebus_space.topic("events"), servicebus_space.queue("done")
    servicebus_space.subscription(topic, "all")
    folder = app_folder(
        TELL
        + """
from typing import List

blueprint = func.Blueprint()

@blueprint.service_bus_topic_trigger(
    arg_name="events", topic_name="%TOPIC%", subscription_name="all", connection="Bus",
    cardinality=func.Cardinality.MANY,
)
@blueprint.service_bus_queue_output(arg_name="$return", queue_name="%DONE%", connection="Bus")
def on_events(events: List[func.ServiceBusMessage]) -> str:
    return json.dumps([told(event) for event in events])

app.register_functions(blueprint)
"""
    )
    bus.send(
        topic,
        *(
            ServiceBusMessage(f"b{n}", message_id=f"m{n}", application_properties={"n": n})
            for n in range(20)
        ),
    )
    host = run(functions_app, folder, bus, env={"TOPIC": topic, "DONE": done})

    outputs = [json.loads(str(message)) for message in bus.receive(done, 20)]

    assert [told["body"] for told in outputs] == [f"b{n}" for n in range(20)]
    assert [told["id"] for told in outputs] == [f"m{n}" for n in range(20)]
    assert [told["properties"]["n"] for told in outputs] == list(range(20))
    assert {told["count"] for told in outputs} == {1}
    report: Any = host.report()
    assert sum(report["functions"]["on_events"]["invocations"].values()) < 20


def test_a_batch_that_fails_is_given_back_in_whole(
    app_folder: AppFolder, functions_app: FunctionsApp, servicebus_space: Space, bus: Bus
) -> None:
    orders = servicebus_space.queue("orders", QueueSettings(max_delivery_count=2))
    folder = app_folder(
        """
        from typing import List

        @app.service_bus_queue_trigger(
            arg_name="orders", queue_name="%ORDERS%", connection="Bus", cardinality="many"
        )
        def on_orders(orders: List[func.ServiceBusMessage]):
            if any(order.get_body() == b"bad" for order in orders):
                raise ValueError("one is bad")
        """
    )
    bus.send(orders, "good", "bad")
    run(functions_app, folder, bus, env={"ORDERS": orders})

    dead = bus.receive(orders, 2, sub_queue=ServiceBusSubQueue.DEAD_LETTER)

    assert sorted(str(message) for message in dead) == ["bad", "good"]


def test_bytes_are_passed_where_the_binding_says_binary(
    app_folder: AppFolder, functions_app: FunctionsApp, servicebus_space: Space, bus: Bus
) -> None:
    orders, done = servicebus_space.queue("orders"), servicebus_space.queue("done")
    folder = app_folder(
        """
        @app.service_bus_queue_trigger(
            arg_name="order", queue_name="%ORDERS%", connection="Bus", data_type="binary"
        )
        @app.service_bus_queue_output(arg_name="done", queue_name="%DONE%", connection="Bus")
        def on_order(order: func.ServiceBusMessage, done: func.Out[bytes]):
            done.set(order.get_body())
        """
    )
    run(functions_app, folder, bus, env={"ORDERS": orders, "DONE": done})
    bus.send(orders, ServiceBusMessage(b"\xff\x00\xfe"))

    (output,) = bus.receive(done)

    assert b"".join(output.body) == b"\xff\x00\xfe"
    assert output.content_type == "application/octet-stream"


def test_messages_are_handled_at_the_same_time_up_to_the_limit(
    app_folder: AppFolder, functions_app: FunctionsApp, servicebus_space: Space, bus: Bus
) -> None:
    orders = servicebus_space.queue("orders", QueueSettings(lock_duration=300))
    folder = app_folder(
        """
        import threading

        together = threading.Barrier(3)
        running = 0

        @app.service_bus_queue_trigger(arg_name="order", queue_name="%ORDERS%", connection="Bus")
        def on_order(order: func.ServiceBusMessage):
            global running
            running += 1
            logging.info("running %d", running)
            together.wait(60)
            running -= 1
        """,
        extensions={"serviceBus": {"maxConcurrentCalls": 3}},
    )
    host = run(functions_app, folder, bus, env={"ORDERS": orders})
    bus.send(orders, *(str(number) for number in range(6)))

    report: Any
    eventually(lambda: _succeeded(host, "on_order") == 6)
    assert "running 3" in host.log()
    assert "running 4" not in host.log()
    report = host.report()
    assert report["functions"]["on_order"]["receivers"] == 3


def _succeeded(host: FunctionsHost, function: str) -> int:
    report: Any = host.report()
    found: int = report["functions"][function]["invocations"].get("succeeded", 0)
    return found


def test_a_worker_that_is_killed_gives_the_message_back_and_another_handles_it(
    app_folder: AppFolder, functions_app: FunctionsApp, servicebus_space: Space, bus: Bus
) -> None:
    orders, done = servicebus_space.queue("orders"), servicebus_space.queue("done")
    folder = app_folder(
        """
        import time

        @app.service_bus_queue_trigger(arg_name="order", queue_name="%ORDERS%", connection="Bus")
        @app.service_bus_queue_output(arg_name="done", queue_name="%DONE%", connection="Bus")
        def on_order(order: func.ServiceBusMessage, done: func.Out[str]):
            if order.delivery_count == 1:
                logging.info("hanging")
                time.sleep(600)
            done.set(f"attempt {order.delivery_count}")
        """
    )
    host = run(functions_app, folder, bus, env={"ORDERS": orders, "DONE": done})
    bus.send(orders, "x")
    eventually(lambda: "hanging" in host.log())
    before = host.pid

    host.kill()

    assert str(bus.receive(done)[0]) == "attempt 2"
    assert host.pid != before


def test_a_host_that_stops_gives_back_what_it_was_handling(
    app_folder: AppFolder,
    functions_app: FunctionsApp,
    servicebus_space: Space,
    local_servicebus: ServiceBusEmulator,
    bus: Bus,
) -> None:
    orders = servicebus_space.queue("orders", QueueSettings(lock_duration=300))
    folder = app_folder(
        """
        import time

        @app.service_bus_queue_trigger(arg_name="order", queue_name="%ORDERS%", connection="Bus")
        def on_order(order: func.ServiceBusMessage):
            logging.info("hanging")
            time.sleep(600)
        """
    )
    host = run(functions_app, folder, bus, env={"ORDERS": orders})
    bus.send(orders, "x")
    eventually(lambda: "hanging" in host.log())

    host.stop()

    held = counts(local_servicebus, orders)
    assert (held["active"], held["locked"], held["receivers"]) == (1, 0, 0)


def test_an_output_that_cannot_be_sent_fails_the_call(
    app_folder: AppFolder, functions_app: FunctionsApp, servicebus_space: Space, bus: Bus
) -> None:
    orders = servicebus_space.queue("orders", QueueSettings(max_delivery_count=1))
    folder = app_folder(
        """
        @app.service_bus_queue_trigger(arg_name="order", queue_name="%ORDERS%", connection="Bus")
        @app.service_bus_topic_output(arg_name="done", topic_name="nowhere", connection="Bus")
        def on_order(order: func.ServiceBusMessage, done: func.Out[str]):
            done.set("x")
        """
    )
    host = run(functions_app, folder, bus, env={"ORDERS": orders})
    bus.send(orders, "x")

    bus.receive(orders, sub_queue=ServiceBusSubQueue.DEAD_LETTER)

    assert "the output to nowhere was not sent" in host.log()


def test_the_messages_of_a_session_come_in_their_order(
    app_folder: AppFolder, functions_app: FunctionsApp, servicebus_space: Space, bus: Bus
) -> None:
    orders = servicebus_space.queue("orders", QueueSettings(requires_session=True))
    done = servicebus_space.queue("done")
    folder = app_folder(
        """
        @app.service_bus_queue_trigger(
            arg_name="order", queue_name="%ORDERS%", connection="Bus", is_sessions_enabled=True
        )
        @app.service_bus_queue_output(arg_name="done", queue_name="%DONE%", connection="Bus")
        def on_order(order: func.ServiceBusMessage, done: func.Out[str]):
            done.set(f"{order.session_id} {order.get_body().decode()}")
        """
    )
    bus.send(
        orders,
        *(ServiceBusMessage(str(n), session_id=session) for n in range(5) for session in "ab"),
    )
    run(functions_app, folder, bus, env={"ORDERS": orders, "DONE": done})

    got = [str(message) for message in bus.receive(done, 10)]

    for session in "ab":
        assert [text for text in got if text[0] == session] == [f"{session} {n}" for n in range(5)]


def test_a_lock_is_renewed_as_long_as_host_json_says(
    app_folder: AppFolder, functions_app: FunctionsApp
) -> None:
    clock = ManualClock(time.time() + 3600)
    shared = Shared(clock)
    folder = app_folder(
        """
        import os, time

        @app.service_bus_queue_trigger(arg_name="order", queue_name="orders", connection="Bus")
        def on_order(order: func.ServiceBusMessage):
            logging.info("attempt %d", order.delivery_count)
            while not os.path.exists(os.environ["GO"]):
                time.sleep(0.05)
        """,
        extensions={"serviceBus": {"maxAutoLockRenewalDuration": "00:02:00"}},
    )
    go = folder / "go"
    with ServiceBusEmulator(clock=clock) as emulator:
        emulator.add_queue("orders", QueueSettings(lock_duration=60, max_delivery_count=10))
        bus = Bus(emulator.connection_string)
        host = run(functions_app, folder, bus, env={"GO": str(go)}, clock=shared)
        bus.send("orders", "x")
        eventually(lambda: "attempt 1" in host.log())

        # One alarm is the limit of the call, one the first renewal, and each renewal sets another.
        for alarms in (2, 3, 4):
            eventually(functools.partial(shared.has_set, alarms))
            clock.advance(31)
        eventually(lambda: _calls(emulator, "renew-lock OK") == 3)
        assert counts(emulator, "orders")["locked"] == 1
        assert "attempt 2" not in host.log()

        # After two minutes it is not, so that the message comes again while it is still handled.
        clock.advance(31)
        clock.advance(61)
        eventually(lambda: "attempt 2" in host.log())
        go.touch()
        eventually(lambda: counts(emulator, "orders")["locked"] == 0)
        assert counts(emulator, "orders")["active"] == 0
        assert "was not settled and will be delivered again" in host.log()
        bus.close()
        host.stop()


class Shared:
    """The clock of an emulator as the host uses it: `alarms` counts those that it has set."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.alarms = 0

    def now(self) -> float:
        """The time."""
        return self._clock.now()

    def call_at(self, when: float, action: Callable[[], None]) -> Alarm:
        """Set an alarm."""
        alarm = self._clock.call_at(when, action)
        self.alarms += 1
        return alarm

    def has_set(self, alarms: int) -> bool:
        """Whether so many were set."""
        return self.alarms == alarms

    def close(self) -> None:
        """Leave it to its owner."""


def _calls(emulator: ServiceBusEmulator, name: str) -> int:
    report: Any = emulator.report()
    found: int = report["calls"].get(name, 0)
    return found


def test_a_queue_that_there_is_not_yet_is_tried_again(
    app_folder: AppFolder,
    functions_app: FunctionsApp,
    servicebus_space: Space,
    bus: Bus,
) -> None:
    name = servicebus_space.queue("prefix")
    late = f"{name}-late"
    folder = app_folder(
        """
        @app.service_bus_queue_trigger(arg_name="order", queue_name="%ORDERS%", connection="Bus")
        def on_order(order: func.ServiceBusMessage):
            logging.info("here")
        """
    )
    host = run(functions_app, folder, bus, env={"ORDERS": late})
    eventually(lambda: f"receiving from {late} failed" in host.log())

    servicebus_space.queue("prefix-late")
    bus.send(late, "x")

    eventually(lambda: "here" in host.log())


def test_a_message_can_be_given_by_hand(
    app_folder: AppFolder, functions_app: FunctionsApp, servicebus_space: Space, bus: Bus
) -> None:
    topic = servicebus_space.topic("events")
    servicebus_space.subscription(topic, "all", SubscriptionSettings())
    folder = app_folder(
        TELL
        + """
@app.service_bus_topic_trigger(
    arg_name="event", topic_name="%TOPIC%", subscription_name="all", connection="Bus"
)
def on_event(event: func.ServiceBusMessage):
    logging.info("got %s", event.get_body().decode())
"""
    )
    host = run(functions_app, folder, bus, env={"TOPIC": topic})

    assert host.fire("on_event", "hello").succeeded
    assert "got hello" in host.log()
