"""Which alarms are evidence about which workload: about the one that they watch.

A name alone proves nothing, and becomes a hint. An alarm that is made of others is about what they
are about.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from crosswind.adopting.drafts import Alert, Draft, Hint, Left, named
from crosswind.adopting.found import FoundAlarm, Mark

MAX_ALERTS: Final = 1000
"""Alarms that a fleet maps."""

_LONGEST_MATCH: Final = 256


class Alarms:
    """Which alarms are evidence about which workload."""

    def __init__(
        self, alarms: Sequence[FoundAlarm], owners: Mapping[Mark, str], made: Draft
    ) -> None:
        self.alarms = alarms
        self.owners = owners
        self.made = made
        self.children = {(one.region, one.name): one for one in alarms}

    def map(self) -> None:
        by_name: defaultdict[str, list[FoundAlarm]] = defaultdict(list)
        for alarm in self.alarms:
            by_name[alarm.name].append(alarm)
        for name, alarms in by_name.items():
            self._one(name, alarms)

    def _one(self, name: str, alarms: Sequence[FoundAlarm]) -> None:
        """An alarm of one name, in one region or several; a mapping holds for all of them."""
        where = ", ".join(alarm.region for alarm in alarms)
        refusal = next((alarm.why_not for alarm in alarms if alarm.why_not), "")
        about = {workload for alarm in alarms for workload in self._about(alarm)}
        match = escaped(name)
        if refusal:
            self._leave(name, where, refusal)
        elif len(about) > 1:
            self._leave(name, where, f"watches several workloads ({', '.join(sorted(about))})")
        elif len(match) > _LONGEST_MATCH or not match.isprintable():
            self._leave(name, where, "its name cannot be written as a pattern")
        elif about and len(self.made.alerts) >= MAX_ALERTS:
            self._leave(name, where, f"a fleet maps {MAX_ALERTS:,} alarms; combine some with a `*`")
        elif about:
            (workload,) = about
            made_of = any(alarm.children for alarm in alarms)
            because = f"made of alarms that watch {workload}" if made_of else f"watches {workload}"
            said = f"{alarms[0].kind} in {where}; {because}"
            repeats = any(self._counted(alarm) for alarm in alarms)
            self.made.alerts.append(Alert(match, workload, said, repeats))
        else:
            self._unknown(name, match, where)

    def _about(self, alarm: FoundAlarm, depth: int = 8) -> set[str]:
        found = {self.owners[mark] for mark in alarm.marks if self.owners.get(mark)}
        if depth:
            for child in alarm.children:
                if (other := self.children.get((alarm.region, child))) is not None:
                    found |= self._about(other, depth - 1)
        return found

    def _counted(self, alarm: FoundAlarm) -> bool:
        """Whether a part of an alarm is evidence by itself."""
        parts = (self.children.get((alarm.region, child)) for child in alarm.children)
        return any(part is not None and not part.why_not for part in parts)

    def _unknown(self, name: str, match: str, where: str) -> None:
        """Nothing that it watches is a workload's; perhaps its name says more."""
        words = _words(name)
        named = [one.name for one in self.made.workloads if _within(_words(one.name), words)]
        longest = [
            one
            for one in named
            if not any(len(other) > len(one) and one in other for other in named)
        ]
        if len(longest) == 1 and len(self.made.hints) < MAX_ALERTS:
            self.made.hints.append(Hint(match, longest[0], where))
        else:
            self._leave(name, where, "watches nothing of a workload that was found")

    def _leave(self, name: str, where: str, why: str) -> None:
        self.made.left.append(Left("alarm", named(name, where), why))


def escaped(name: str) -> str:
    """The pattern that this name alone fits."""
    return re.sub(r"[*?\[]", lambda found: f"[{found[0]}]", name)


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", name.lower())


def _within(words: Sequence[str], others: Sequence[str]) -> bool:
    """Whether these words stand among others, one after the other."""
    return any(
        list(others[start : start + len(words)]) == list(words)
        for start in range(len(others) - len(words) + 1)
    )
