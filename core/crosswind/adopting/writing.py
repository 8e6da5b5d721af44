"""The first `fleet.yaml` of an account, as a person would begin it.

What was read stands as it is. What was not is a guess that is safe while all is only observed, and
a comment says so: whoever searches the file for GUESS finds every one. At its end stands what was
found and has no place, and what could not be read.

Names come from an account in which others may write: they stand quoted where they are values, and
in one printable line where they are comments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from crosswind.adopting.drafts import Draft, Drafted, Left, Placed
from crosswind.adopting.found import Found, Unread

UNKNOWN: Final = "ZZ"
"""Stands for the country of a region that is not known: ISO 3166-1 assigns it to none."""

_PLAIN: Final = re.compile(r"[a-z][a-z0-9._/-]*")
_WORDS: Final = {"false", "no", "null", "off", "on", "true", "y", "yes", "n"}
_LONGEST: Final = 300
_LISTED: Final = 500
"""Things without a place that are listed in the file one by one; more are counted."""


def write(found: Found, made: Draft, name: str = "main", said_on: str = "") -> str:
    """Write a fleet.

    Args:
        name: of the fleet.
        said_on: the day on which the account was read.
    """
    lines = [
        *_opening(found, said_on),
        f"name: {name}",
        "",
        *_regions(found, made),
        "",
        *_workloads(made.workloads),
        "",
        *_alerts(made),
        "",
        *_policies(),
        "",
        *_ending(made.left, found.unread),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _opening(found: Found, said_on: str) -> Iterator[str]:
    on = f" on {said_on}" if said_on else ""
    yield from _comment(f"A first fleet, read from {found.cloud} account {found.account}{on}.")
    yield "#"
    yield "# Each GUESS is a number that the account does not say; correct it before you act on it."
    yield "# Nothing is changed anywhere while `modes` says observe. See what it would have done:"
    yield "#   crosswind fleet validate fleet.yaml"
    yield "#   crosswind signal --history 30d && crosswind report --shadow"


def _regions(found: Found, made: Draft) -> Iterator[str]:
    yield "regions:"
    for region in made.regions:
        country = found.regions.get(region)
        said = "" if country else "  # GUESS: not known; write the ISO 3166-1 code of its country"
        yield f"  {_value(region)}:"
        yield f"    jurisdiction: {country or UNKNOWN}{said}"
        yield "    # price: 0      # GUESS: USD per replica and hour; a plan then weighs the cost"
        yield "    # egress: 0     # GUESS: USD per GB that leaves the region"


def _workloads(workloads: Sequence[Drafted]) -> Iterator[str]:
    yield "workloads:"
    for one in workloads:
        for made_of in one.made_of:
            yield from _comment(made_of, "  ")
        for note in one.notes:
            yield from _comment(f"NOTE: {note}", "  ")
        yield f"  {_value(one.name)}:"
        yield "    tier: standard  # GUESS: critical, standard or batch"
        rate = _number(one.rate)
        yield f"    rate: {rate}  # GUESS: requests/s; as if each replica were just busy"
        yield "    per_replica: 1  # GUESS: requests/s that one replica serves"
        if one.shared_by:
            yield from _comment(f"The weights are those of {one.shared_by}.", "    ")
        yield "    regions:"
        for region, placed in one.regions.items():
            yield f"      {_value(region)}:"
            yield from _placed(placed)


def _placed(placed: Placed) -> Iterator[str]:
    values: Mapping[str, float] = {
        "weight": placed.weight,
        "replicas": placed.replicas,
        "quota": placed.quota,
    }
    for field, value in values.items():
        guess = placed.guesses.get(field)
        yield f"        {field}: {_number(value)}" + (f"  # GUESS: {guess}" if guess else "")


def _alerts(made: Draft) -> Iterator[str]:
    if not made.alerts:
        yield "alerts: []  # no alarm was found that watches a workload above"
    else:
        yield "alerts:"
    for alert in made.alerts:
        yield from _comment(alert.because, "  ")
        fields = f"match: {_text(alert.match)}, workload: {_value(alert.workload)}"
        if alert.repeats:
            yield "  # GUESS: it says what its parts say, so it weighs nothing beside them."
            fields += ", weight: 0"
        yield f"  - {{{fields}}}"
    if made.hints:
        yield "  # GUESS: only their names say that these are about a workload. Uncomment what is."
    for hint in made.hints:
        yield from _comment(
            f"- {{match: {_text(hint.match)}, workload: {_value(hint.workload)}}}  # {hint.where}",
            "  ",
        )


def _policies() -> Iterator[str]:
    yield "# GUESS: nobody probes before you say where from; each vantage is a view of its own."
    yield "probes: {every: 30s, count: 3, vantages: [home]}"
    yield ""
    yield "# Safe: nothing outside is changed. Next is `propose`, then `act`, by kind of action."
    yield "modes: {default: observe}"


def _ending(left: Sequence[Left], unread: Sequence[Unread]) -> Iterator[str]:
    yield "# ---- What was found and has no place above ----"
    yield from _listed(map(str, left), len(left))
    yield "#"
    yield "# ---- What was not read ----"
    yield from _listed(map(str, unread), len(unread))


def _listed(sentences: Iterable[str], count: int) -> Iterator[str]:
    if not count:
        yield "# nothing"
    for number, sentence in enumerate(sentences):
        if number == _LISTED:
            yield f"# and {count - _LISTED:,} more; crosswind adopt --json lists them all"
            return
        yield from _comment(f"- {sentence}")


def _comment(words: str, indent: str = "") -> Iterator[str]:
    """A comment, whatever stands in it: one line, printable, and not endless."""
    line = "".join(one if one.isprintable() else " " for one in words)
    line = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
    yield f"{indent}# {line}"


def _number(value: float) -> str:
    """A number that is never rounded up: the floor holds for what is written."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _value(word: str) -> str:
    """A name as YAML has it, plain where nothing could take it for anything else."""
    return word if _PLAIN.fullmatch(word) and word not in _WORDS else _text(word)


def _text(words: str) -> str:
    """A quoted text; those of JSON are those of YAML."""
    return json.dumps(words, ensure_ascii=False)
