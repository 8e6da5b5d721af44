"""What was read of accounts, made up."""

from __future__ import annotations

from hypothesis import strategies as st

from crosswind.adopting.found import (
    Found,
    FoundAlarm,
    FoundBudget,
    FoundRotation,
    Mark,
    Serving,
    Share,
    Unread,
)

EAST, EUROPE = "aws/us-east-1", "aws/eu-west-1"


def serving(
    name: str = "chat",
    region: str = EAST,
    replicas: int | None = 2,
    most: int | None = None,
    within: str = "",
    why_not: str = "",
) -> Serving:
    """Something that serves, known to alarms and records by its own name."""
    marks = frozenset({Mark(region, "endpoint", name), Mark("", "dns", f"{name}.{region}")})
    return Serving(name, region, "endpoint", replicas, most, within, marks=marks, why_not=why_not)


def alarm(
    name: str, watches: str = "", region: str = EAST, children: str = "", why_not: str = ""
) -> FoundAlarm:
    marks = frozenset({Mark(region, "endpoint", watches)} if watches else ())
    kind = "composite alarm" if children else "metric alarm"
    return FoundAlarm(name, region, kind, marks, frozenset(children.split()), why_not)


def share(region: str, weight: float, name: str = "chat", to: str = "chat") -> Share:
    return Share(f"{name}.example.com A", region, weight, Mark("", "dns", f"{to}.{region}"), to)


def account(*things: object) -> Found:
    """An account that has these things, in two regions."""
    found = Found("aws", "123456789012", {EAST: "US", EUROPE: "IE"})
    for thing in things:
        match thing:
            case Serving():
                found.serving.append(thing)
            case FoundAlarm():
                found.alarms.append(thing)
            case Share():
                found.shares.append(thing)
            case FoundBudget():
                found.budgets.append(thing)
            case FoundRotation():
                found.rotations.append(thing)
            case Unread():
                found.unread.append(thing)
            case _:
                raise TypeError(f"{thing!r} is nothing that is found")
    return found.in_order()


_names = st.text(min_size=1, max_size=80) | st.sampled_from(
    ["chat", "Chat", "chat-us-east-1", "true", "no", "null", "1e3", "a: b", "# x", "\n- y", "é"]
)
_regions = st.sampled_from([EAST, EUROPE, "aws/xx-new-1"])
_marks = st.frozensets(
    st.builds(Mark, _regions | st.just(""), st.sampled_from(["endpoint", "dns"]), _names),
    max_size=2,
)

accounts = st.builds(
    lambda *lists: Found(
        "aws", "123456789012", {EAST: "US", EUROPE: "IE", "aws/xx-new-1": None}, *lists
    ).in_order(),
    st.lists(
        st.builds(
            Serving,
            _names,
            _regions,
            st.just("endpoint"),
            st.none() | st.integers(0, 10**7),
            st.none() | st.integers(1, 2**31),
            st.sampled_from(["", "one", "two"]),
            _marks,
            st.tuples(_names),
        ),
        max_size=6,
    ),
    st.lists(
        st.builds(
            FoundAlarm,
            _names,
            _regions,
            st.just("alarm"),
            _marks,
            st.frozensets(_names, max_size=2),
        ),
        max_size=6,
    ),
    st.lists(
        st.builds(
            Share,
            _names,
            _names,
            st.integers(0, 255).map(float),
            st.none() | _marks.map(lambda marks: next(iter(marks), None)),
            _names,
        ),
        max_size=4,
    ),
    st.lists(st.builds(FoundBudget, _names, _names), max_size=2),
    st.lists(
        st.builds(FoundRotation, st.just("key"), _names, _regions, _names, st.booleans()),
        max_size=2,
    ),
    st.lists(st.builds(Unread, _names, _regions, _names, _names), max_size=2),
)
"""Accounts whose names are anything that somebody could have typed."""
