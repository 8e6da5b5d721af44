"""Count, sum and average over what a query finds.

"Summarize data with aggregation queries",
https://cloud.google.com/firestore/docs/query-data/aggregation-queries, and
`StructuredAggregationQuery.Aggregation` of the v1 API: what is no number is passed over by sum and
average; a document that lacks a field of any of them counts for none of the aggregations.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crosswind_local.firestore import limits, paths
from crosswind_local.firestore.paths import Path
from crosswind_local.firestore.protocol import Pb, Value
from crosswind_local.firestore.refusals import invalid

_LEAST, _MOST = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class Aggregation:
    """One number that is asked for; a count has no path."""

    alias: str
    operator: str
    path: Path | None
    up_to: int | None

    def over(self, documents: Sequence[Pb]) -> Pb:
        """The number, as a Value."""
        if self.path is None:
            count = len(documents)
            return Value(integer_value=count if self.up_to is None else min(count, self.up_to))
        numbers = list(_numbers(documents, self.path))
        if self.operator == "avg":
            return Value(double_value=_total(numbers) / len(numbers)) if numbers else _null()
        total = _total(numbers)
        if isinstance(total, int) and _LEAST <= total <= _MOST:
            return Value(integer_value=total)
        return Value(double_value=float(total))


def compile_aggregations(requested: Iterable[Pb]) -> list[Aggregation]:
    """Read what is asked for; what has no alias is called field_1, field_2 and so on.

    Raises:
        ServiceError: it is invalid or too much (INVALID_ARGUMENT).
    """
    found: list[Aggregation] = []
    for number, one in enumerate(requested, 1):
        operator = one.WhichOneof("operator")
        if operator is None:
            raise invalid("An aggregation needs an operator: count, sum or avg.")
        path = up_to = None
        if operator != "count":
            path = paths.parse(getattr(one, operator).field.field_path)
        elif one.count.HasField("up_to"):
            up_to = int(one.count.up_to.value)
            if up_to <= 0:
                raise invalid("up_to must be greater than zero.")
        found.append(Aggregation(one.alias or f"field_{number}", operator, path, up_to))
    if not 1 <= len(found) <= limits.AGGREGATIONS:
        raise invalid(f"A query may have 1 to {limits.AGGREGATIONS} aggregations.")
    if len({one.alias for one in found}) < len(found):
        raise invalid("Aggregation aliases must be unique.")
    return found


def counted(documents: Iterable[Pb], requested: Sequence[Aggregation]) -> list[Pb]:
    """The documents that have every field that is summed or averaged."""
    wanted = [one.path for one in requested if one.path is not None]
    return [
        document
        for document in documents
        if all(paths.find(document.fields, path) is not None for path in wanted)
    ]


def _numbers(documents: Iterable[Pb], path: Path) -> Iterable[int | float]:
    for document in documents:
        value = paths.find(document.fields, path)
        kind = None if value is None else value.WhichOneof("value_type")
        if kind in {"integer_value", "double_value"}:
            yield getattr(value, kind)


def _total(numbers: Sequence[int | float]) -> int | float:
    # Integers are added among themselves first, so that they lose nothing to a double.
    integers = sum(number for number in numbers if isinstance(number, int))
    doubles = [number for number in numbers if isinstance(number, float)]
    return float(integers) + sum(doubles) if doubles else integers


def _null() -> Pb:
    return Value(null_value=0)
