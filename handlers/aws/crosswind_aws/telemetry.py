"""What a function tells its operators: logs with the chain they belong to, and counts.

Logs are JSON of Powertools' Logger; each line about an event names its chain, so that
`filter chain = "..."` in CloudWatch Logs Insights shows a chain across functions. Counts are
metrics in the embedded metric format, in the namespace `Crosswind` with the group as service.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics

if TYPE_CHECKING:
    from crosswind.buses.intake import Outcome

NAMESPACE: Final = "Crosswind"


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
        if outcome.expected:
            self.logger.info(outcome.what, extra=outcome.told())
        else:
            self.logger.warning(outcome.what, extra=outcome.told())
