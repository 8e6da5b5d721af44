"""Rules of subscriptions: the SQL subset, correlation filters, actions."""

import string
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind_local.servicebus import messages
from crosswind_local.servicebus.amqp.values import ULong
from crosswind_local.servicebus.conditions import Refused
from crosswind_local.servicebus.rules import actions
from crosswind_local.servicebus.rules.correlation import CorrelationFilter
from crosswind_local.servicebus.rules.predicates import like
from crosswind_local.servicebus.rules.rule import (
    BooleanFilter,
    Rule,
    matched,
    rule,
    sql_filter,
)
from crosswind_local.servicebus.rules.syntax import DEPTH, condition
from unit.local.servicebus_messages import message


def holds(
    source: str, application: Mapping[str, object] | None = None, **system: Any
) -> bool | None:
    return condition(source).holds(message(application=application, **system))


# Properties


def test_user_properties_are_looked_up_without_regard_to_case() -> None:
    assert holds("Severity = 'high'", {"severity": "high"})
    assert holds("user.SEVERITY = 'high'", {"severity": "high"})
    assert holds("[cloudEvents:type] = 'a' AND \"b c\" = 1", {"cloudEvents:type": "a", "b c": 1})
    assert holds("[a]]b] = 1", {"a]b": 1})


def test_system_properties_need_their_scope() -> None:
    assert holds("sys.Label = 'x'", label="x")
    assert holds("sys.Subject = 'x' AND SYS.messageid = '1'", label="x", messageid="1")
    assert holds("Label = 'x'", label="x") is None
    assert holds("EXISTS(sys.To) AND NOT EXISTS(sys.ReplyTo)", to="y")


def test_a_property_can_be_named_by_an_expression() -> None:
    assert holds("property('a' + 'b') = 1", {"ab": 1})
    assert holds("p(name) = 1", {"name": "x", "x": 1})
    assert holds("p(1) = 1", {"1": 1}) is None


# Unknown values


def test_a_missing_property_makes_an_answer_unknown_unless_the_rest_decides() -> None:
    assert holds("a = 1") is None
    assert holds("NOT a = 1") is None
    assert holds("a = 1 OR b = 1", {"b": 1}) is True
    assert holds("a = 1 OR b = 1", {"b": 2}) is None
    assert holds("a = 1 AND b = 1", {"b": 2}) is False
    assert holds("a = 1 AND b = 1", {"b": 1}) is None
    assert holds("a + 1 = 2") is None
    assert holds("-a = 2") is None
    assert holds("a IN (1, 2)") is None
    assert holds("a LIKE '%'") is None


def test_what_is_unknown_does_not_pass() -> None:
    assert not sql_filter("a <> 1").lets_pass(message())
    assert sql_filter("a <> 1").lets_pass(message(application={"a": 2}))


def test_null_is_told_from_there_and_from_missing() -> None:
    assert holds("a IS NULL", {"a": None}) is True
    assert holds("a IS NULL") is True
    assert holds("a IS NOT NULL", {"a": 1}) is True
    assert holds("EXISTS(a)", {"a": None}) is True
    assert holds("EXISTS(a)") is False
    assert holds("a = NULL", {"a": 1}) is None


# Operators


