"""Topics of SNS keep the contract of notices; a standard topic needs a store for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract.performers import NoticeContract, call, performed
from contract.proxy import Lose
from crosswind.actions import Pending, Performer
from crosswind.embedded.memory import MemoryStore
from crosswind.operations.notification import Notify
from crosswind_aws.performers.failures import Denied, NotFound
from crosswind_aws.performers.notices import NoticePerformer, subject
from crosswind_aws.performers.resources import Resources
from integration.aws.performers.conftest import Direct
from integration.aws.performers.wire import Wire, xml_error

SEND = "Publish"


class Topic(NoticeContract):
    """A topic with a queue behind it."""

    kind = ""

    @pytest.fixture(autouse=True)
    def topic(self, wire: Wire, direct: Direct, aws_account: str) -> str:
        self.wire, self.sqs = wire, direct("sqs")
        ordered = {"FifoTopic": "true"} if self.kind else {}
        topic = str(
            direct("sns").create_topic(Name=f"people{self.kind}", Attributes=ordered)["TopicArn"]
        )
        fifo = {"FifoQueue": "true"} if self.kind else {}
        queue = self.sqs.create_queue(QueueName=f"people{self.kind}", Attributes=fifo)
        self.queue = queue["QueueUrl"]
        arn = f"arn:aws:sqs:us-east-1:{aws_account}:people{self.kind}"
        direct("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        self.told: list[dict[str, Any]] = []
        return topic

    def heard(self) -> list[str]:
        while found := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in found:
                self.told.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return [one["Subject"] for one in self.told]

    def lose_answer(self) -> None:
        self.wire.strike(SEND, Lose())


class TestOrderedTopic(Topic):
    kind = ".fifo"

    @pytest.fixture
    def performer(self, topic: str) -> Performer:
        return NoticePerformer(resources(topic), "main")

    def test_throttled_it_is_pending_and_no_failure(self, performer: Performer) -> None:
        self.wire.strike(SEND, xml_error("Throttled", status=429), times=9)

        assert isinstance(performer.perform(self.notice(), call()), Pending)

    def test_a_role_without_rights_is_told_so(self, performer: Performer) -> None:
        self.wire.strike(SEND, xml_error("AuthorizationError", status=403))

        with pytest.raises(Denied, match="AuthorizationError"):
            performer.perform(self.notice(), call())

    def test_a_topic_that_is_gone_is_not_found(self) -> None:
        gone = "arn:aws:sns:us-east-1:123456789012:gone.fifo"

        with pytest.raises(NotFound):
            NoticePerformer(resources(gone), "main").perform(self.notice(), call())


class TestStandardTopic(Topic):
    @pytest.fixture
    def performer(self, topic: str) -> Performer:
        return NoticePerformer(resources(topic), "main", MemoryStore())

    def test_an_answer_that_was_lost_is_found_by_the_retry(self, performer: Performer) -> None:
        # It is not: SNS has no way to ask whether something was published. Both carry the key.
        given = call()
        self.lose_answer()
        with pytest.raises(ConnectionError):
            performer.perform(self.notice(), given)

        performed(performer, self.notice(), given)

        assert len(self.heard()) == 2
        first, second = (one["MessageAttributes"]["crosswind-key"]["Value"] for one in self.told)
        assert first == second

    def test_what_is_told_is_title_and_text(self, performer: Performer) -> None:
        told = Notify(title="Région quittée\n" + "x" * 120, text="because its probes fail")

        performed(performer, told, call())

        self.heard()
        assert self.told[0]["Message"] == f"{told.title}\n\n{told.text}"


@pytest.mark.parametrize(
    ("title", "sent"),
    [("plain", "plain"), ("two\nlines", "two lines"), ("x" * 300, "x" * 99), ("火", "crosswind")],
)
def test_a_subject_is_what_sns_takes(title: str, sent: str) -> None:
    assert subject(title) == sent


def resources(topic: str) -> Resources:
    return Resources.read({"channels": {"default": topic}})
