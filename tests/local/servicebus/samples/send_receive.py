"""Send to a queue one by one, as a list and in a batch; receive and complete."""

import os

from azure.servicebus import ServiceBusClient, ServiceBusMessage

CONNECTION_STR = os.environ["SERVICEBUS_CONNECTION_STR"]
QUEUE_NAME = os.environ["SERVICEBUS_QUEUE_NAME"]

client = ServiceBusClient.from_connection_string(CONNECTION_STR)
with client:
    with client.get_queue_sender(QUEUE_NAME) as sender:
        sender.send_messages(ServiceBusMessage("single"))
        sender.send_messages([ServiceBusMessage(f"list {number}") for number in range(3)])
        batch = sender.create_message_batch()
        for number in range(3):
            batch.add_message(ServiceBusMessage(f"batch {number}"))
        sender.send_messages(batch)
    with client.get_queue_receiver(QUEUE_NAME, max_wait_time=2) as receiver:
        for message in receiver:
            print(message)
            receiver.complete_message(message)