@pytest.mark.parametrize(
    "source",
    [
        "1 + 2 * 3 = 7",
        "(1 + 2) * 3 = 9",
        "10 - 2 - 3 = 5",
        "7 / 2 = 3",
        "-7 / 2 = -3",
        "-7 % 3 = -1",
        "7.0 / 2 = 3.5",
        "5.5 % 2 = 1.5",
        "1e3 = 1000",
        ".5 + 0.5 = 1",
        "+1 = 1",
        "'a' + 'b' = 'ab'",
        "'a' + 1 = 'a1'",
        "'it''s' = 'it''s'",
        "'a' < 'b' AND 'b' >= 'b' AND 1 <= 1.5 AND 2 > 1",
        "TRUE = TRUE AND NOT TRUE = FALSE",
        "1 <> 2 AND 1 != 2",
        "NOT 1 = 2 AND NOT NOT 1 = 1",
        "1 = 2 OR 1 = 1 AND 2 = 2",
        "'x' NOT IN ('y', 'z') AND 2 IN (1, 1 + 1)",
        "'ABC%' LIKE 'ABC\\%' ESCAPE '\\'",
        "'ABCD' NOT LIKE 'ABC\\%' ESCAPE '\\'",
        "'abc' LIKE 'a_c' AND 'abc' LIKE '%c' AND 'abc' NOT LIKE 'a_'",
        "9223372036854775807 = 9223372036854775807",
    ],
)
def test_operators_mean_what_they_mean_in_c_sharp(source: str) -> None:
    assert holds(source) is True


@pytest.mark.parametrize(
    "source",
    [
        "'1' = 1",
        "TRUE = 1",
        "TRUE < FALSE",
        "'a' - 1 = 1",
        "1 / 0 = 1",
        "1 % 0 = 1",
        "1.0 / 0 = 1",
        "9223372036854775807 + 1 = 1",
        "1 LIKE 'a'",
        "'a' LIKE 1",
        "'a' LIKE 'a' ESCAPE 'xx'",
        "newid() = 'a'",
    ],
)
def test_what_c_sharp_has_no_operator_for_is_unknown(source: str) -> None:
    assert holds(source) is None


@given(
    st.text(alphabet="ab%_\\", max_size=12),
    st.text(alphabet="ab%_", max_size=8),
)
def test_like_means_what_trying_everything_means(text: str, pattern: str) -> None:
    def tried(text: str, pattern: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "%":
            return any(tried(text[at:], pattern[1:]) for at in range(len(text) + 1))
        return bool(text) and pattern[0] in {"_", text[0]} and tried(text[1:], pattern[1:])

    assert like(text, pattern, None) is tried(text, pattern)


def test_like_is_quick_however_the_pattern_is_made() -> None:
    assert not like("a" * 20_000, "%a" * 20 + "%b", None)


# The grammar


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "expected a property, a constant or (, but it ends at character 1"),
        ("a", "expected a condition, but this is only a value"),
        ("TRUE", "expected a condition"),
        ("(a = 1) = 1", "expected a value, but this is a condition"),
        ("a = 1 = 1", "expected the end of the filter, but found '='"),
        ("a = ", "it ends at character 4"),
        ("a == 1", "found '='"),
        ("a NOT 1", "expected IN or LIKE"),
        ("1 IS NULL", "IS NULL is asked of a property only"),
        ("a IS 1", "expected NULL"),
        ("EXISTS a", "expected ("),
        ("EXISTS(1)", "expected a property"),
        ("a IN ()", "expected a property, a constant or ("),
        ("a IN (1", "expected ), but it ends"),
        ("sys.Nope = 1", "no system property 'Nope'"),
        ("other.a = 1", "no scope 'other'"),
        ("sys. = 1", "the name of a property"),
        ("nope(a) = 1", "one of the functions"),
        ("newid(1) = 1", "expected )"),
        ("a-b = 'x' §", "cannot read '§' at character 11"),
        ("_a = 1", "cannot read"),
        ("a = 'x", "cannot read"),
        ("a = @p", "cannot read '@p'"),
        ("like = 1", "found 'LIKE'"),
        ("a = 1 b = 2", "expected the end of the filter, but found 'b'"),
        ("(" * (DEPTH + 1) + "a = 1" + ")" * (DEPTH + 1), "nested more than"),
        ("NOT " * (DEPTH + 1) + "a = 1", "nested more than"),
        ("a = " + "-" * (DEPTH + 1) + "1", "nested more than"),
        ("a = '" + "x" * 1_030 + "'", "more than 1024"),
    ],
)
def test_a_wrong_filter_is_refused_and_the_place_is_named(source: str, says: str) -> None:
    with pytest.raises(Refused) as refused:
        condition(source)
    assert refused.value.condition == "com.microsoft:argument-error"
    assert says in refused.value.message


