"""People who approve: never, late, twice, after they said no, and those who may not."""

from __future__ import annotations

from collections.abc import Iterable

from crosswind.sim import Answering, Draws, Fault, Nobody, Reply
from crosswind_events.catalogue.approval import ApprovalRequested, ApprovalSettled
from crosswind_events.catalogue.failover import FailoverCompleted
from crosswind_events.catalogue.incident import IncidentOpened
from stories.telling import EAST, HOUR, MINUTE, declared, tell

PROPOSED = {"default": "act", "kinds": {"register.accept": "propose"}}
OUTAGE = Fault("outage", 10 * MINUTE, 3 * HOUR, region=EAST)


def test_an_approval_that_never_comes_changes_nothing_and_people_are_told() -> None:
    story = tell(OUTAGE, fleet=declared(modes=PROPOSED), people=Nobody()).until(3 * HOUR)
    assert story.said(ApprovalRequested)
    assert story.serves("chat", EAST) == 0.5
    assert story.said(IncidentOpened)


def test_an_approval_that_comes_late_still_counts() -> None:
    people = Answering(after=10 * MINUTE, spread=0.01)
    story = tell(OUTAGE, fleet=declared(modes=PROPOSED), people=people).until(HOUR)
    assert story.serves("chat", EAST) == 0
    assert story.when(FailoverCompleted) > 20 * MINUTE


class Disagreeing:
    """Two people: one agrees, the other says no a moment later."""

    def asked(self, question: ApprovalRequested, draws: Draws) -> Iterable[Reply]:
        yield Reply(30, "granted", "ann@example.com")
        yield Reply(30.5, "rejected", "bob@example.com")


def test_where_two_people_answer_the_first_word_counts() -> None:
    story = tell(OUTAGE, fleet=declared(modes=PROPOSED), people=Disagreeing()).until(HOUR)
    assert story.said(ApprovalSettled)
    assert all(one.outcome == "granted" for one in story.said(ApprovalSettled))
    assert len(story.said(FailoverCompleted)) == 1


def test_a_plan_that_is_rejected_is_not_carried_out() -> None:
    people = Answering(after=30, rejects=1.0)
    story = tell(OUTAGE, fleet=declared(modes=PROPOSED), people=people).until(HOUR)
    assert story.said(ApprovalSettled, outcome="rejected")
    assert story.serves("chat", EAST) == 0.5
    assert story.said(IncidentOpened)


def test_the_word_of_one_who_may_not_approve_counts_for_nothing() -> None:
    fleet = declared(modes=PROPOSED | {"approvers": [{"who": "*@ops.example.com"}]})
    stranger = Answering(after=30, by="someone@example.com")
    story = tell(OUTAGE, fleet=fleet, people=stranger).until(HOUR)
    assert story.serves("chat", EAST) == 0.5
    assert not story.said(ApprovalSettled, outcome="granted")
    known = Answering(after=30, by="ann@ops.example.com")
    story = tell(OUTAGE, fleet=fleet, people=known).until(HOUR)
    assert story.serves("chat", EAST) == 0
