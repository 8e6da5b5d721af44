"""Which runtimes there are, which are retired, and which one is meant where none is named."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from crosswind.packaging.faults import Faults, PackagingFailed
from crosswind.packaging.platform import OLDEST, Entry, Named, Target
from crosswind_aws.package import GROUP_VARIABLE, PLATFORM, entry

TODAY = date(2026, 11, 24)


def checked(name: str, today: date = TODAY) -> str:
    """What is wrong with a runtime; nothing where it may be used."""
    faults = Faults()
    PLATFORM.check_runtime(name, today, faults)
    try:
        faults.check()
    except PackagingFailed as failed:
        return str(failed)
    return ""


@pytest.mark.parametrize("name", ["python3.11", "python3.12", "python3.13", "python3.14"])
def test_a_supported_runtime_may_be_used(name: str) -> None:
    assert checked(name) == ""


@pytest.mark.parametrize("name", ["python3.8", "python3.9", "python3.10"])
def test_a_retired_runtime_is_refused_with_its_date_its_source_and_a_choice(name: str) -> None:
    words = checked(name)
    assert f"{PLATFORM.runtimes[name].retired:%Y-%m-%d}" in words
    assert "docs.aws.amazon.com" in words
    assert "choose one of python3.11, python3.12, python3.13, python3.14" in words
    assert "Crosswind needs Python 3.11" in words


def test_a_runtime_is_refused_from_the_day_on_which_it_is_retired() -> None:
    retired = PLATFORM.runtimes["python3.11"].retired
    assert retired is not None
    assert checked("python3.11", retired - timedelta(1)) == ""
    assert "retired by AWS Lambda since" in checked("python3.11", retired)


def test_a_runtime_that_does_not_exist_is_refused_with_a_choice() -> None:
    assert "has no such runtime; choose one of python3.11" in checked("python4.0")


def test_the_runtime_of_this_interpreter_is_meant_or_else_the_newest() -> None:
    assert PLATFORM.default_runtime((3, 12), TODAY) == "python3.12"
    assert PLATFORM.default_runtime((3, 99), TODAY) == "python3.14"
    assert PLATFORM.default_runtime((3, 11), date(2028, 1, 1)) == "python3.14"


def test_runtimes_stand_from_the_oldest_to_the_newest() -> None:
    versions = [one.python for one in PLATFORM.runtimes.values()]
    assert versions == sorted(versions)
    assert any(version >= OLDEST for version in versions)


def test_markers_are_those_of_the_target_and_not_of_this_machine() -> None:
    markers = Target(PLATFORM, PLATFORM.runtimes["python3.13"], "arm64").markers()
    assert markers["platform_machine"] == "aarch64"
    assert markers["python_version"] == "3.13"
    assert markers["sys_platform"] == "linux"


@pytest.mark.parametrize(
    ("about", "line"),
    [
        (Entry(Named("ops", "app")), "lambda_handler(_app)"),
        (Entry(Named("ops.main", "made.app")), "lambda_handler(_app.app)"),
        (Entry(Named("ops", "make", factory=True)), "lambda_handler(_app())"),
        (
            Entry(Named("ops", "app"), Named("hands", "all")),
            "lambda_handler(_app, performers=_performers)",
        ),
        (
            Entry(Named("ops", "app"), Named("hands", "Plant", factory=True, single=True)),
            "lambda_handler(_app, performers=(_performers(),))",
        ),
        (
            Entry(Named("ops", "app"), fleet="f.json"),
            "lambda_handler(_app, fleet=load_fleet(Path(__file__).with_name('f.json')))",
        ),
    ],
)
def test_the_entry_imports_the_app_and_hands_it_over(about: Entry, line: str) -> None:
    source = entry(about)
    compile(source, PLATFORM.entry_file, "exec")
    first = about.app.attribute.partition(".")[0]
    assert f"from {about.app.module} import {first} as _app\n" in source
    assert f"handler = {line}\n" in source
    assert GROUP_VARIABLE not in source


def test_what_stands_for_the_fleet_is_given_to_the_performers_of_the_cloud() -> None:
    about = Entry(Named("ops", "app"), fleet="f.json", resources="r.json")
    source = entry(about)
    compile(source, PLATFORM.entry_file, "exec")
    assert "_fleet = load_fleet(Path(__file__).with_name('f.json'))\n" in source
    assert "deployed(load_resources(Path(__file__).with_name('r.json')), _fleet)\n" in source
    assert "handler = lambda_handler(_app, fleet=_fleet, performers=_deployed)\n" in source


def test_performers_of_one_s_own_stand_beside_those_of_the_cloud() -> None:
    about = Entry(Named("ops", "app"), Named("hands", "all"), "f.json", resources="r.json")
    source = entry(about)
    compile(source, PLATFORM.entry_file, "exec")
    assert "performers=(*_performers, *_deployed,))\n" in source


def test_the_entry_of_one_group_says_which_unless_its_function_does() -> None:
    source = entry(Entry(Named("ops", "app"), group="eu"))
    compile(source, PLATFORM.entry_file, "exec")
    assert f"os.environ.setdefault('{GROUP_VARIABLE}', 'eu')" in source
    assert source.index("setdefault") < source.index("import lambda_handler")


def test_nothing_looks_for_garbage_while_the_entry_is_imported() -> None:
    source = entry(Entry(Named("ops", "app")))
    steps = ["gc.disable()", "import lambda_handler", "\nhandler = ", "gc.freeze()", "gc.enable()"]
    places = [source.index(step) for step in steps]
    assert places == sorted(places)


def test_what_lambda_calls_is_in_the_entry() -> None:
    module, _, name = PLATFORM.handler.partition(".")
    assert PLATFORM.entry_file == f"{module}.py"
    assert f"\n{name} = " in entry(Entry(Named("ops", "app")))


def test_the_group_s_variable_is_the_one_that_the_function_reads() -> None:
    from crosswind_aws.deployment import Deployment

    queues = "arn:aws:sqs:eu-west-1:123456789012:crosswind-ops-"
    assert Deployment("eu", "table", "bus", queues).to_env()[GROUP_VARIABLE] == "eu"
