"""Publish to a topic; each subscription receives a copy of its own."""

import os

from azure.servicebus import ServiceBusClient, ServiceBusMessage

CONNECTION_STR = os.environ["SERVICEBUS_CONNECTION_STR"]
TOPIC_NAME = os.environ["SERVICEBUS_TOPIC_NAME"]

with ServiceBusClient.from_connection_string(conn_str=CONNECTION_STR) as client:
    with client.get_topic_sender(topic_name=TOPIC_NAME) as sender:
        sender.send_messages(
            [
                ServiceBusMessage(
                    "broken", subject="deploy.failed", application_properties={"severity": "high"}
                ),
                ServiceBusMessage("fine", subject="deploy.done"),
            ]
        )
    for subscription in ("every", "sql"):
        with client.get_subscription_receiver(
            topic_name=TOPIC_NAME, subscription_name=subscription, max_wait_time=2
        ) as receiver:
            for message in receiver:
                print(subscription, message)
                receiver.complete_message(message)
