"""The configuration file of the official emulator."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind_local import ManualClock
from crosswind_local.memory import Memory
from crosswind_local.servicebus import config, durations
from crosswind_local.servicebus.config import InvalidConfiguration
from crosswind_local.servicebus.holders import Holder
from crosswind_local.servicebus.messages import Message
from crosswind_local.servicebus.namespace import Namespace
from crosswind_local.servicebus.settings import QueueSettings
from crosswind_local.servicebus.topics import Subscription, Topic
from unit.local.servicebus_inbox import Inbox
from unit.local.servicebus_messages import message

SAMPLE = Path(__file__).parents[2] / "fixtures" / "servicebus" / "emulator-config.json"


def configured(content: bytes | str) -> Namespace:
    namespace = Namespace(ManualClock(), Memory())
    config.apply(config.parse(content), namespace)
    return namespace


def document(**namespace: Any) -> str:
    told = {"Name": "sbemulatorns", "Queues": [], "Topics": [], **namespace}
    return json.dumps({"UserConfig": {"Namespaces": [told], "Logging": {"Type": "File"}}})


def received(namespace: Namespace, address: str) -> list[Message]:
    holder = namespace.find(address)
    assert isinstance(holder, Holder)
    return [entry.message for entry in Inbox(holder).join().entries]


def test_a_file_of_the_official_emulator_is_read_as_it_is() -> None:
    namespace = configured(SAMPLE.read_bytes())
    queue = namespace.find("queue.1")
    assert isinstance(queue, Holder)
    assert queue.settings == QueueSettings(
        default_time_to_live=3600, lock_duration=60, max_delivery_count=3
    )
    topic = namespace.find("topic.1")
    assert isinstance(topic, Topic)
    topic.send(
        [
            message(
                messageid="msgid1", correlationid="id1", contenttype="application/text",
                label="subject1", replyto="someQueue", to="xyz",
                sessionid="session1", replytosessionid="sessionId",
            ),
            message(messageid="2", application={"prop1": "value1"}),
            message(messageid="123456", application={"userProp1": "value1"}),
        ]
    )  # fmt: skip
    at = "topic.1/Subscriptions/"
    assert [each.message_id for each in received(namespace, at + "subscription.1")] == ["msgid1"]
    assert [each.message_id for each in received(namespace, at + "subscription.2")] == ["2"]
    assert len(received(namespace, at + "subscription.3")) == 3
    (changed,) = received(namespace, at + "subscription.4")
    assert changed.system("to") == "Entity"
    assert changed.application == {"userProp1": "value1", "RuleName": "sql-filter-1"}


def test_what_the_file_does_not_say_is_as_the_emulator_has_it() -> None:
    topic = {"Name": "t", "Subscriptions": [{"Name": "s"}, {"Name": "none", "Rules": []}]}
    namespace = configured(document(Queues=[{"Name": "q"}], Topics=[topic]))
    for address in ("q", "t/subscriptions/s"):
        holder = namespace.find(address)
        assert isinstance(holder, Holder)
        assert holder.settings.max_delivery_count == 3
        assert holder.settings.default_time_to_live == 3600
        assert holder.settings.lock_duration == 60
    subscription = namespace.find("t/subscriptions/s")
    assert isinstance(subscription, Subscription)
    assert list(subscription.rules) == ["$default"]


def test_the_window_counts_only_where_duplicates_are_detected() -> None:
    window = {"DuplicateDetectionHistoryTimeWindow": "PT5M"}
    reading = config.parse(
        document(
            Queues=[
                {"Name": "a", "Properties": window},
                {"Name": "b", "Properties": {**window, "RequiresDuplicateDetection": True}},
                {"Name": "c", "Properties": {"RequiresDuplicateDetection": True}},
            ]
        )
    )
    assert [settings.duplicate_window for _, settings in reading.queues] == [None, 300, 20]


def test_what_is_forwarded_to_may_stand_after_what_forwards() -> None:
    first = {"Name": "first", "Properties": {"ForwardTo": "second"}}
    namespace = configured(document(Queues=[first, {"Name": "second"}]))
    assert namespace.find("first")
    with pytest.raises(InvalidConfiguration, match=r"queue 'first'.*'second' could not be found"):
        configured(document(Queues=[first]))


def test_lists_that_are_empty_may_be_left_out_and_a_byte_order_mark_be_there() -> None:
    told = {"UserConfig": {"Namespaces": [{"Name": "n", "Queues": [{"Name": "q"}]}]}}
    assert configured(b"\xef\xbb\xbf" + json.dumps(told).encode()).find("q")


def test_every_fault_is_told_with_its_place() -> None:
    rules = [
        {"Name": "r", "Properties": {"FilterType": "Sql", "SqlFilter": {"SqlExpression": "a ="}}},
        {"Name": "s", "Properties": {"FilterType": "Sql", "SqlFilter": {}}},
        {"Name": "t", "Properties": {"FilterType": "Nope"}},
        {"Properties": {"FilterType": "Correlation", "CorrelationFilter": {}}},
        {
            "Name": "u",
            "Properties": {"FilterType": "Correlation", "CorrelationFilter": {"Size": "1"}},
        },
        {
            "Name": "v",
            "Properties": {
                "FilterType": "Correlation", "CorrelationFilter": {"Properties": {"a": []}}
            },
        },
        {
            "Name": "w",
            "Properties": {
                "FilterType": "Sql",
                "SqlFilter": {"SqlExpression": "1=1"},
                "Action": {"SqlExpression": "SET"},
            },
        },
        {
            "Name": "x",
            "Properties": {
                "FilterType": "Sql",
                "SqlFilter": {"SqlExpression": "1=1"},
                "Action": {"SqlExpression": 5},
            },
        },
    ]  # fmt: skip
    content = document(
        Queues=[
            {
                "Name": "q",
                "Color": 1,
                "Properties": {"LockDuration": "1 minute", "MaxDeliveryCount": "3"},
            },
            {"Name": "r", "Properties": {"LockDuration": "PT1S", "MaxDeliveryCount": 0}},
            {"Properties": {"RequiresSession": 1}},
            "queue",
        ],
        Topics=[{"Name": "t", "Subscriptions": [{"Name": "s", "Rules": rules}]}],
        More=1,
    )
    with pytest.raises(InvalidConfiguration) as refused:
        config.parse(content)
    at, where = "UserConfig.Namespaces[0]", "UserConfig.Namespaces[0].Topics[0].Subscriptions[0]"
    starts = [
        f"{at}.More: not known",
        f"{at}.Queues[0].Color: not known",
        f"{at}.Queues[0].Properties.LockDuration: '1 minute' is not an ISO 8601 duration",
        f"{at}.Queues[0].Properties.MaxDeliveryCount: a whole number is expected",
        f"{at}.Queues[1].Properties: lock_duration must be from 5 to 300, not 1; max_delivery",
        f"{at}.Queues[2].Name: a name is expected",
        f"{at}.Queues[2].Properties.RequiresSession: a truth value is expected",
        f"{at}.Queues[3]: an object is expected",
        f"{at}.Queues[3].Name: a name is expected",
        f"{where}.Rules[0].Properties.SqlFilter: The expression 'a =' is not valid",
        f"{where}.Rules[1].Properties.SqlFilter.SqlExpression: a string is expected",
        f"{where}.Rules[2].Properties.FilterType: Sql or Correlation is expected",
        f"{where}.Rules[3].Name: a name is expected",
        f"{where}.Rules[3].Properties.CorrelationFilter: A correlation filter must name",
        f"{where}.Rules[4].Properties.CorrelationFilter.Size: ",
        f"{where}.Rules[5].Properties.CorrelationFilter.Properties.a: a simple value",
        f"{where}.Rules[6].Properties: The expression 'SET' is not valid",
        f"{where}.Rules[7].Properties.Action.SqlExpression: a string is expected",
    ]
    faults = list(refused.value.faults)
    for start in starts:
        found = [fault for fault in faults if fault.startswith(start)]
        assert len(found) == 1, start
        faults.remove(found[0])
    assert faults == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "it is not JSON"),
        (b"\xff\xff", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        (document(Queues=[{"Name": "\ud800"}]), "it is not JSON"),
        ("[]", "the document: an object is expected"),
        ("{}", "UserConfig: an object is expected"),
        ('{"UserConfig": {"Namespaces": []}}', "exactly one namespace"),
        ('{"UserConfig": {"Namespaces": {}}}', "an array is expected"),
    ],
)
def test_what_is_no_configuration_is_refused(content: bytes | str, says: str) -> None:
    with pytest.raises(InvalidConfiguration, match=says):
        config.parse(content)


def test_a_name_that_is_taken_is_told() -> None:
    with pytest.raises(InvalidConfiguration, match=r"queue 'Q'.*already exists"):
        configured(document(Queues=[{"Name": "q"}, {"Name": "Q"}]))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="No such file"):
        config.load(tmp_path / "nope.json")


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["UserConfig", "Namespaces", "Name", "Queues", "Topics", "Properties", "Rules",
                 "Subscriptions", "FilterType", "LockDuration", "SqlFilter", "CorrelationFilter"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_any_json_is_read_or_refused_and_nothing_else(value: object) -> None:
    for document in (value, {"UserConfig": {"Namespaces": [value]}}):
        try:
            configured(json.dumps(document))
        except InvalidConfiguration as refused:
            if not refused.faults:
                raise


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT1M", 60), ("PT5S", 5), ("PT1.5S", 1.5), ("P1D", 86_400), ("P1DT12H", 129_600),
        ("P1Y2M", 425 * 86_400), ("PT0S", 0), ("P10675199D", 10_675_199 * 86_400),
    ],
)  # fmt: skip
def test_durations_are_read_as_dot_net_reads_them(text: str, seconds: float) -> None:
    assert math.isclose(durations.parse(text), seconds)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "1M", "PT1M ", "PT-1M", "P1H", "PT\u0661M"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an ISO 8601 duration"):
        durations.parse(text)
