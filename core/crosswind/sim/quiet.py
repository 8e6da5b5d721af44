"""Quiet: scheduled rounds that provably say nothing are not worked.

A thousand days hold three million rounds of probes, of which a few thousand have something to say.
A round that says nothing changes nothing, whatever it reads. The rules of `rounds` and `probing`
show which ones do, as the world and the register are; and the messages of a round that lead to
nothing.

    lasting   says nothing as long as nothing changes: all rounds until then are left out
    silent    says nothing now: this one is withheld
    speaks    it is worked

A round takes a few seconds, in which something may change that it would have seen. What is left out
is therefore withheld until its time is over: at every change it is looked at again, and where it
would say something now it is worked after all, at the moment at which it was due. That can be made
up for exactly, as what comes before the looks themselves depends on nothing but the fleet.

A test plays the same days with and without, and compares every chain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from crosswind.sim.probing import ProbeRounds
from crosswind.sim.rounds import DriftRounds, Rounds, Silence

if TYPE_CHECKING:
    from crosswind.sim.simulation import Simulation
    from crosswind.testing.post import Letter

_NEXT: Final = 1e-6
"""Seconds; far less than lies between two rounds, and far more than the rounding of a time."""


class Withheld(NamedTuple):
    """A round, or a message of one, that says nothing as things stand.

    Attributes:
        at: when it was due. ends: when all that it leads to would be over.
        silent: whether it would still say nothing from a moment on.
        work: works it.
    """

    at: float
    ends: float
    silent: Callable[[float], bool]
    work: Callable[[], None]


class Quiet:
    """Knows which rounds say nothing.

    Attributes:
        skipped: how many rounds were left out.
        elided: how many messages of rounds that were worked.
        made_up: how many of both were worked after all.
    """

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.skipped = 0
        self.elided = 0
        self.made_up = 0
        rounds: tuple[Rounds, ...] = (ProbeRounds(simulation), DriftRounds(simulation))
        self._rounds = {one.schedule: one for one in rounds if one.schedule is not None}
        self._withheld: list[Withheld] = []
        self._seen = self._versions()

    def skip(self, other: float) -> bool:
        """Leave out the rounds that are due now, if they say nothing; whether any was left out.

        Args:
            other: when anything but a schedule is due.
        """
        simulation = self.simulation
        timetable, start, now = simulation.timetable, simulation.start, simulation.now
        dues = {one.name: timetable.due(one.name) - start for one in simulation.app.schedules}
        other = min([other, *(at for name, at in dues.items() if name not in self._rounds)])
        skipped = 0
        for name, rounds in self._rounds.items():
            due = dues[name]
            if due > now or (silence := rounds.silence(due)) is Silence.SPEAKS:
                continue
            if silence is Silence.LASTING:
                nearest = until = self._first_word(name, dues, other)
            else:
                nearest, until = min([other, *(at for at in dues.values() if at > now)]), now
            skipped += timetable.skip(name, start + max(until, now + _NEXT))
            self._withhold_rounds(name, rounds, due, nearest)
        self.skipped += skipped
        return skipped > 0

    def _first_word(self, mine: str, dues: Mapping[str, float], other: float) -> float:
        """When anything else is due: what another round has to say is such a thing."""
        for name, rounds in self._rounds.items():
            due = dues[name]
            if name != mine and due < other and rounds.silence(due) is not Silence.LASTING:
                other = max(due, self.simulation.now)
        return other

    def says_nothing(self, letter: Letter) -> bool:
        """Whether a message leads to nothing, or is withheld."""
        now = self.simulation.now
        for rounds in self._rounds.values():
            silent = rounds.leads_to_nothing(letter)
            if silent is None:
                continue
            if not silent(now):
                return False
            self.elided += 1
            if rounds.fans_out(letter):
                work = self._working(letter)
                self._withheld.append(Withheld(now, now + rounds.takes(now), silent, work))
            return True
        return False

    def fans_out(self, letter: Letter) -> bool:
        """Whether a message of a round depends on nothing but the fleet."""
        return any(rounds.fans_out(letter) for rounds in self._rounds.values())

    def review(self) -> None:
        """Look again at what is withheld, where something has changed."""
        if not self._withheld:
            return
        now, versions = self.simulation.now, self._versions()
        self._withheld = [one for one in self._withheld if one.ends > now]
        if versions == self._seen:
            return
        self._seen = versions
        speaking = [one for one in self._withheld if not one.silent(now)]
        self._withheld = [one for one in self._withheld if one not in speaking]
        for one in speaking:
            self.made_up += 1
            self.simulation.make_up(one.at, one.work)

    def _withhold_rounds(self, name: str, rounds: Rounds, first: float, other: float) -> None:
        """Withhold those of the rounds left out that are not over when something else is due."""
        timetable, start = self.simulation.timetable, self.simulation.start
        every = timetable.every(name)
        at = timetable.due(name) - start - every
        while at >= first - _NEXT and at + rounds.takes(at) > other:
            self._withheld.append(self._round(name, rounds, at))
            at -= every

    def _round(self, name: str, rounds: Rounds, at: float) -> Withheld:
        simulation = self.simulation
        return Withheld(
            at,
            at + rounds.takes(at),
            lambda now: rounds.silence(max(at, now)) is not Silence.SPEAKS,
            lambda: simulation.timetable.send(name, simulation.start + at),
        )

    def _working(self, letter: Letter) -> Callable[[], None]:
        return lambda: self.simulation.work(letter)

    def _versions(self) -> tuple[int, ...]:
        simulation = self.simulation
        return (
            simulation.world.version,
            simulation.intended.version,
            simulation.writes,
        )