PIECES = st.sampled_from(
    ["a", "sys", "user", ".", "Label", "=", "<>", "<", "AND", "OR", "NOT", "IN", "LIKE", "ESCAPE",
     "IS", "NULL", "EXISTS", "TRUE", "(", ")", ",", "1", "2.5", "'s'", "+", "-", "*", "/", "%",
     "[x y]", '"q"', "newid", "p", " ", ";", "SET", "REMOVE", "@", "\x00", "ü"]
)  # fmt: skip
SOURCES = st.one_of(
    st.text(max_size=200), st.lists(PIECES, max_size=30).map(" ".join), st.text(string.punctuation)
)


@given(SOURCES)
def test_any_filter_is_read_or_refused_and_nothing_else(source: str) -> None:
    try:
        predicate = condition(source)
    except Refused:
        return
    assert predicate.holds(message(application={"a": 1}, label="s")) in {True, False, None}


@given(SOURCES)
def test_any_action_is_read_or_refused_and_nothing_else(source: str) -> None:
    try:
        action = actions.parse(source)
    except Refused:
        return
    changed = action.applied(message(application={"a": 1}, label="s"))
    assert isinstance(changed.application, Mapping)


def test_the_longest_chains_are_read_without_harm() -> None:
    assert holds("1" + "+1" * 500 + " = 501") is True
    assert holds("1=1" + " OR 1=1" * 140) is True


# A second reading of the language, as nested tuples, that knows nothing of the parser.
Tree = tuple[object, ...]


def trees() -> st.SearchStrategy[Tree]:
    names = st.sampled_from(("a", "b", "c d"))
    numbers = st.integers(0, 3)
    leaves: st.SearchStrategy[Tree] = st.one_of(
        st.tuples(st.sampled_from(("=", "<>", "<", ">=")), names, numbers),
        st.tuples(st.just("null"), names),
        st.tuples(st.just("in"), names, st.lists(numbers, min_size=1, max_size=3).map(tuple)),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(st.just("not"), inner),
            st.tuples(st.sampled_from(("and", "or")), inner, inner),
        ),
        max_leaves=6,
    )


def written(tree: Tree) -> str:
    match tree:
        case ("not", tuple() as inner):
            return f"NOT ({written(inner)})"
        case ("and" | "or" as joint, tuple() as left, tuple() as right):
            return f"({written(left)}) {joint.upper()} ({written(right)})"
        case ("null", name):
            return f"[{name}] IS NULL"
        case ("in", name, tuple() as choices):
            return f"[{name}] IN ({', '.join(map(str, choices))})"
        case (sign, name, number):
            return f"[{name}] {sign} {number}"
    raise AssertionError(tree)


def meant(tree: Tree, there: Mapping[str, int]) -> bool | None:
    match tree:
        case ("not", tuple() as inner):
            truth = meant(inner, there)
            return None if truth is None else not truth
        case ("and" | "or" as joint, tuple() as left, tuple() as right):
            truths = {meant(left, there), meant(right, there)}
            decisive = joint == "or"
            if decisive in truths:
                return decisive
            return None if None in truths else not decisive
        case ("null", str() as name):
            return name not in there
        case (sign, str() as name, other):
            if name not in there:
                return None
            value = there[name]
            if isinstance(other, tuple):
                return value in other
            assert isinstance(other, int)
            return {
                "=": value == other, "<>": value != other, "<": value < other, ">=": value >= other
            }[str(sign)]  # fmt: skip
    raise AssertionError(tree)


@given(trees(), st.dictionaries(st.sampled_from(("a", "b", "c d")), st.integers(0, 3)))
def test_a_filter_means_what_its_tree_means(tree: Tree, there: dict[str, int]) -> None:
    assert holds(written(tree), there) is meant(tree, there)


# Correlation filters


