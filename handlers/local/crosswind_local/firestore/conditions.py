"""The filters of a query: checked once, then asked of each document.

"Query data", https://cloud.google.com/firestore/docs/query-data/queries, for what each operator
finds and what goes together; `StructuredQuery.Filter` of the v1 API for the rest. A comparison
finds only values of the type that it is given; `!=` and `not-in` find every value but null; no
filter finds a document that lacks its field.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from crosswind_local.firestore import limits, names, paths, values
from crosswind_local.firestore.paths import Path
from crosswind_local.firestore.protocol import Pb
from crosswind_local.firestore.refusals import invalid
from crosswind_local.firestore.values import Key

Condition = Callable[[Pb], bool]
"""Whether a document is found."""

_Test = Callable[[Key], bool]

_FIELD_OPERATORS = {
    1: "<",
    2: "<=",
    3: ">",
    4: ">=",
    5: "==",
    6: "!=",
    7: "array-contains",
    8: "in",
    9: "array-contains-any",
    10: "not-in",
}
_UNARY_OPERATORS = {2: "is NaN", 3: "is null", 4: "is not NaN", 5: "is not null"}
_AND, _OR = 1, 2

_RANGES = {"<", "<=", ">", ">="}
_NEGATIONS = {"!=", "not-in", "is not NaN", "is not null"}
_LISTS = {"in", "not-in", "array-contains-any"}
_OF_ARRAYS = {"array-contains", "array-contains-any"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison of one field."""

    path: Path
    operator: str
    operand: Pb | None

    @property
    def is_inequality(self) -> bool:
        """Whether results are ordered by the field."""
        return self.operator in _RANGES or self.operator in _NEGATIONS

    def branches(self) -> int:
        """How many equalities an `in` or the like stands for."""
        if self.operator in {"in", "array-contains-any"} and self.operand is not None:
            return len(self.operand.array_value.values)
        return 1


def compile_filter(where: Pb, parent: str) -> tuple[Condition, list[Leaf]]:
    """A filter as a function, and the comparisons in it.

    Raises:
        ServiceError: the filter is invalid, or too much for one query (INVALID_ARGUMENT).
    """
    leaves: list[Leaf] = []
    condition = _compile(where, parent, leaves)
    _check_together(where, leaves)
    return condition, leaves


def value_of(document: Pb, path: Path) -> Key | None:
    """What orders a document's value at a path; None where it has none."""
    if path == (paths.NAME,):
        return values.name_key(document.name)
    value = paths.find(document.fields, path)
    return None if value is None else values.key(value, limits.INDEXED_BYTES)


def operand_key(value: Pb) -> Key:
    """What orders a value that a query names.

    Raises:
        ServiceError: it is no plain value (INVALID_ARGUMENT).
    """
    kind = value.WhichOneof("value_type")
    if kind is None or kind.endswith(("_reference_value", "function_value", "pipeline_value")):
        raise invalid(f"A query cannot compare with a value of type {kind or 'unset'}.")
    return values.key(value, limits.INDEXED_BYTES)


def name_operand(value: Pb, parent: str) -> Key:
    """What orders a document's name that a query names.

    Raises:
        ServiceError: it is no name of a document in this database (INVALID_ARGUMENT).
    """
    if not value.HasField("reference_value"):
        raise invalid("__key__ filter value must be a Key: compare __name__ with a reference.")
    names.check_document(value.reference_value, names.database_of(parent))
    return operand_key(value)


def _compile(where: Pb, parent: str, leaves: list[Leaf]) -> Condition:
    match where.WhichOneof("filter_type"):
        case "composite_filter":
            operator = where.composite_filter.op
            parts = [_compile(part, parent, leaves) for part in where.composite_filter.filters]
            if operator not in {_AND, _OR} or not parts:
                raise invalid("A composite filter needs an operator, AND or OR, and filters.")
            if operator == _AND:
                return lambda document: all(part(document) for part in parts)
            return lambda document: any(part(document) for part in parts)
        case "field_filter":
            found = where.field_filter
            operator = _FIELD_OPERATORS.get(found.op)
            leaf = Leaf(
                paths.parse(found.field.field_path), _known(operator, found.op), found.value
            )
        case "unary_filter":
            found = where.unary_filter
            operator = _UNARY_OPERATORS.get(found.op)
            leaf = Leaf(paths.parse(found.field.field_path), _known(operator, found.op), None)
        case _:
            raise invalid("A filter is empty: it needs a field, unary or composite filter.")
    leaves.append(leaf)
    test, path = _test(leaf, parent), leaf.path

    def condition(document: Pb) -> bool:
        found = value_of(document, path)
        return found is not None and test(found)

    return condition


def _known(operator: str | None, number: int) -> str:
    if operator is None:
        raise invalid(f"A filter has an unknown operator ({number}).")
    return operator


