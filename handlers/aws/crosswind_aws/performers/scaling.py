"""One order for replicas, from what is there to what is granted.

a newer epoch is marked there    -> refused, with what is in force
this key is marked there         -> it was ordered; how far is it?
else                             -> order, mark, and look again:
    the register has a newer plan    -> that one is asserted
    a newer epoch has come           -> it has taken the place of this one
    an older one has come            -> order again
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from crosswind.actions import Pending
from crosswind.operations.endpoints import Scaled, ScaleEndpoint
from crosswind_aws.performers.asking import Deadline
from crosswind_aws.performers.failures import InConflict, Short
from crosswind_aws.performers.replicas import Mark, Replicas, Seen
from crosswind_aws.performers.resources import aws_region

if TYPE_CHECKING:
    from crosswind_aws.performers.intentions import Intentions

_TURNS: Final = 3


class Scaling:
    """Carries out one order.

    Args:
        replicas: of this kind of endpoint.
        endpoint: as it is declared.
        action: the order.
        key: its key, as it is left with the endpoint.
        deadline: until when it has to be answered.
        intentions: of the register.
        check_after: seconds after which replicas that are starting are looked at again.
    """

    def __init__(
        self,
        replicas: Replicas[Any],
        endpoint: Any,
        action: ScaleEndpoint,
        key: str,
        deadline: Deadline,
        intentions: Intentions | None,
        check_after: float,
    ) -> None:
        self._replicas = replicas
        self._endpoint = endpoint
        self._action = action
        self._mark = Mark(action.epoch, key)
        self._deadline = deadline
        self._intentions = intentions
        self._check_after = check_after
        self._region = aws_region(action.region)
        self._wanted = max(action.replicas, replicas.least)
        self._limit = ""

    def carry_out(self) -> Scaled | Pending:
        """Order the replicas unless that was done, and tell what has come of it.

        Raises:
            CallFailed: see `failures`.
        """
        seen = self._see()
        for _ in range(_TURNS):
            if seen.mark.epoch > self._mark.epoch:
                return self._in_force(seen, f"epoch {seen.mark.epoch} is in force")
            if seen.mark.key == self._mark.key:
                return self._granted(seen)
            newer = self._newer()
            if newer is None:
                if seen.busy and seen.desired != self._wanted:
                    return Pending(self._check_after, seen.busy)
                try:
                    self._order(seen)
                except InConflict as conflict:
                    return Pending(self._check_after, str(conflict))
                self._replicas.mark(seen.arn, self._region, self._mark, self._deadline)
                seen = self._see()
                newer = self._newer()
            if newer is not None:
                return self._assert(newer, seen)
        return self._granted(seen)

    def _see(self) -> Seen:
        return self._replicas.find(self._endpoint, self._region, self._deadline, marked=True)

    def _order(self, seen: Seen) -> None:
        """Ask for the replicas, or for as many as a quota leaves."""
        if seen.desired == self._wanted:
            return
        try:
            self._ask(self._wanted)
        except Short as short:
            possible = self._replicas.possible(short.said, seen)
            if possible is not None and seen.desired < possible < self._wanted:
                self._ask(possible)
            self._limit = f"{short.code}: {short.said}"

    def _ask(self, count: int) -> None:
        self._replicas.order(self._endpoint, self._region, count, self._deadline)

    def _newer(self) -> int | None:
        """Replicas of a newer plan, where the register holds one."""
        action = self._action
        if self._intentions is None:
            return None
        found = self._intentions(action.workload, action.epoch)
        # The steps of its own plan have higher epochs, and do not make its replicas obsolete.
        if found is None or (action.plan is not None and found.plan == action.plan):
            return None
        intended = found.capacity.get(action.region)
        return None if intended == action.replicas else intended

    def _assert(self, newer: int, seen: Seen) -> Scaled:
        """Ask for what a newer plan intends."""
        wanted = max(newer, self._replicas.least)
        if seen.desired != wanted:
            self._ask(wanted)
            seen = self._see()
        return self._in_force(seen, "a newer plan is in force, and asserted again")

    def _granted(self, seen: Seen) -> Scaled | Pending:
        """What has come of the order so far."""
        requested = self._action.replicas
        granted = min(seen.desired, seen.ready + seen.starting)
        if not seen.short and seen.ready < granted:
            note = f"{seen.ready} of {granted} replicas serve in {self._action.region}"
            return Pending(self._check_after, note)
        reason = seen.short or self._limit
        if granted >= requested and seen.short:
            reason = ""  # what it says is about something else
        if not reason and seen.desired != requested:
            floor = requested < self._replicas.least == seen.desired
            reason = "it keeps at least one" if floor else f"{seen.desired} are asked for there"
        return Scaled(requested=requested, granted=granted, ready=seen.ready, reason=reason)

    def _in_force(self, seen: Seen, reason: str) -> Scaled:
        """The order is not, or no longer, what holds."""
        return Scaled(
            requested=self._action.replicas,
            granted=seen.desired,
            ready=seen.ready,
            reason=reason,
        )
