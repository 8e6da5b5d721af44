"""Topics and subscriptions through the official SDK."""

from typing import Any

import pytest
from google.api_core import exceptions
from google.protobuf import duration_pb2
from google.pubsub_v1 import PublisherClient as GapicPublisher

from local.pubsub.desk import Desk, refused, texts


def test_a_subscription_has_the_services_defaults(desk: Desk) -> None:
    topic = desk.topic(labels={"team": "ops"})
    name = desk.subscription(topic)
    shown = desk.subscriber.get_subscription(subscription=name)
    assert shown.topic == topic
    assert shown.ack_deadline_seconds == 10
    assert shown.message_retention_duration.days == 7
    assert shown.expiration_policy.ttl.days == 31
    assert shown.state.name == "ACTIVE"
    assert desk.publisher.get_topic(topic=topic).labels == {"team": "ops"}


def test_names_are_taken_once_and_missing_ones_are_told(desk: Desk) -> None:
    topic = desk.topic()
    desk.subscription(topic)
    with refused(exceptions.AlreadyExists, r"resource=topic"):
        desk.topic()
    with refused(exceptions.AlreadyExists, r"resource=subscription"):
        desk.subscription(topic)
    with refused(exceptions.NotFound, r"resource=gone"):
        desk.subscription(f"projects/{desk.project}/topics/gone", "other")
    with pytest.raises(exceptions.NotFound):
        desk.publisher.publish(f"{topic}-gone", b"x").result(timeout=10)
    with refused(exceptions.InvalidArgument, r"Invalid \[topics\] name"):
        desk.publisher.create_topic(name=f"projects/{desk.project}/topics/googly")


def test_an_update_changes_what_its_mask_names_and_nothing_else(desk: Desk) -> None:
    name = desk.subscription(desk.topic(), labels={"a": "1"})
    updated = desk.subscriber.update_subscription(
        subscription={"name": name, "ack_deadline_seconds": 30, "labels": {"b": "2"}},
        update_mask={"paths": ["ack_deadline_seconds"]},
    )
    assert updated.ack_deadline_seconds == 30
    assert updated.labels == {"a": "1"}
    cleared = desk.subscriber.update_subscription(
        subscription={"name": name}, update_mask={"paths": ["labels"]}
    )
    assert cleared.labels == {}


@pytest.mark.parametrize("path", ["filter", "topic", "name", "enable_message_ordering", "nope"])
def test_what_cannot_change_is_refused(desk: Desk, path: str) -> None:
    name = desk.subscription(desk.topic())
    with refused(exceptions.InvalidArgument, "Invalid update_mask"):
        desk.subscriber.update_subscription(
            subscription={"name": name}, update_mask={"paths": [path]}
        )


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"ack_deadline_seconds": 5}, "minimum value is 10"),
        ({"ack_deadline_seconds": 601}, "maximum value is 600"),
        ({"message_retention_duration": duration_pb2.Duration(seconds=60)}, "retention"),
        ({"filter": "attributes.x"}, "Invalid filter"),
        ({"push_config": {"push_endpoint": "nowhere"}}, "Invalid push endpoint"),
    ],
)
def test_settings_out_of_range_are_refused(desk: Desk, settings: dict[str, Any], says: str) -> None:
    with refused(exceptions.InvalidArgument, says):
        desk.subscription(desk.topic(), **settings)


def test_lists_come_in_pages(desk: Desk) -> None:
    topics = [desk.topic(f"topic-{number}") for number in range(5)]
    for number in range(3):
        desk.subscription(topics[0], f"subscription-{number}")
    pages = list(
        desk.publisher.list_topics(
            request={"project": f"projects/{desk.project}", "page_size": 2}
        ).pages
    )
    assert all(len(page.topics) <= 2 for page in pages)
    listed = [topic.name for page in pages for topic in page.topics]
    assert [name for name in listed if name in topics] == topics
    listed = desk.publisher.list_topic_subscriptions(request={"topic": topics[0], "page_size": 1})
    assert len(list(listed)) == 3
    with refused(exceptions.InvalidArgument, "page_token"):
        desk.publisher.list_topics(
            request={"project": f"projects/{desk.project}", "page_token": "?"}
        )


def test_a_deleted_topic_leaves_its_subscription_with_what_it_holds(desk: Desk) -> None:
    topic = desk.topic()
    name = desk.subscription(topic)
    desk.publish(topic, "kept")
    desk.publisher.delete_topic(topic=topic)
    assert desk.subscriber.get_subscription(subscription=name).topic == "_deleted-topic_"
    assert texts(desk.pull(name)) == ["kept"]


def test_a_detached_subscription_drops_all_and_cannot_be_pulled(desk: Desk) -> None:
    topic = desk.topic()
    name = desk.subscription(topic)
    desk.publish(topic, "lost")
    desk.publisher.detach_subscription(request={"subscription": name})
    assert desk.subscriber.get_subscription(subscription=name).detached
    with refused(exceptions.FailedPrecondition, "detached"):
        desk.pull(name)


@pytest.mark.needs("refusal")
def test_what_is_not_there_is_refused_by_name(desk: Desk) -> None:
    topic = desk.topic()
    name = desk.subscription(topic)
    with refused(exceptions.MethodNotImplemented, "does not support snapshots"):
        desk.subscriber.create_snapshot(
            name=f"projects/{desk.project}/snapshots/snap", subscription=name
        )
    with refused(exceptions.MethodNotImplemented, "bigquery_config"):
        desk.subscription(topic, "other", bigquery_config={"table": "p.d.t"})
    with refused(exceptions.MethodNotImplemented, "schema_settings"):
        desk.topic("other", schema_settings={"schema": "projects/p/schemas/s"})


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([], "minimum value is 1"),
        ([{}], "must contain either non-empty data"),
        ([{"data": b"x"}] * 1001, "maximum value is 1000"),
        ([{"data": b"x" * 10_000_001}], "request_size is too large"),
        ([{"attributes": {"k" * 257: ""}}], "attribute key size"),
        ([{"attributes": {"k": "v" * 1025}}], "attribute value size"),
        ([{"attributes": {str(n): "" for n in range(101)}}], "attributes count"),
        ([{"data": b"1", "ordering_key": "a"}, {"data": b"2"}], "same ordering key"),
    ],
)
def test_the_limits_of_publishing_are_kept(
    desk: Desk, messages: list[dict[str, object]], says: str
) -> None:
    with refused(exceptions.InvalidArgument, says):
        GapicPublisher(transport=desk.publisher.transport).publish(
            request={"topic": desk.topic(), "messages": messages}
        )
