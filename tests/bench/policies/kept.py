"""Outcomes kept in a folder, so that a long run that was interrupted goes on where it was.

They are believed as they are: remove the folder after a change of the code, the mix or a policy.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

from bench.policies.plays import Outcome
from bench.policies.scores import Score


class Shelf:
    """A file of outcomes for each policy.

    Args:
        folder: where they are; nothing is kept unless given.

    Attributes:
        used: whether anything was found there.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.used = False

    def get(self, name: str, outages: int, harmless: int) -> Score | None:
        """What is kept of a policy; None where it is not of so many incidents."""
        file = self._file(name)
        if file is None or not file.exists():
            return None
        lines = file.read_text(encoding="utf-8").splitlines()
        score = Score(name, tuple(Outcome(**json.loads(line)) for line in lines))
        counted = len(score.outages), len(score.outcomes) - len(score.outages)
        if counted != (outages, harmless):
            return None
        self.used = True
        return score

    def put(self, score: Score) -> None:
        """Keep what came of a policy."""
        file = self._file(score.name)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            lines = (json.dumps(asdict(one)) for one in score.outcomes)
            file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def _file(self, name: str) -> Path | None:
        slug = re.sub(r"\W+", "-", name.lower())
        return None if self.folder is None else self.folder / f"{slug}.jsonl"
