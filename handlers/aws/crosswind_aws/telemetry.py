"""What a function tells its operators: logs with the chain they belong to, and counts.

Logs are JSON of Powertools' Logger; each line about an event names its chain, so that
`filter chain = "..."` in CloudWatch Logs Insights shows a chain across functions. Counts are
metrics in the embedded metric format, in the namespace `Crosswind` with the group as service.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics

if TYPE_CHECKING:
    from crosswind_aws.intake import Outcome

NAMESPACE: Final = "Crosswind"

_QUIET: Final = {"worked", "relayed", "translated"}


class Telemetry:
    """Logs and counts of one function.

    Args:
        group: whose function it is.
    """

    def __init__(self, group: str) -> None:
        self.logger = Logger(service=group)
        self._metrics = EphemeralMetrics(namespace=NAMESPACE, service=group)

    def report(self, outcomes: Iterable[Outcome]) -> None:
        """Log what became of each record, and count it."""
        counts: Counter[str] = Counter()
        for outcome in outcomes:
            counts[outcome.what] += 1
            self._log(outcome)
        for what, count in counts.items():
            self._metrics.add_metric(name=what.capitalize(), unit="Count", value=count)
        if counts:
            self._metrics.flush_metrics()

    def count(self, what: str, number: int) -> None:
        """Count something that is not a record."""
        if number:
            self._metrics.add_metric(name=what, unit="Count", value=number)
            self._metrics.flush_metrics()

    def _log(self, outcome: Outcome) -> None:
        told: dict[str, Any] = {
            "message_id": outcome.record.id,
            "receipts": outcome.record.receipts,
            "chain": outcome.chain,
            "event_type": outcome.type,
            "detail": outcome.detail or None,
            "again_after": outcome.again.after if outcome.again else None,
        }
        extra = {name: value for name, value in told.items() if value is not None}
        if outcome.what in _QUIET:
            self.logger.info(outcome.what, extra=extra)
        else:
            self.logger.warning(outcome.what, extra=extra)
