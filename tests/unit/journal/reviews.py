"""Dramas that became an incident, and their reviews in short words."""

from __future__ import annotations

from crosswind.journal.review.facts import Decided
from crosswind.journal.review.incidents import incidents
from crosswind.journal.review.story import Review, review
from unit.chains.drama import Drama
from unit.chains.fleets import CENTRAL, EAST, fleet, placement, workload
from unit.chains.test_brakes import PROPOSE, answer

LONELY = {"chat": workload(regions={EAST: placement(1.0, 10, 10)})}
MONTH = 30 * 86_400.0


def reviewed(drama: Drama) -> Review:
    """The review of the one incident of a drama."""
    found = incidents(drama.engine.ledger, ["shop"], drama.now, MONTH)
    (incident,) = found
    return review(drama.engine.ledger, drama.app, incident, drama.now, found)


def decided(told: Review, type: str) -> list[Decided]:
    return [one for one in told.decided if one.type == f"dev.crosswind.{type}.v1"]


def lessons(told: Review) -> str:
    return "\n".join(lesson.fact for lesson in told.lessons)


def unknown(told: Review) -> str:
    return "\n".join(one.what for one in told.unknown)


def slowly_approved() -> Drama:
    """A failover that a person lets wait, whose first plan does not hold, and that then fails."""
    drama = Drama(fleet(modes=PROPOSE))
    drama.cloud.most[CENTRAL] = 7
    drama.fail()
    drama.pass_time(600)
    answer(drama, "granted")
    drama.pass_time(60)
    answer(drama, "rejected")
    drama.pass_time(60)
    return drama


def there_and_back() -> Drama:
    """Left; relapsed on its way back, which is the incident; then back for good."""
    drama = Drama(fleet())
    drama.fail()
    drama.pass_time(300)
    drama.recover()
    drama.cloud.errors[EAST] = 0.5
    drama.pass_time(600)
    drama.cloud.errors.clear()
    drama.recover()
    drama.recover()
    drama.pass_time(600)
    return drama
