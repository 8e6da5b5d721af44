"""Messages of a session in order, its state, and the next session that is free."""

import os
import uuid

from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusClient, ServiceBusMessage

CONNECTION_STR = os.environ["SERVICEBUS_CONNECTION_STR"]
QUEUE_NAME = os.environ["SERVICEBUS_SESSION_QUEUE_NAME"]
SESSION_ID = str(uuid.uuid4())

with ServiceBusClient.from_connection_string(CONNECTION_STR) as client:
    with client.get_queue_sender(QUEUE_NAME) as sender:
        for number in range(3):
            sender.send_messages(ServiceBusMessage(f"step {number}", session_id=SESSION_ID))
        sender.send_messages(ServiceBusMessage("close", session_id=SESSION_ID))
    with client.get_queue_receiver(QUEUE_NAME, session_id=SESSION_ID, max_wait_time=5) as receiver:
        session = receiver.session
        session.set_state("open")
        for message in receiver:
            print(message)
            receiver.complete_message(message)
            session.renew_lock()
            if str(message) == "close":
                session.set_state("closed")
                break
        print((session.get_state() or b"").decode())
        session.set_state(None)
    with client.get_queue_sender(QUEUE_NAME) as sender:
        sender.send_messages(ServiceBusMessage("any session", session_id=SESSION_ID))
    with client.get_queue_receiver(
        QUEUE_NAME, session_id=NEXT_AVAILABLE_SESSION, max_wait_time=5
    ) as receiver:
        print(receiver.session.session_id == SESSION_ID)
        for message in receiver.receive_messages(max_wait_time=5):
            print(message)
            receiver.complete_message(message)
