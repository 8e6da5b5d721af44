"""The same with the asynchronous client, and a lock that is renewed meanwhile."""

import asyncio
import os

from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import AutoLockRenewer, ServiceBusClient

CONNECTION_STR = os.environ["SERVICEBUS_CONNECTION_STR"]
QUEUE_NAME = os.environ["SERVICEBUS_QUEUE_NAME"]


async def main() -> None:
    async with (
        ServiceBusClient.from_connection_string(CONNECTION_STR) as client,
        AutoLockRenewer() as renewer,
    ):
        async with client.get_queue_sender(QUEUE_NAME) as sender:
            await sender.send_messages(ServiceBusMessage("single"))
            batch = await sender.create_message_batch()
            for number in range(3):
                batch.add_message(ServiceBusMessage(f"batch {number}"))
            await sender.send_messages(batch)
        async with client.get_queue_receiver(QUEUE_NAME, prefetch_count=10) as receiver:
            seen = 0
            while seen < 4:
                for message in await receiver.receive_messages(max_message_count=4):
                    renewer.register(receiver, message, max_lock_renewal_duration=60)
                    print(message)
                    await receiver.complete_message(message)
                    seen += 1


asyncio.run(main())