def _test(leaf: Leaf, parent: str) -> _Test:
    by_name = leaf.path == (paths.NAME,)
    operator = leaf.operator
    if by_name and (operator in _OF_ARRAYS or leaf.operand is None):
        raise invalid(f"__name__ cannot be filtered by {operator}.")

    def read(value: Pb) -> Key:
        return name_operand(value, parent) if by_name else operand_key(value)

    if leaf.operand is None:
        return _unary(operator)
    if operator in _LISTS:
        if not leaf.operand.HasField("array_value") or not leaf.operand.array_value.values:
            raise invalid(f"'{operator}' requires an non-empty ArrayValue.")
        return _listed(operator, [read(value) for value in leaf.operand.array_value.values])
    return _compared(operator, read(leaf.operand))


def _unary(operator: str) -> _Test:
    match operator:
        case "is null":
            return lambda found: found[0] == values.NULL
        case "is not null":
            return lambda found: found[0] != values.NULL
        case "is NaN":
            return values.is_nan
        case _:
            return lambda found: found[0] != values.NULL and not values.is_nan(found)


def _listed(operator: str, keys: list[Key]) -> _Test:
    chosen = set(keys)
    match operator:
        case "in":
            return lambda found: found in chosen
        case "array-contains-any":
            return lambda found: found[0] == values.ARRAY and not chosen.isdisjoint(found[1])
        case _:
            has_null = any(key[0] == values.NULL for key in keys)
            return lambda found: not has_null and found[0] != values.NULL and found not in chosen


def _compared(operator: str, wanted: Key) -> _Test:
    rank = wanted[0]
    match operator:
        case "==":
            return lambda found: found == wanted
        case "!=":
            # Nothing is said to be unlike null: that is what "is not null" asks.
            return lambda found: values.NULL not in (found[0], rank) and found != wanted
        case "array-contains":
            return lambda found: found[0] == values.ARRAY and wanted in found[1]
        case "<":
            return lambda found: found[0] == rank and found < wanted
        case "<=":
            return lambda found: found[0] == rank and found <= wanted
        case ">":
            return lambda found: found[0] == rank and found > wanted
        case _:
            return lambda found: found[0] == rank and found >= wanted


def _check_together(where: Pb, leaves: list[Leaf]) -> None:
    operators = [leaf.operator for leaf in leaves]
    negations = [operator for operator in operators if operator in _NEGATIONS]
    if len(negations) > 1:
        raise invalid(
            "Only a single 'NOT_EQUAL', 'NOT_IN', 'IS_NOT_NAN', or 'IS_NOT_NULL' filter allowed "
            "per query."
        )
    if "not-in" in operators:
        if {"in", "array-contains-any"} & set(operators) or _has_or(where):
            raise invalid("'NOT_IN' cannot be used with 'IN', 'ARRAY_CONTAINS_ANY' or 'OR'.")
        for leaf in leaves:
            if leaf.operator == "not-in" and leaf.operand is not None:
                most = limits.NOT_IN_VALUES
                if len(leaf.operand.array_value.values) > most:
                    raise invalid(f"'NOT_IN' supports up to {most} comparison values.")
    if len({leaf.path for leaf in leaves if leaf.is_inequality}) > limits.INEQUALITY_FIELDS:
        raise invalid(
            f"A query may have range or inequality filters on {limits.INEQUALITY_FIELDS} fields."
        )
    remaining = iter(leaves)
    alternatives, _ = _count(where, remaining)
    if alternatives > limits.DISJUNCTIONS:
        raise invalid(
            f"The query has {alternatives} disjunctions in disjunctive normal form; it may have "
            f"up to {limits.DISJUNCTIONS}."
        )


def _has_or(where: Pb) -> bool:
    if not where.HasField("composite_filter"):
        return False
    composite = where.composite_filter
    several = composite.op == _OR and len(composite.filters) > 1
    return several or any(map(_has_or, composite.filters))


def _count(where: Pb, leaves: Iterator[Leaf]) -> tuple[int, int]:
    """How many alternatives a filter has once written as an OR of ANDs.

    And how many filters by array membership one such AND has at most; there may be one of each.
    `leaves` are those of the filter, in its order.
    """
    if not where.HasField("composite_filter"):
        leaf = next(leaves)
        return leaf.branches(), int(leaf.operator in _OF_ARRAYS)
    counted = [_count(part, leaves) for part in where.composite_filter.filters]
    if where.composite_filter.op == _OR:
        return sum(one[0] for one in counted), max(one[1] for one in counted)
    alternatives = 1
    for one in counted:
        # Capped, as a product of many is of no interest and without bound.
        alternatives = min(alternatives * max(one[0], 1), limits.REQUEST_BYTES)
    arrays = sum(one[1] for one in counted)
    if arrays > 1:
        raise invalid(
            "Only a single 'ARRAY_CONTAINS' or 'ARRAY_CONTAINS_ANY' filter is allowed per "
            "disjunction."
        )
    return alternatives, arrays
