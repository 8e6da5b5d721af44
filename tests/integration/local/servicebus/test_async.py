"""The asynchronous SDK, and its automatic lock renewer, in real time."""

import asyncio
from collections.abc import Callable

from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusMessage
from azure.servicebus.aio import AutoLockRenewer, ServiceBusClient

from crosswind_local.servicebus import QueueSettings, ServiceBusEmulator, Space, rule, sql_filter


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that is about to happen."""
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.02)


def test_the_asynchronous_client_sends_and_receives(servicebus_space: Space) -> None:
    queue, topic = servicebus_space.queue(), servicebus_space.topic()
    urgent = rule("urgent", sql_filter("urgent = TRUE"))
    servicebus_space.subscription(topic, "urgent", rules=[urgent])
    sessions = servicebus_space.queue("sessions", QueueSettings(requires_session=True))

    async def from_the_queue(client: ServiceBusClient) -> list[str]:
        seen = []
        async with client.get_queue_sender(queue) as sender:
            await sender.send_messages([ServiceBusMessage(str(number)) for number in range(3)])
        async with client.get_queue_receiver(queue, max_wait_time=0.5) as receiver:
            async for message in receiver:
                seen.append(str(message))
                await receiver.complete_message(message)
        return seen

    async def from_the_subscription(client: ServiceBusClient) -> list[str]:
        async with (
            client.get_topic_sender(topic) as sender,
            client.get_subscription_receiver(topic, "urgent") as receiver,
        ):
            for urgent in (True, False):
                await sender.send_messages(
                    ServiceBusMessage(str(urgent), application_properties={"urgent": urgent})
                )
            received = await receiver.receive_messages(2, max_wait_time=5)
            for message in received:
                await receiver.dead_letter_message(message, reason="seen")
        return [str(message) for message in received]

    async def from_a_session(client: ServiceBusClient) -> bytes:
        async with client.get_queue_sender(sessions) as sender:
            await sender.send_messages(ServiceBusMessage("1", session_id="s"))
        async with client.get_queue_receiver(
            sessions, session_id=NEXT_AVAILABLE_SESSION, max_wait_time=5
        ) as receiver:
            (message,) = await receiver.receive_messages(1)
            await receiver.session.set_state(str(message).encode())
            await receiver.complete_message(message)
            state = await receiver.session.get_state()
        assert state is not None
        return state

    async def everything() -> None:
        async with ServiceBusClient.from_connection_string(
            servicebus_space.connection_string
        ) as client:
            queued, urgent, state = await asyncio.gather(
                from_the_queue(client), from_the_subscription(client), from_a_session(client)
            )
            assert (queued, urgent, state) == (["0", "1", "2"], ["True"], b"1")

    asyncio.run(everything())


def test_the_lock_renewer_keeps_a_message_and_a_session(
    servicebus_space: Space, local_servicebus: ServiceBusEmulator
) -> None:
    queue = servicebus_space.queue("queue", QueueSettings(lock_duration=5))
    sessions = servicebus_space.queue(
        "sessions", QueueSettings(lock_duration=5, requires_session=True)
    )

    def renewed() -> bool:
        calls = local_servicebus.report()["calls"]
        assert isinstance(calls, dict)
        return {"renew-lock OK", "renew-session-lock OK"} <= calls.keys()

    async def everything() -> None:
        async with (
            ServiceBusClient.from_connection_string(servicebus_space.connection_string) as client,
            AutoLockRenewer() as renewer,
            client.get_queue_sender(queue) as sender,
            client.get_queue_sender(sessions) as to_sessions,
            client.get_queue_receiver(queue, auto_lock_renewer=renewer) as receiver,
        ):
            await sender.send_messages(ServiceBusMessage("1"))
            await to_sessions.send_messages(ServiceBusMessage("1", session_id="s"))
            (message,) = await receiver.receive_messages(1, max_wait_time=5)
            renewer.register(receiver, message)
            before = message.locked_until_utc
            async with client.get_queue_receiver(
                sessions, session_id="s", auto_lock_renewer=renewer
            ) as of_session:
                (second,) = await of_session.receive_messages(1, max_wait_time=5)
                await until(renewed)
                await until(lambda: message.locked_until_utc != before)
                await receiver.complete_message(message)
                await of_session.complete_message(second)

    asyncio.run(everything())
