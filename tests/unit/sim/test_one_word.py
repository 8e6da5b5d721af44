"""Whichever runs race to make an event, all of them make the same."""

from __future__ import annotations

import pytest

from crosswind.ports import Message
from unit.sim.plays import OUTAGE, Play


@pytest.mark.parametrize("seed", [1, 2])
def test_what_has_one_id_has_one_content(seed: int) -> None:
    play = Play(OUTAGE, seed=seed)
    bodies: dict[str, set[bytes]] = {}

    def hear(message: Message) -> None:
        bodies.setdefault(message.id, set()).add(message.body)

    play.simulation.on_message(hear)
    play.run(9000)
    assert len(bodies) > 100
    assert not [each for each in bodies.values() if len(each) > 1]
