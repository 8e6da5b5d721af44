"""What holds of the weighing of evidence whatever is said, by whom, when, and under any policy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.chains.failover.evidence import Verdict, failing, recovered
from crosswind.chains.failover.words import in_order, observer, overtaken, says
from crosswind.fleet.declaration import FailoverPolicy, Fleet
from crosswind_events import Event, RegionRecovered, RegionUnhealthy
from unit.chains.fleets import EAST, NOW, fleet, heard

BASE = fleet(
    workloads={name: fleet().workloads["chat"].model_dump() for name in ("chat", "search")},
    alerts=[
        {"match": "chat-*", "workload": "chat", "weight": 0.5},
        {"match": "*-1", "workload": "search"},
    ],
)
KINDS = ("provider", "alarm", "probe", "telemetry", "operator")
BURNS = {"burn.3600.300": 20.0}
SOURCES = ("//a.example.com", "//b.example.com", "//c.example.com")


def words(
    said: tuple[type[Any], ...] = (RegionUnhealthy, RegionRecovered),
    kinds: tuple[str, ...] = KINDS,
    sources: tuple[str, ...] = SOURCES,
) -> st.SearchStrategy[Event[Any]]:
    return st.builds(
        heard,
        st.sampled_from(said),
        st.sampled_from(kinds),
        id=st.integers(0, 40).map(str),
        ago=st.integers(-20, 400).map(float),
        source=st.sampled_from(sources),
        alarm=st.sampled_from([None, "chat-1", "other"]),
        vantage=st.sampled_from([None, "x", "y"]),
        workload=st.sampled_from([None, None, "chat", "search"]),
        measured=st.sampled_from(
            [{}, {}, {"age": 60.0}, {"others": 2.0, "others_failed": 2.0}, BURNS]
        ),
    )


def distinct(events: list[Event[Any]]) -> list[Event[Any]]:
    return list({(event.source, event.id): event for event in events}.values())


HEARD = st.lists(words(), max_size=14).map(distinct)
DENIED = st.lists(words((RegionUnhealthy,)), min_size=2, max_size=14).map(distinct)


@st.composite
def policies(draw: st.DrawFn) -> Fleet:
    drawn = FailoverPolicy.model_validate(
        {
            "quorum": draw(st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0])),
            "min_kinds": draw(st.integers(1, 3)),
            "half_life": draw(st.none() | st.sampled_from([5.0, 60.0, 240.0])),
            "contradiction": draw(st.sampled_from([0.0, 0.5, 1.0, 2.0])),
            "weights": {"provider": draw(st.sampled_from([0.5, 1.0, 5.0]))},
        }
    )
    return BASE.model_copy(update={"failover": drawn})


POLICIES = policies()


def reached(verdict: Verdict) -> frozenset[str]:
    """The workloads for which a verdict suffices."""
    if not verdict.reached:
        return frozenset()
    return frozenset({"chat", "search"}) if verdict.workloads is None else verdict.workloads


@settings(max_examples=100, deadline=None)
@given(HEARD, POLICIES, st.randoms(use_true_random=False))
def test_the_order_of_arrival_and_repeated_arrival_change_nothing(
    events: list[Event[Any]], declared: Fleet, random: Any
) -> None:
    shuffled = [*events, *events[:3]]
    random.shuffle(shuffled)
    assert failing(shuffled, EAST, declared, NOW) == failing(events, EAST, declared, NOW)
    assert recovered(shuffled, EAST, declared, NOW) == recovered(events, EAST, declared, NOW)


@settings(max_examples=100, deadline=None)
@given(DENIED, POLICIES, st.integers(0, 13))
def test_who_says_the_same_once_more_adds_nothing(
    events: list[Event[Any]], declared: Fleet, which: int
) -> None:
    heard = in_order(events)
    last = [word for number, word in enumerate(heard) if overtaken(heard, number) is None]
    word = last[which % len(last)]
    again = Event.of(word.data, id="again", source=word.source, time=word.time)
    before = failing(events, EAST, declared, NOW)
    after = failing([*events, again], EAST, declared, NOW)
    assert reached(after) <= reached(before)
    if reached(after) == reached(before):
        assert after.total <= before.total + 1e-9


@settings(max_examples=100, deadline=None)
@given(HEARD, words((RegionRecovered,)), POLICIES)
def test_another_word_that_all_is_well_never_makes_a_quorum(
    events: list[Event[Any]], well: Event[Any], declared: Fleet
) -> None:
    more = distinct([*events, Event.of(well.data, id="more", source=well.source, time=well.time)])
    before = failing(events, EAST, declared, NOW)
    assert reached(failing(more, EAST, declared, NOW)) <= reached(before)


@settings(max_examples=100, deadline=None)
@given(HEARD, POLICIES, st.sampled_from([1.0, 29.0, 61.0, 250.0]))
def test_time_alone_never_makes_a_quorum(
    events: list[Event[Any]], declared: Fleet, seconds: float
) -> None:
    now, then = NOW, NOW + timedelta(seconds=seconds)
    before = failing(events, EAST, declared, now)
    after = failing(events, EAST, declared, then)
    assert reached(after) <= reached(before)
    for young, old in zip(before.pieces, after.pieces, strict=True):
        assert old.weight <= young.weight + 1e-9 or "whole region" in young.because


@settings(max_examples=100, deadline=None)
@given(st.lists(words(kinds=("provider",)), max_size=14).map(distinct), POLICIES)
def test_the_provider_alone_never_makes_a_quorum(events: list[Event[Any]], declared: Fleet) -> None:
    assert not failing(events, EAST, declared, NOW).reached


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["alarm", "probe", "telemetry", "provider"]).flatmap(
        lambda kind: st.lists(
            words(kinds=(kind,), sources=SOURCES[:1]).filter(lambda e: e.data.vantage is None),
            max_size=14,
        ).map(distinct)
    ),
    POLICIES,
)
def test_one_source_alone_never_makes_a_quorum(events: list[Event[Any]], declared: Fleet) -> None:
    assert len({observer(event) for event in events}) <= 1
    assert not failing(events, EAST, declared, NOW).reached


@settings(max_examples=100, deadline=None)
@given(HEARD, POLICIES)
def test_a_quorum_is_heavy_independent_and_explained(
    events: list[Event[Any]], declared: Fleet
) -> None:
    verdict = failing(events, EAST, declared, NOW)
    assert [piece.event for piece in verdict.pieces] == [
        event.id for event in sorted(events, key=lambda e: (e.time, e.source, e.id))
    ]
    for piece in verdict.pieces:
        assert piece.because
        assert 0 <= piece.weight <= (piece.full or 0.0)
        assert not (piece.weight and piece.against)
    assert verdict.weighing.reached == verdict.reached
    if verdict.reached:
        counting = verdict.standing
        assert sum(piece.weight for piece in counting) >= declared.failover.quorum - 1e-6
        kinds = {piece.kind for piece in counting}
        views = {(piece.kind, piece.vantage) for piece in counting}
        assert kinds != {"provider"}
        assert len(views) >= declared.failover.min_kinds or "operator" in kinds
        assert len({(p.source, *v) for p in counting for v in [(p.kind, p.vantage)]}) >= 2 or (
            "operator" in kinds
        )


@settings(max_examples=100, deadline=None)
@given(HEARD, POLICIES)
def test_a_workload_is_affected_only_by_words_that_are_about_it(
    events: list[Event[Any]], declared: Fleet
) -> None:
    """Taking away all that is said of the other workload leaves it what it was."""
    chat = [
        event
        for event in events
        if event.data.workload != "search" and event.data.evidence != "alarm"
    ]
    both = [event for event in events if event.data.evidence != "alarm"]
    with_search = failing(both, EAST, declared, NOW)
    if "chat" in reached(failing(chat, EAST, declared, NOW)):
        return  # what is said of the other may only contradict the region as a whole
    denied = {observer(e) for e in both if says(e) == "recovered" and e.data.workload == "search"}
    if not denied:
        assert "chat" not in reached(with_search)


@settings(max_examples=100, deadline=None)
@given(HEARD, POLICIES)
def test_a_word_whose_observer_sees_nothing_else_either_never_counts(
    events: list[Event[Any]], declared: Fleet
) -> None:
    blind = {
        (event.source, event.id)
        for event in events
        if event.data.measured.get("others_failed")
        and event.data.evidence in ("probe", "telemetry", "alarm")
    }
    for piece in failing(events, EAST, declared, NOW).standing:
        assert (piece.source, piece.event) not in blind


@settings(max_examples=100, deadline=None)
@given(HEARD, POLICIES)
def test_a_higher_quorum_or_more_views_never_make_it_easier(
    events: list[Event[Any]], declared: Fleet
) -> None:
    policy = declared.failover
    for change in ({"quorum": policy.quorum + 0.5}, {"min_kinds": policy.min_kinds + 1}):
        stricter = declared.model_copy(update={"failover": policy.model_copy(update=change)})
        assert reached(failing(events, EAST, stricter, NOW)) <= reached(
            failing(events, EAST, declared, NOW)
        )


@settings(max_examples=100, deadline=None)
@given(HEARD, POLICIES)
def test_a_region_never_counts_as_failed_and_recovered_at_once(
    events: list[Event[Any]], declared: Fleet
) -> None:
    if failing(events, EAST, declared, NOW).reached:
        assert not recovered(events, EAST, declared, NOW).reached
