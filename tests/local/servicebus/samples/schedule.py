"""Messages for later: scheduled, cancelled, and received when it is time."""

import datetime
import os

from azure.servicebus import ServiceBusClient, ServiceBusMessage

CONNECTION_STR = os.environ["SERVICEBUS_CONNECTION_STR"]
QUEUE_NAME = os.environ["SERVICEBUS_QUEUE_NAME"]

with ServiceBusClient.from_connection_string(CONNECTION_STR) as client:
    with client.get_queue_sender(QUEUE_NAME) as sender:
        due = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=3)
        numbers = sender.schedule_messages(
            [ServiceBusMessage("kept"), ServiceBusMessage("cancelled")], due
        )
        sender.cancel_scheduled_messages(numbers[1])
    with client.get_queue_receiver(QUEUE_NAME) as receiver:
        (message,) = receiver.receive_messages(max_wait_time=30)
        print(message, datetime.datetime.now(datetime.UTC) >= due)
        receiver.complete_message(message)
