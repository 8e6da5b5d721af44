"""What is put together by hand is what the protobuf library would write."""

from typing import Any

from google.pubsub_v1 import types
from hypothesis import given
from hypothesis import strategies as st

from crosswind_local.pubsub import responses
from crosswind_local.pubsub.deliveries import Consumer, Entry, Lease
from crosswind_local.pubsub.messages import Draft, accept
from crosswind_local.pubsub.policies import Policy

PullResponse: Any = types.PullResponse.pb()

texts = st.text(max_size=40)
drafts = st.builds(
    Draft,
    # Around the sizes at which a length takes another byte.
    st.one_of(st.binary(max_size=300), st.integers(16_300, 16_500).map(bytes)),
    st.dictionaries(texts, texts, max_size=3),
    texts,
)


@given(
    st.lists(
        st.tuples(drafts, st.integers(1, 2**62), st.integers(0, 2**61), st.integers(1, 100)),
        max_size=5,
    ),
    st.booleans(),
)
def test_every_message_arrives_as_it_was_published(
    sent: list[tuple[Draft, int, int, int]], counted: bool
) -> None:
    policy = Policy(dead_letter_topic="projects/p/topics/dead" if counted else None)
    expected, leases = PullResponse(), []
    for index, (draft, number, published, attempt) in enumerate(sent):
        entry = Entry(accept(draft, number, published))
        leases.append(Lease(f"a-{index}", entry, Consumer(), 0.0, attempt))
        received = expected.received_messages.add(ack_id=f"a-{index}")
        received.message.data = draft.data
        received.message.attributes.update(draft.attributes)
        received.message.ordering_key = draft.ordering_key
        received.message.message_id = str(number)
        received.message.publish_time.FromNanoseconds(published)
        if counted:
            received.delivery_attempt = attempt
    assert PullResponse.FromString(responses.received_messages(leases, policy)) == expected
