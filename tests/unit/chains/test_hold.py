"""Evidence that has to last before a region is left: what is over before was a blip."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind_events import RegionRecovered
from crosswind_events.catalogue.failover import EvidenceDue, FailoverConfirmed
from unit.chains.drama import Drama
from unit.chains.fleets import EAST, document, fleet


def holding(seconds: float = 20.0, **changes: Any) -> Drama:
    return Drama(fleet(failover=document()["failover"] | {"hold": seconds}, **changes))


def test_a_region_is_left_when_what_is_said_of_it_has_lasted() -> None:
    drama = holding()
    drama.fail()
    drama.pass_time(19)
    assert not drama.said(FailoverConfirmed)
    drama.pass_time(2)
    assert drama.said(FailoverConfirmed)
    drama.pass_time(60)
    assert drama.outcome() == "completed"


def test_what_is_over_before_was_a_blip() -> None:
    drama = holding()
    chain = drama.fail()
    drama.pass_time(10)
    drama.cloud.recover(EAST)
    drama.pass_time(400)
    assert not drama.said(FailoverConfirmed)
    assert drama.outcome(chain) == "unconfirmed"


def test_what_every_observer_takes_back_was_a_blip() -> None:
    drama = holding()
    drama.fail()
    drama.pass_time(10)
    drama.hear(RegionRecovered)
    drama.hear(RegionRecovered, evidence="telemetry")
    drama.pass_time(400)
    assert not drama.said(FailoverConfirmed)


def test_a_region_that_comes_back_and_fails_again_is_no_blip() -> None:
    drama = holding()
    drama.fail()
    drama.pass_time(10)
    drama.cloud.recover(EAST)
    drama.pass_time(30)
    assert not drama.said(FailoverConfirmed)
    drama.fail()
    assert drama.said(FailoverConfirmed)


def test_a_person_is_not_kept_waiting() -> None:
    drama = holding()
    drama.hear(evidence="operator")
    assert drama.said(FailoverConfirmed)


def test_words_that_come_meanwhile_neither_hasten_nor_delay_it() -> None:
    drama = holding()
    drama.fail()
    for second in range(5):
        drama.pass_time(3)
        drama.hear(vantage=f"v{second}")
    assert not drama.said(FailoverConfirmed)
    assert len([due for due in drama.said(EvidenceDue) if due.data.held]) == 1
    drama.pass_time(6)
    assert len(drama.said(FailoverConfirmed)) == 1


def test_a_word_that_comes_after_it_confirms_though_the_timer_is_late() -> None:
    drama = holding(20.0)
    drama.fail()
    late = [letter for letter in drama.post.letters if b'"held":true' in letter.body]
    for letter in late:
        letter.due += 100
    drama.pass_time(25)
    assert not drama.said(FailoverConfirmed)
    drama.hear(vantage="another")
    assert drama.said(FailoverConfirmed)


@pytest.mark.parametrize("hold", [0.0, 20.0])
def test_what_does_not_suffice_is_not_held_and_ends_unconfirmed(hold: float) -> None:
    drama = holding(hold)
    chain = drama.hear()
    drama.pass_time(700)
    assert not [due for due in drama.said(EvidenceDue) if due.data.held]
    assert drama.outcome(chain) == "unconfirmed"
