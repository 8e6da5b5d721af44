"""`crosswind drill`: outages and game days on a simulated world of one's own fleet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from crosswind.cli.durations import DURATION
from crosswind.cli.faults import NO, Failure
from crosswind.cli.options import works_with
from crosswind.cli.output import PATIENCE, Output
from crosswind.cli.teaching import Family, Teaching

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.cli.session import Session
    from crosswind.drills import GameDay, Played
    from crosswind.fleet.declaration import Fleet

Mode = Literal["act", "as-declared"]

KINDS: Final = ("outage", "brown-out", "slow", "flapping")
_SEEDS: Final = re.compile(r"([0-9]{1,9})\.\.([0-9]{1,9})")
_MOST_SEEDS: Final = 100_000
_INTERRUPTED: Final = 130
"""The exit code of what a person has ended, as shells have it: 128 and the number of SIGINT."""

_MOST_BYTES: Final = 50_000_000


class Seeds(click.ParamType[range]):
    """Seeds from one to another, both played: `1..100`."""

    name = "seeds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> range:
        """To the seeds."""
        if isinstance(value, range):
            return value
        found = _SEEDS.fullmatch(str(value).strip())
        if found is None:
            self.fail(f"{value!r} are no seeds; write 1..100", param, ctx)
        first, last = int(found[1]), int(found[2])
        if not 0 <= last - first < _MOST_SEEDS:
            self.fail(f"{value!r} are {last - first + 1:,} seeds; write 1..100", param, ctx)
        return range(first, last + 1)


def _mode(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--mode",
        type=click.Choice(("act", "as-declared")),
        default="as-declared",
        show_default=True,
        help="Play it with the modes of the fleet, or as if everything might be done.",
    )(function)


def _answers(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--answer-after",
        type=DURATION,
        default="5m",
        show_default=True,
        metavar="DURATION",
        help="How long a person is assumed to take to approve what is proposed.",
    )(function)


@click.group(cls=Family)
def drill() -> None:
    """Drills: outages and game days, on a simulated world of your own fleet.

    Nothing outside is touched, and nothing is recorded: all of it is in memory.
    """


@drill.command(
    cls=Teaching,
    examples=[
        ("What would be done if a region failed now",
         "crosswind drill failover --region aws/us-east-1"),
        ("As if everything might be done, for an hour",
         "crosswind drill failover --region aws/us-east-1 --for 1h --mode act"),
        ("A region that answers, and fails a third of the requests",
         "crosswind drill failover --region aws/us-east-1 --kind brown-out"),
        ("For programs", "crosswind drill failover --region aws/us-east-1 --json"),
    ],
)  # fmt: skip
@click.option("--region", required=True, metavar="REGION", help="Which region fails.")
@click.option(
    "--for",
    "seconds",
    type=DURATION,
    default="40m",
    show_default=True,
    metavar="DURATION",
    help="For how long it fails.",
)
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default="outage",
    show_default=True,
    help="How it fails: all of it, a share of requests, slowly, or now and then.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Of everything that is drawn; the same seed plays the same.",
)
@_mode
@_answers
@works_with("app", "fleet")
def failover(
    session: Session,
    region: str,
    seconds: float,
    kind: Any,
    seed: int,
    mode: Mode,
    answer_after: float,
) -> None:
    """Play one outage of a region, and print what would be done, when, and what comes of it.

    Times are counted from the beginning of the outage. Exit code 1 says that a rule of safety was
    broken, or that users saw the region fail and it was not left.
    """
    from crosswind.drills import FailoverDrill
    from crosswind.drills.pages import drilled_page

    fleet = _fleet(session.fleet, mode)
    played = FailoverDrill(
        fleet, region, seconds, seed, kind, answer_after, _build(session.sources.app)
    )
    with _progress(session.output) as told:
        found = played.play(lambda at: told(f"{region}: {at / 60:,.0f} simulated minutes"))
    session.output.document(found.as_json())
    _print(session.output, drilled_page(found))
    if not found.passed:
        if found.verdict == "not-left" and mode != "act" and fleet.modes.default == "observe":
            session.output.notice(
                "this fleet only observes; --mode act plays what would be done if it might"
            )
        raise click.exceptions.Exit(NO)


@drill.command(
    cls=Teaching,
    examples=[
        ("A month of one seed", "crosswind drill gameday --seed 7 --days 30"),
        ("A hundred game days, on two processes",
         "crosswind drill gameday --seeds 1..100 --days 10 --jobs 2"),
        ("Which of two policies is better",
         "crosswind drill gameday --seeds 1..20 --days 10 --against patient.yaml"),
        ("Search for a broken rule, and keep what breaks it",
         "crosswind drill gameday --seeds 1..1000 --days 3 --intensity 8 --until-broken "
         "--keep broken.json"),
        ("Play that again", "crosswind drill gameday --seed 7 --faults broken.json"),
    ],
)  # fmt: skip
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Of everything that is drawn; the same seed plays the same.",
)
@click.option("--seeds", type=Seeds(), metavar="A..B", help="Many seeds, one after the other.")
@click.option(
    "--days",
    type=click.FloatRange(min=0, max=10_000, min_open=True),
    help="Simulated days of each seed.  [default: 30, or those of --faults]",
)
@click.option(
    "--intensity",
    type=click.FloatRange(min=0, max=1_000),
    default=1.0,
    show_default=True,
    help="Faults a day, in all of the fleet.",
)
@click.option("--until-broken", is_flag=True, help="End with the first rule that is broken.")
@click.option(
    "--faults",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Play the faults of this file instead of random ones.",
)
@click.option(
    "--keep",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the faults to this file: of the seed that broke a rule, else of the last one.",
)
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="OTHER_FLEET",
    help="Play the same under another fleet file, and print both side by side.",
)
@click.option(
    "--unanswered",
    type=click.FloatRange(min=0, max=1),
    default=0.0,
    show_default=True,
    help="Share of proposals that nobody answers.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1, max=256),
    default=1,
    show_default=True,
    help="Processes that play seeds at the same time.",
)
@_mode
@_answers
@works_with("app", "fleet")
def gameday(
    session: Session,
    seed: int,
    seeds: range | None,
    days: float | None,
    intensity: float,
    until_broken: bool,
    faults: Path | None,
    keep: Path | None,
    against: Path | None,
    unanswered: float,
    jobs: int,
    mode: Mode,
    answer_after: float,
) -> None:
    """Play days of overlapping random faults, and report how the policy of the fleet fares.

    Every rule of safety is looked after at every event. The same fleet, seed, days and intensity
    lead to the same. Exit code 1 says that a rule was broken. Ctrl-C reports on the seeds that were
    played, with exit code 130.
    """
    from crosswind.drills import Comparison, GameDay, Season
    from crosswind.drills.pages import comparison_page, season_page
    from crosswind.fleet.load import load_fleet

    output = session.output
    fleet = _fleet(session.fleet, mode)
    plan = None if faults is None else _read(faults, fleet)
    if days is None:
        ends = [fault.ends for fault in plan or ()]
        days = max(ends) / 86_400 + 0.25 if ends else 30.0
    games = [
        GameDay(
            fleet,
            number,
            days,
            intensity,
            plan,
            until_broken,
            answer_after,
            unanswered,
            _build(session.sources.app),
        )
        for number in (range(seed, seed + 1) if seeds is None else seeds)
    ]
    name = str(session.declared_path or fleet.name)
    plays, interrupted = _until_interrupted(_played(games, jobs, output, name))
    if interrupted:
        output.notice(f"interrupted: {len(plays)} of {len(games)} seeds were played")
    season = Season(plays)
    worst = next((play for play in season.plays if play.broken), season.plays[-1])
    if keep is not None:
        keep.write_text(worst.faults.to_json(), encoding="utf-8")
    broken = season.broken
    if against is None or interrupted:
        output.document({"fleet": fleet.name, "digest": fleet.digest, **season.as_json()})
        _print(output, season_page(season, name))
    else:
        other = _fleet(load_fleet(against), mode)
        # Drawn once, of the first fleet: another fleet would draw others.
        played = [
            replace(game, fleet=other, faults=play.faults)
            for game, play in zip(games, season.plays, strict=False)
        ]
        there = Season(tuple(_played(played, jobs, output, str(against))))
        common = min(len(season.plays), len(there.plays))
        found = Comparison(
            name, Season(season.plays[:common]), str(against), Season(there.plays[:common])
        )
        broken += there.broken
        output.document(found.as_json())
        _print(output, comparison_page(found))
    if broken or interrupted:
        raise click.exceptions.Exit(NO if broken else _INTERRUPTED)


# -- how it is played -----------------------------------------------------------------------------


def _until_interrupted(playing: Iterator[Played]) -> tuple[tuple[Played, ...], bool]:
    """What was played, and whether a person has ended it before all was; at least one play.

    Raises:
        KeyboardInterrupt: nothing was played yet.
    """
    plays: list[Played] = []
    try:
        for play in playing:
            plays.append(play)  # noqa: PERF402 - those that there are must be kept
    except KeyboardInterrupt:
        if not plays:
            raise
        return tuple(plays), True
    return tuple(plays), False


def _played(games: Sequence[GameDay], jobs: int, output: Output, name: str) -> Iterator[Played]:
    """Play one after the other, or several at the same time; in the order of their seeds."""
    with _progress(output) as told:
        for done, play in enumerate(
            _parallel(games, jobs)
            if jobs > 1
            else _one_by_one(
                games,
                lambda done, days: told(
                    f"{name}: seed {games[done].seed}, day {days:,.0f} of {games[done].days:,.4g} "
                    f"({done} of {len(games)} seeds done)"
                ),
            ),
            1,
        ):
            told(f"{name}: {done} of {len(games)} seeds done")
            yield play
            if play.broken and games[0].until_broken:
                return


def _one_by_one(games: Sequence[GameDay], told: Callable[[int, float], None]) -> Iterator[Played]:
    for done, game in enumerate(games):
        yield game.play(partial(told, done))


def _parallel(games: Sequence[GameDay], jobs: int) -> Iterator[Played]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(min(jobs, len(games)), get_context("spawn")) as pool:
        try:
            yield from pool.map(_play, games)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _play(game: GameDay) -> Played:
    return game.play()


def _build(name: str | None) -> Callable[[Fleet], App]:
    """What makes the app in whichever process plays it."""
    from crosswind.drills.failover import builtin

    return builtin if name is None else partial(_named, name)


def _named(name: str, fleet: Fleet) -> App:
    from crosswind.cli.loading import load_app

    return load_app(name)


def _fleet(fleet: Fleet, mode: Mode) -> Fleet:
    from crosswind.drills import acting

    return acting(fleet) if mode == "act" else fleet


def _read(path: Path, fleet: Fleet) -> Any:
    from pydantic import ValidationError

    from crosswind.sim import Faults

    if path.stat().st_size > _MOST_BYTES:
        raise Failure(f"{path} is larger than {_MOST_BYTES // 1_000_000} MB")
    try:
        faults = Faults.from_json(path.read_bytes())
    except ValidationError as error:
        listed = "\n".join(
            f"  {'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in error.errors()
        )
        raise Failure(f"{path} holds no faults; --keep writes such a file:\n{listed}") from error
    faults.check(fleet)
    return faults


def _print(output: Output, lines: Iterable[str]) -> None:
    from crosswind.cli.output import text

    if not output.as_json:
        for line in lines:
            output.log(text(line, "bold" if line.startswith("#") else ""))


@contextmanager
def _progress(output: Output) -> Iterator[Callable[[str], None]]:
    """Show on a terminal how far it has come, where it takes longer than a second."""
    import sys
    import time

    if not sys.stderr.isatty():
        yield lambda words: None
        return
    from crosswind.cli.output import text

    status = output.margin.status(text("playing"))
    begun = time.monotonic()
    shown = False

    def told(words: str) -> None:
        nonlocal shown
        if not shown and time.monotonic() - begun > PATIENCE:
            status.start()
            shown = True
        if shown:
            status.update(text(words))

    try:
        yield told
    finally:
        status.stop()
