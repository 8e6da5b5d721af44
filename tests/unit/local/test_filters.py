"""The filter language of Pub/Sub subscriptions."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crosswind_local.errors import ServiceError
from crosswind_local.pubsub import filters


def matches(source: str, **attributes: str) -> bool:
    parsed = filters.parse(source)
    assert parsed is not None
    return parsed.matches(attributes)


def test_a_key_is_looked_for_whatever_its_value() -> None:
    assert matches("attributes:name", name="")
    assert not matches("attributes:name", other="x")


def test_equality_is_case_sensitive_and_whole() -> None:
    assert matches('attributes.name = "com"', name="com")
    assert not matches('attributes.name = "com"', name="Com")
    assert not matches('attributes.name = "com"', name="comm")


def test_inequality_is_the_complement_and_so_matches_a_missing_key() -> None:
    assert matches('attributes.name != "com"', name="org")
    assert matches('attributes.name != "com"')
    assert not matches('attributes.name != "com"', name="com")


def test_a_prefix_needs_the_key() -> None:
    assert matches('hasPrefix(attributes.name, "co")', name="com")
    assert not matches('hasPrefix(attributes.name, "")')
    assert matches('NOT hasPrefix(attributes.name, "co")')


def test_not_binds_tighter_than_and() -> None:
    assert matches("NOT attributes:a AND attributes:b", b="1")
    assert not matches("-attributes:a AND attributes:b")


def test_parentheses_join_and_with_or() -> None:
    source = 'attributes:lang AND (attributes.domain = "net" OR attributes.domain = "org")'
    assert matches(source, lang="", domain="org")
    assert not matches(source, lang="", domain="com")


def test_a_key_with_other_characters_is_quoted() -> None:
    parsed = filters.parse('attributes:"iana.org/language_tag"')
    assert parsed is not None
    assert parsed.matches({"iana.org/language_tag": "en"})
    assert matches('attributes:ce-type AND attributes.ce-type = "x"', **{"ce-type": "x"})


def test_strings_may_hold_escapes() -> None:
    assert matches(r'attributes.a = "\"\\\x41\u307F\101\n"', a='"\\A\u307fA\n')


def test_an_empty_filter_lets_everything_pass() -> None:
    assert filters.parse("") is None
    assert filters.parse("  ") is None


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("attributes", "expected . at character 11, but it ends"),
        ("attributes.a", "expected = or != at character 13"),
        ("attributes.a = b", "a string in double quotes at character 16, but found b"),
        ("attributes:a AND attributes:b OR attributes:c", "may not be mixed"),
        ("(attributes:a", "expected ) at character 14"),
        ("attributes:a attributes:b", "the end of the filter at character 14"),
        ("Attributes:a", "expected attributes, hasPrefix, NOT or ("),
        ('attributes.a = "\\q"', "unknown escape"),
        ('attributes.a = "\\uD800"', "no such character"),
        ("attributes:a and attributes:b", "the end of the filter"),
        ("attributes:a \u00a7", "cannot read"),
        ("attributes:" + "a" * 250, "more than 256"),
    ],
)
def test_a_wrong_filter_is_refused_and_the_place_is_named(source: str, says: str) -> None:
    with pytest.raises(ServiceError) as refused:
        filters.parse(source)
    assert refused.value.code == "INVALID_ARGUMENT"
    assert says in refused.value.message


# A second reading of the language, as nested tuples, that knows nothing of the parser.
Tree = tuple[object, ...]
KEYS = ("a", "b-c", "x/y", "d_1", "")
VALUES = ("", "v", "va", 'q"\\', "ü", "\n")


def trees() -> st.SearchStrategy[Tree]:
    keys, values = st.sampled_from(KEYS), st.sampled_from(VALUES)
    leaves: st.SearchStrategy[Tree] = st.one_of(
        st.tuples(st.just("has"), keys),
        st.tuples(st.just("eq"), keys, values),
        st.tuples(st.just("ne"), keys, values),
        st.tuples(st.just("prefix"), keys, values),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(st.just("not"), inner),
            st.tuples(st.sampled_from(("and", "or")), inner, inner),
        ),
        max_leaves=5,
    )


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def written(tree: Tree) -> str:
    kind, *parts = tree
    if kind in {"and", "or"}:
        left, right = (written(part) for part in parts if isinstance(part, tuple))
        return f"({left} {str(kind).upper()} {right})"
    if kind == "not":
        (inner,) = (part for part in parts if isinstance(part, tuple))
        return f"NOT {written(inner)}"
    key = str(parts[0])
    name = key if key and key.replace("_", "").replace("-", "").isalnum() else quoted(key)
    if kind == "has":
        return f"attributes:{name}"
    value = quoted(str(parts[1]))
    if kind == "prefix":
        return f"hasPrefix(attributes.{name},{value})"
    return f"attributes.{name}{'=' if kind == 'eq' else ' != '}{value}"


def holds(tree: Tree, attributes: dict[str, str]) -> bool:
    match tree:
        case ("and", tuple() as left, tuple() as right):
            return holds(left, attributes) and holds(right, attributes)
        case ("or", tuple() as left, tuple() as right):
            return holds(left, attributes) or holds(right, attributes)
        case ("not", tuple() as inner):
            return not holds(inner, attributes)
        case ("has", key):
            return key in attributes
        case ("eq", key, value):
            return (key, value) in attributes.items()
        case ("ne", key, value):
            return (key, value) not in attributes.items()
        case ("prefix", str() as key, str() as value):
            return key in attributes and attributes[key][: len(value)] == value
    raise AssertionError(tree)


@given(trees(), st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES)))
def test_a_filter_means_what_its_tree_means(tree: Tree, attributes: dict[str, str]) -> None:
    source = written(tree)
    assume(len(source.encode()) <= 256)
    parsed = filters.parse(source)
    assert parsed is not None
    assert parsed.matches(attributes) is holds(tree, attributes)


PIECES = st.sampled_from(
    ["attributes", ":", ".", "=", "!=", '"', '"a"', "AND", "OR", "NOT", "-", "(", ")", " ", "\\",
     "hasPrefix", ",", "a", "\x00", "ü"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=60).map("".join)))
def test_any_text_is_read_or_refused_and_nothing_else(source: str) -> None:
    try:
        parsed = filters.parse(source)
    except ServiceError as refused:
        if refused.code != "INVALID_ARGUMENT":
            raise
        return
    assert parsed is None or parsed.matches({"a": "a"}) in {True, False}


def test_the_deepest_filter_that_fits_is_read_without_harm() -> None:
    assert matches("(" * 118 + "attributes:a" + ")" * 118, a="")
    assert matches("-" * 244 + "attributes:a", a="")
