"""Which chains belong to the story of an incident, and which to another."""

from __future__ import annotations

import pytest

from crosswind.journal.review import episode
from crosswind.journal.review.incidents import incidents
from crosswind.journal.review.story import review
from crosswind_events import RegionRecovered
from unit.chains.drama import Drama
from unit.chains.fleets import fleet
from unit.journal.reviews import LONELY, MONTH, lessons, reviewed, slowly_approved, there_and_back

# -- one story over several chains ----------------------------------------------------------------


def test_the_failover_before_a_relapse_and_the_way_back_after_it_belong_to_its_story() -> None:
    drama = there_and_back()
    told = reviewed(drama)
    assert [facts.outcome for facts in told.chains] == ["completed", "relapsed", "recovered"]
    assert told.incident.state == "resolved"
    assert told.incident.chains == (told.chains[1].chain,)


def test_the_way_back_after_it_was_resolved_belongs_to_its_story() -> None:
    drama = Drama(fleet())
    drama.cloud.mute.add("chat")
    drama.fail()
    drama.pass_time(300)
    drama.cloud.mute.clear()
    drama.fail()
    drama.pass_time(300)
    drama.recover()
    drama.hear(RegionRecovered, vantage="c")
    drama.pass_time(600)
    told = reviewed(drama)
    assert told.incident.state == "resolved"
    assert [facts.outcome for facts in told.chains] == ["failed", "completed", "recovered"]


def test_of_very_many_chains_the_first_and_the_latest_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drama = Drama(fleet(workloads=LONELY))
    for number in range(7):
        drama.hear(evidence="operator", source=f"//people.example.com/{number}")
        drama.pass_time(30)
    monkeypatch.setattr(episode, "MOST", 4)
    told = reviewed(drama)
    assert len(told.chains) == 4
    assert told.left_out == 3
    opened = [facts.opened for facts in told.chains]
    assert opened[1] - opened[0] == pytest.approx(30, abs=1)
    assert opened[2] - opened[1] > 100


def test_an_earlier_outage_that_was_over_is_another_story() -> None:
    drama = Drama(fleet())
    drama.fail()
    drama.pass_time(300)
    drama.recover()
    drama.pass_time(600)
    assert drama.state() == "serving"
    drama.cloud.mute.add("chat")
    drama.fail()
    drama.pass_time(300)
    told = reviewed(drama)
    assert [facts.outcome for facts in told.chains] == ["failed"]


def test_the_same_trouble_again_has_a_story_of_its_own() -> None:
    drama = there_and_back()
    drama.cloud.mute.add("chat")
    drama.fail()
    drama.pass_time(300)
    found = incidents(drama.engine.ledger, ["shop"], drama.now, MONTH)
    now, before = (review(drama.engine.ledger, drama.app, one, drama.now, found) for one in found)
    assert [facts.outcome for facts in now.chains] == ["failed"]
    assert [facts.outcome for facts in before.chains] == ["completed", "relapsed", "recovered"]


def test_a_word_that_came_to_nothing_shortly_before_belongs_to_it_and_an_old_one_does_not() -> None:
    drama = Drama(fleet(workloads=LONELY))
    drama.hear(vantage="long ago")
    drama.pass_time(5_000)
    drama.hear(vantage="just before")
    drama.pass_time(700)
    drama.fail()
    drama.pass_time(60)
    told = reviewed(drama)
    assert [facts.outcome for facts in told.chains] == ["unconfirmed", "no-safe-plan"]
    assert "ended unconfirmed" in lessons(told)


def test_a_chain_that_is_no_longer_in_the_journal_is_said_to_be_missing() -> None:
    drama = slowly_approved()
    drama.store.purge(drama.now + 40 * 86_400)
    told = reviewed(drama)
    assert told.chains == ()
    assert len(told.missing) == 1