def test_a_correlation_filter_wants_every_property_as_it_says() -> None:
    passing = CorrelationFilter({"label": "x", "correlationid": "1"}, {"a": "b", "n": 1})
    there = {"a": "b", "n": 1, "more": 2}
    assert passing.lets_pass(message(application=there, label="x", correlationid="1"))
    assert not passing.lets_pass(message(application=there, label="X", correlationid="1"))
    assert not passing.lets_pass(message(application={"a": "b"}, label="x", correlationid="1"))
    assert not passing.lets_pass(
        message(application={**there, "n": True}, label="x", correlationid="1")
    )


def test_a_correlation_filter_must_ask_for_something_that_it_can_match() -> None:
    with pytest.raises(Refused, match="at least one property"):
        CorrelationFilter()
    with pytest.raises(Refused, match="cannot match timetolive"):
        CorrelationFilter({"timetolive": "1"})


# Actions and rules


def test_an_action_sets_and_removes_properties_in_order() -> None:
    action = actions.parse(
        "SET sys.Label = 'new'; SET quantity = quantity / 2; SET seen = sys.Label\n"
        "REMOVE old; SET [a b] = TRUE SET nothing = missing"
    )
    changed = action.applied(message(application={"quantity": 10, "old": 1, "kept": "k"}))
    assert changed.system("label") == "new"
    assert changed.application == {
        "kept": "k", "quantity": 5, "seen": "new", "a b": True, "nothing": None
    }  # fmt: skip


def test_an_action_does_not_touch_what_others_hold() -> None:
    original = message(application={"a": 1}, label="x")
    actions.parse("SET a = 2 SET sys.Label = 'y' REMOVE a").applied(original)
    assert original.application == {"a": 1}
    assert original.system("label") == "x"


def test_an_action_copies_what_can_be_copied() -> None:
    there = {"large": ULong(2**64 - 1), "list": [1, 2]}
    changed = actions.parse("SET a = large SET b = list").applied(message(application=there))
    assert changed.application == {**there, "a": 2**64 - 1, "b": None}


def test_an_action_can_make_new_identifiers() -> None:
    changed = actions.parse("SET a = newid()").applied(message())
    assert isinstance(changed.application["a"], uuid.UUID)
    again = messages.read(changed.bare)
    assert again.application == changed.application


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "expected SET or REMOVE"),
        ("SET a", "expected ="),
        ("SET a = b = 1", "expected SET or REMOVE, but found '='"),
        ("SET a = (b = 1)", "expected a value"),
        ("DROP a", "expected SET or REMOVE"),
        ("REMOVE sys.Nope", "no system property"),
        ("REMOVE a;" * 33, "more than 32 statements"),
    ],
)
def test_a_wrong_action_is_refused(source: str, says: str) -> None:
    with pytest.raises(Refused, match="argument-error") as refused:
        actions.parse(source)
    assert says in refused.value.message


def test_boolean_filters_are_told_by_their_expression() -> None:
    assert sql_filter("1=1") == sql_filter(" 1 = 1") == BooleanFilter(True)
    assert sql_filter("1=0") == BooleanFilter(False)


def test_rules_without_actions_give_one_copy_together_and_those_with_one_each() -> None:
    everything = BooleanFilter(True)
    rules = [
        rule("one", everything),
        rule("two", everything),
        rule("three", everything, "SET a = 3"),
        rule("four", everything, "SET a = 4"),
        rule("five", BooleanFilter(False), "SET a = 5"),
    ]
    copies = [copy.application for copy in matched(rules, message(application={"b": 1}))]
    assert copies == [
        {"b": 1},
        {"b": 1, "a": 3, "RuleName": "three"},
        {"b": 1, "a": 4, "RuleName": "four"},
    ]
    assert matched([Rule("none", BooleanFilter(False))], message()) == []


def test_a_rule_needs_a_name_of_at_most_50_characters() -> None:
    with pytest.raises(Refused, match="1 to 50 characters"):
        rule("x" * 51, BooleanFilter(True))
