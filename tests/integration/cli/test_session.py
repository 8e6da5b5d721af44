"""Where app, data, fleet and performers are found, and what is said where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from crosswind.cli.durations import Duration, spoken
from crosswind.cli.output import Output
from crosswind.cli.session import Session, Sources
from crosswind.cli.working import Working
from integration.cli.project import Project


def test_an_app_may_be_what_a_factory_makes(project: Project) -> None:
    Path("made.py").write_text("from policy import app\n\ndef build():\n    return app\n")
    assert project.json("graph", "--app", "made:build")["name"] == "policy"


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("policy", "write it as module:attribute"),
        ("nowhere:app", "there is no module nowhere"),
        ("policy:nothing", "module policy has no nothing"),
        ("policy:RATES", "is PosixPath; name an App or what makes one"),
        ("broken:app", "importing broken failed: ZeroDivisionError"),
        ("hollow:app", "importing hollow failed: No module named 'no_such_package'"),
        ("refusing:make", "refusing:make() failed: KeyError"),
    ],
)
def test_an_app_that_is_none_is_refused_with_the_reason(
    project: Project, app: str, said: str
) -> None:
    Path("broken.py").write_text("1 / 0\n")
    Path("hollow.py").write_text("import no_such_package\n")
    Path("refusing.py").write_text("def make():\n    raise KeyError('x')\n")
    result = project.cw("graph", "--app", app, code=2)
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_with_debug_an_error_shows_where_it_comes_from(project: Project) -> None:
    Path("broken.py").write_text("1 / 0\n")
    result = project.cw("graph", "--app", "broken:app", "--debug", code=2)
    assert "ZeroDivisionError" in result.stderr
    assert "broken.py" in result.stderr
    assert "Traceback" in result.stderr


@pytest.mark.parametrize(
    "given", ["policy:performers", "policy:Plant", "several:all", "several:one"]
)
def test_performers_may_be_a_list_one_or_a_factory(project: Project, given: str) -> None:
    Path("several.py").write_text("from policy import Plant\none = Plant()\nall = [one]\n")
    report = project.publish("aws/us-east-1", "--performers", given, "--wait", "1s")
    assert report["chains"][0]["outcome"] == "completed"


def test_what_is_no_performer_is_refused(project: Project) -> None:
    Path("odd.py").write_text("rest = [1]\nnumber = 1\n")
    for given, said in (
        ("odd:rest", "holds int, which is no performer"),
        ("odd:number", "no list"),
    ):
        result = project.cw(
            "publish", "region.unhealthy", "unhealthy.json", "--performers", given, code=2
        )
        assert said in result.stderr


def test_performers_that_are_missing_fail_the_run_and_not_the_command(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CROSSWIND_PERFORMERS")
    report = project.publish("aws/us-east-1")
    assert "no performer answers drain.error-rate" in report["chains"][0]["waits"]


def test_a_world_that_does_not_run_is_said_at_once(project: Project) -> None:
    result = project.cw(
        "publish", "region.unhealthy", "unhealthy.json", "--world", "nowhere", code=2
    )
    assert "no world runs in nowhere" in result.stderr


def test_the_environment_names_data_and_fleet(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSWIND_DATA", "elsewhere/state.sqlite")
    monkeypatch.setenv("CROSSWIND_FLEET", "stricter.yaml")
    report = project.publish("aws/us-east-1")
    assert report["chains"][0]["outcome"] == "nothing-to-do"
    assert Path("elsewhere/state.sqlite").is_file()


def test_a_file_of_another_program_is_not_touched(project: Project) -> None:
    other = Path("other.sqlite")
    other.write_bytes(b"something else, and more than a hundred bytes of it." * 40)
    before = other.read_bytes()
    result = project.cw("chains", "--data", str(other), code=2)
    assert "not an SQLite database" in result.stderr
    assert other.read_bytes() == before


def test_a_fleet_that_is_not_there_is_bad_input(project: Project) -> None:
    assert "none.yaml" in project.cw("fleet", "show", "--fleet", "none.yaml", code=2).stderr


@pytest.mark.parametrize(
    ("written", "seconds"), [("90", 90.0), ("90s", 90.0), ("1.5m", 90.0), ("2h", 7200.0)]
)
def test_durations_are_written_as_people_do(written: str, seconds: float) -> None:
    assert Duration().convert(written, None, None) == seconds


@pytest.mark.parametrize("written", ["", "-1s", "1w", "1e3", "nan", "1 h", "\u0661s"])
def test_what_is_no_duration_is_refused(project: Project, written: str) -> None:
    assert "is not a duration" in project.cw("chains", "--since", written, code=2).stderr


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.032, "32 ms"), (9.94, "9.9 s"), (75, "75 s"), (600, "10 min"), (7500, "2 h 5 min"),
     (864_000, "10 d"), (-3, "-3.0 s")],
)  # fmt: skip
def test_durations_are_said_in_one_unit_or_two(seconds: float, said: str) -> None:
    assert spoken(seconds) == said


@pytest.mark.parametrize(("as_worker", "every"), [(True, 7.0), (False, 30.0)])
def test_who_sends_the_ticks_of_the_built_in_app_keeps_to_the_fleet(
    tmp_path: Path, as_worker: bool, every: float
) -> None:
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text(
        "name: main\nregions: {aws/us-east-1: {jurisdiction: US}}\nprobes: {every: 7s}\n"
    )
    sources = Sources(data=tmp_path / "data.sqlite", fleet=fleet)
    with Session(sources, Output(as_json=True), creates=True) as session:
        Working(session, as_worker=as_worker)
        (tick,) = [one for one in session.app.schedules if one.name.endswith("probes:tick")]
    assert tick.every == every
