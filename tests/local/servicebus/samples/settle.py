"""What becomes of a message: abandoned, deferred, dead-lettered; browsed; and what is dead."""

import os

from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSubQueue

CONNECTION_STR = os.environ["SERVICEBUS_CONNECTION_STR"]
QUEUE_NAME = os.environ["SERVICEBUS_QUEUE_NAME"]

with ServiceBusClient.from_connection_string(CONNECTION_STR) as client:
    with client.get_queue_sender(QUEUE_NAME) as sender:
        sender.send_messages(ServiceBusMessage("poison"))
    with client.get_queue_receiver(queue_name=QUEUE_NAME) as receiver:
        print([str(message) for message in receiver.peek_messages(max_message_count=1)])
        (message,) = receiver.receive_messages(max_wait_time=5)
        receiver.abandon_message(message)
        (message,) = receiver.receive_messages(max_wait_time=5)
        print("delivered before:", message.delivery_count)
        receiver.defer_message(message)
        (message,) = receiver.receive_deferred_messages(message.sequence_number or 0)
        receiver.dead_letter_message(
            message, reason="not wanted", error_description="nobody can work it"
        )
    with client.get_queue_receiver(QUEUE_NAME, sub_queue=ServiceBusSubQueue.DEAD_LETTER) as dead:
        for message in dead.receive_messages(max_wait_time=5):
            print(message, message.dead_letter_reason, message.dead_letter_error_description)
            dead.complete_message(message)
