"""How filters are written as event patterns."""

from __future__ import annotations

import json

import pytest

from crosswind.buses.routing import Binding
from crosswind.errors import DeclarationError
from crosswind.handlers import Where
from crosswind_aws.filters import MAX_PATTERN, patterns

A, B = "com.example.a.v1", "com.example.b.v1"
ADDRESSED = {"detail": {"specversion": ["1.0"], "group": ["ops"]}}
NOT_ADDRESSED = {"group": [{"exists": False}]}


def compiled(*bindings: Binding) -> list[object]:
    """The alternatives of the one pattern that the bindings need."""
    (pattern,) = patterns("ops", bindings)
    alternatives: list[object] = json.loads(pattern).get("$or", [json.loads(pattern)])
    return alternatives


def test_a_group_that_wants_nothing_still_gets_what_is_addressed_to_it() -> None:
    assert compiled() == [ADDRESSED]


def test_types_without_a_filter_share_one_alternative() -> None:
    assert compiled(Binding(A), Binding(B)) == [
        ADDRESSED,
        {"detail-type": [A, B], "detail": NOT_ADDRESSED},
    ]


def test_a_filter_beside_none_at_all_narrows_nothing() -> None:
    assert compiled(Binding(A, Where(subject="aws/")), Binding(A)) == compiled(Binding(A))
    assert compiled(Binding(A, Where())) == compiled(Binding(A))


def test_prefix_and_equality_keep_the_type_of_the_value() -> None:
    where = Where(subject="aws/", extensions=(("place", "aws"), ("tick", 1), ("simulated", True)))

    assert compiled(Binding(A, where))[1] == {
        "detail-type": [A],
        "detail": {
            "subject": [{"prefix": "aws/"}],
            "place": ["aws"],
            "tick": [1],
            "simulated": [True],
            **NOT_ADDRESSED,
        },
    }


def test_filters_that_differ_in_one_value_become_one() -> None:
    wheres = [Where(extensions=(("schedule", name),)) for name in ("a", "b", "a")]

    assert compiled(*(Binding(A, where) for where in wheres))[1:] == [
        {"detail-type": [A], "detail": {"schedule": ["a", "b"], **NOT_ADDRESSED}}
    ]


def test_true_and_one_are_two_values() -> None:
    wheres = [Where(extensions=(("flag", value),)) for value in (True, 1)]

    (alternative,) = compiled(*(Binding(A, where) for where in wheres))[1:]

    assert json.dumps(alternative).count("true, 1") == 1


@pytest.mark.parametrize(
    "extensions",
    [
        (("place", "aws"), ("place", "gcp")),
        (("flag", True), ("flag", 1)),
        (("group", "ops"),),
        (("source", "//elsewhere"),),
    ],
)
def test_a_filter_that_nothing_can_pass_is_left_out(
    extensions: tuple[tuple[str, str | int | bool], ...],
) -> None:
    assert compiled(Binding(A, Where(extensions=extensions))) == [ADDRESSED]


def test_many_types_are_spread_over_patterns_of_their_own() -> None:
    kinds = [f"com.example.some.longer.name.number-{n}.v1" for n in range(200)]

    made = patterns("ops", map(Binding, kinds))

    assert len(made) > 2
    assert all(len(pattern) <= MAX_PATTERN for pattern in made)
    assert all(sum(f'"{kind}"' in pattern for pattern in made) == 1 for kind in kinds)


def test_filters_on_one_type_that_do_not_fit_are_refused_with_what_to_do() -> None:
    wheres = [
        Where(subject=f"{'s' * 90}{n}", extensions=(("place", "aws"), ("tick", n)))
        for n in range(20)
    ]

    with pytest.raises(DeclarationError, match=rf"filters on {A}.*give some of the handlers"):
        patterns("ops", [Binding(A, where) for where in wheres])


def test_a_single_value_that_does_not_fit_is_refused() -> None:
    with pytest.raises(DeclarationError, match="use shorter values"):
        patterns("ops", [Binding(A, Where(extensions=(("place", "x" * MAX_PATTERN),)))])
