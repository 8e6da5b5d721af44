"""What is promised to the users of a workload, in our words or in those of OpenSLO.

Source: the OpenSLO specification v1, object SLO (https://github.com/OpenSLO/OpenSLO). Its shape
is read into ours, so that everything else knows one `Slo`. What cannot be held to here, such as
time slices, is a fault and not passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from crosswind.fleet.quantities import (
    DAY,
    Amount,
    Declared,
    Number,
    Positive,
    PositiveSeconds,
    Share,
)

_MONTH: Final = 30 * DAY
_SHORTHAND: Final = {
    "m": 60.0,
    "h": 3600.0,
    "d": DAY,
    "w": 7 * DAY,
    "M": _MONTH,
    "Q": 3 * _MONTH,
    "Y": 365 * DAY,
}
_LATENCY_TARGET: Final = 0.95
"""The share of requests that `Slo.latency_ms` is about."""


class Slo(Declared):
    """What is promised to the users of a workload.

    Attributes:
        availability: share of requests that are answered well.
        latency_ms: 95th percentile of latency in milliseconds, where one is promised.
        window: seconds over which the promise is counted.
    """

    availability: Annotated[Share, Field(gt=0.0)] = 0.999
    latency_ms: Positive | None = None
    window: PositiveSeconds = _MONTH


class _OpenSlo(Declared):
    model_config = ConfigDict(alias_generator=to_camel)


class OpenSloCalendar(_OpenSlo):
    start_time: str
    time_zone: str


class OpenSloWindow(_OpenSlo):
    """A window; one that follows the calendar is counted as a rolling one of the same length."""

    duration: str = Field(pattern=r"^[1-9][0-9]{0,5}[mhdwMQY]$", examples=["4w"])
    is_rolling: bool | None = None
    calendar: OpenSloCalendar | None = None

    @property
    def seconds(self) -> float:
        return int(self.duration[:-1]) * _SHORTHAND[self.duration[-1]]


class OpenSloObjective(_OpenSlo):
    """An objective: a ratio of good requests, or with `op` and `value` a latency in ms."""

    display_name: str | None = None
    target: Annotated[Number, Field(gt=0.0, lt=1.0)] | None = None
    target_percent: Annotated[Number, Field(gt=0.0, lt=100.0)] | None = None
    op: Literal["lte", "lt"] | None = None
    value: Amount | None = None

    @property
    def share(self) -> float:
        if self.target is not None:
            return self.target
        # Rounded: 99.9 % are 0.999, and not the nearest thing that a division leaves.
        return round((self.target_percent or 0.0) / 100, 12)

    @model_validator(mode="after")
    def _is_one_objective(self) -> OpenSloObjective:
        if (self.target is None) == (self.target_percent is None):
            raise ValueError("gives not exactly one of target and targetPercent; write one of them")
        if (self.op is None) != (self.value is None):
            raise ValueError(
                "gives only one of op and value; write both for a latency in milliseconds, such as "
                "`op: lte` and `value: 800`, or none of them"
            )
        if self.op is not None and self.share != _LATENCY_TARGET:
            raise ValueError(
                f"promises a latency to {self.share:g} of the requests; latencies are looked at as "
                "the 95th percentile, write `target: 0.95`"
            )
        return self


class OpenSlo(_OpenSlo):
    """The `spec` of an OpenSLO v1 SLO.

    The strictest ratio is the availability, the strictest threshold the latency in milliseconds.
    What says where the numbers are measured (`indicator`) is taken and not used: telemetry comes
    from performers.
    """

    description: str | None = Field(default=None, max_length=1050)
    service: str | None = None
    indicator: Mapping[str, Any] | None = None
    indicator_ref: str | None = None
    time_window: tuple[OpenSloWindow, ...] = Field(default=(), max_length=1)
    budgeting_method: Literal["Occurrences"] = "Occurrences"
    objectives: tuple[OpenSloObjective, ...] = Field(
        min_length=1, max_length=64, examples=[[{"target": 0.999}]]
    )
    alert_policies: tuple[Any, ...] = ()

    def read(self) -> Slo:
        """The same promise in our words."""
        said: dict[str, float] = {}
        ratios = [one.share for one in self.objectives if one.op is None]
        latencies = [one.value for one in self.objectives if one.value is not None]
        if ratios:
            said["availability"] = max(ratios)
        if latencies:
            said["latency_ms"] = min(latencies)
        for window in self.time_window:
            said["window"] = window.seconds
        return Slo.model_validate(said)


class OpenSloDocument(_OpenSlo):
    """A whole OpenSLO document of kind SLO."""

    api_version: Literal["openslo/v1"] = Field(examples=["openslo/v1"])
    kind: Literal["SLO"] = Field(examples=["SLO"])
    metadata: Mapping[str, Any] = {}
    spec: OpenSlo = Field(examples=[{"objectives": [{"target": 0.999}]}])

    def read(self) -> Slo:
        """The same promise in our words."""
        return self.spec.read()


_OF_DOCUMENT: Final = frozenset(map(to_camel, OpenSloDocument.model_fields))
_OF_SPEC: Final = frozenset(map(to_camel, OpenSlo.model_fields))


def _read(value: Any) -> Any:
    """An SLO as it is written, in either shape."""
    if not isinstance(value, Mapping) or value.keys() <= Slo.model_fields.keys():
        return value
    shape: type[OpenSlo | OpenSloDocument]
    if not _OF_DOCUMENT.isdisjoint(value):
        shape = OpenSloDocument
    elif not _OF_SPEC.isdisjoint(value):
        shape = OpenSlo
    else:
        return value
    try:
        return shape.model_validate(value).read()
    except ValidationError as error:
        # Its errors are told one by one where they stand; see `crosswind.fleet.explanations`.
        errors = tuple(error.errors(include_url=False))
        raise PydanticCustomError(
            "nested", "{summary}", {"summary": str(error), "errors": errors, "model": shape}
        ) from error


Objective = Annotated[
    Slo, BeforeValidator(_read, json_schema_input_type=Slo | OpenSlo | OpenSloDocument)
]
"""The field type: an `Slo`, also where it is written as OpenSLO does."""
