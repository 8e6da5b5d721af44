"""A queue: made, sent to, peeked at, received from, changed, and removed."""

import os

from azure.storage.queue import QueueClient

queue = QueueClient.from_connection_string(
    conn_str=os.environ["AZURE_STORAGE_CONNECTION_STRING"], queue_name=os.environ["QUEUE_NAME"]
)
with queue:
    queue.create_queue()
    for content in ("one", "two", "three"):
        queue.send_message(content)
    print([message.content for message in queue.peek_messages(max_messages=2)])
    first = queue.receive_message(visibility_timeout=60)
    if first is not None:
        changed = queue.update_message(
            first, pop_receipt=first.pop_receipt, content="one again", visibility_timeout=0
        )
        print(changed.content)
    received = []
    for page in queue.receive_messages(messages_per_page=5, visibility_timeout=60).by_page():
        for message in page:
            received.append(message.content)
            queue.delete_message(message)
    print(sorted(received))
    print(queue.get_queue_properties().approximate_message_count)
    queue.delete_queue()
