"""What keeps an artifact from being made: every reason, at once, and nothing is written."""

from __future__ import annotations

import base64
import os
import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from crosswind.packaging.faults import IndexUnreachable, ToolMissing
from crosswind.packaging.platform import Runtime
from crosswind.packaging.project import Rules
from integration.packaging.workshop import APP, BARE, Workshop, limited

KEY = base64.b64encode(random.Random(3).randbytes(30)).decode()


def test_all_that_is_wrong_is_said_at_once(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text("{}")
    workshop.put("ops.py", f"import kit\n{APP}")
    workshop.put("kit/__init__.py", f'def late():\n    API_KEY = "{KEY}"\n')
    workshop.put("kit/.gitkeep")
    (workshop.folder / "kit/linked.json").symlink_to(tmp_path / "elsewhere.json")
    faults = workshop.refused(
        "elsewhere", "needs-elsewhere", "nowhere", "pydantic==1.10.2", "-e ./libs", "../x.whl",
        runtime="here", architecture="x86_64", group="us",
    )  # fmt: skip
    assert sorted((one.rule, one.where.rpartition("/")[2]) for one in faults) == [
        ("app", "--group us"),
        ("conflict", "requirements.txt:4"),
        ("outside", "linked.json"),
        ("outside", "requirements.txt:6"),
        ("requirement", "requirements.txt:5"),
        ("secret", "__init__.py:2"),
        ("wheel", "requirements.txt:1"),
        ("wheel", "requirements.txt:3"),
    ]
    for fault in faults:
        assert fault.remedy
        assert KEY not in str(fault)


def test_a_retired_runtime_does_not_hide_what_else_is_wrong(workshop: Workshop) -> None:
    faults = workshop.refused("nowhere", runtime="retired")
    assert [one.rule for one in faults] == ["runtime", "wheel"]
    assert "2020-01-01 (https://example.com/runtimes)" in faults[0].problem


def test_for_a_runtime_older_than_crosswind_no_wheels_are_looked_for(workshop: Workshop) -> None:
    faults = workshop.refused("nowhere", runtime="old")
    assert [one.rule for one in faults] == ["runtime", "runtime"]
    assert "Crosswind needs Python 3.11" in faults[1].problem


@pytest.mark.parametrize(("what", "value"), [("runtime", "python9"), ("architecture", "mips")])
def test_an_unknown_target_is_refused_with_a_choice(
    workshop: Workshop, what: str, value: str
) -> None:
    (fault,) = workshop.refused(**{what: value})
    assert fault.rule == "runtime"
    assert "there are" in fault.remedy or "choose one of" in fault.remedy


def test_a_pin_against_crosswind_s_own_names_both_sides(workshop: Workshop) -> None:
    (fault,) = workshop.refused("plain", "pydantic==1.10.2")
    assert fault.where == "requirements.txt:2"
    assert "wants pydantic==1.10.2, and crosswind needs pydantic" in fault.problem


def test_another_version_of_crosswind_than_this_is_refused(workshop: Workshop) -> None:
    (fault,) = workshop.refused("crosswind==99.0")
    assert "this is crosswind" in fault.problem


def test_requirements_that_contradict_each_other_are_explained(workshop: Workshop) -> None:
    (fault,) = workshop.refused("wants-one", "wants-two")
    assert fault.rule == "conflict"
    for words in ("wants-one", "wants-two", "plain==1.0", "plain==2.0"):
        assert words in fault.problem


def test_a_package_without_a_wheel_is_named_with_what_there_is_to_do(workshop: Workshop) -> None:
    (fault,) = workshop.refused("needs-elsewhere")
    assert fault.rule == "wheel"
    assert fault.where == "elsewhere"
    assert "--find-links" in fault.remedy


def test_a_package_that_nobody_has_is_named(workshop: Workshop) -> None:
    (fault,) = workshop.refused("no-such-package-of-ours")
    assert fault.rule == "requirement"
    assert "no-such-package-of-ours" in fault.problem


def test_a_wheel_that_is_not_the_one_that_was_pinned_is_refused(workshop: Workshop) -> None:
    (fault,) = workshop.refused(f"plain==1.0 --hash=sha256:{'0' * 64}")
    assert fault.rule == "integrity"
    assert fault.where == "requirements.txt:1"


def test_a_module_that_nothing_brings_is_named_with_its_line(workshop: Workshop) -> None:
    workshop.put("ops.py", f"def late():\n    import kit\n{APP}")
    workshop.put("kit.py", "import math\nimport plain\n")
    (fault,) = workshop.refused()
    assert (fault.rule, fault.where) == ("import", "kit.py:2")
    assert "plain" in fault.problem
    workshop.make("plain")


def test_an_app_that_cannot_be_imported_in_the_artifact_is_refused(workshop: Workshop) -> None:
    reads = 'Path(__file__).with_name("limits.json").read_text()'
    workshop.put("ops.py", f"from pathlib import Path\nLIMIT = {reads}\n{APP}")
    workshop.put("limits.json", "{}")
    (fault,) = workshop.refused()
    assert fault.rule == "app"
    assert "FileNotFoundError" in fault.problem
    assert "ops.py" in fault.problem
    workshop.make(rules=Rules(include=("limits.json",)))


def test_an_app_that_is_another_there_is_refused(workshop: Workshop) -> None:
    group = '"there" if os.environ.get("WHERE") == "there" else "here"'
    workshop.put("ops.py", "import os\n" + APP.replace("@app.on()", f"@app.on(group={group})"))
    there = replace(BARE, environment=lambda group: {"WHERE": "there"})
    (fault,) = workshop.refused(platform=there)
    assert "it has the groups ['there'] there, and ['here'] here" in fault.problem


def test_an_app_that_lies_elsewhere_is_refused(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far/faraway.py").write_text(APP)
    workshop.monkeypatch.syspath_prepend(str(tmp_path / "far"))
    (fault,) = workshop.refused(app="faraway:app")
    assert fault.rule == "outside"


@pytest.mark.parametrize(
    ("zipped", "unzipped", "what"), [(1_000, 1 << 30, "zipped"), (1 << 30, 1_000, "unzipped")]
)
def test_an_artifact_beyond_a_limit_is_refused_with_its_largest_parts(
    workshop: Workshop, zipped: int, unzipped: int, what: str
) -> None:
    (fault,) = workshop.refused(platform=limited(zipped, unzipped))
    assert fault.rule == "limit"
    assert fault.where == f"the artifact, {what}"
    assert "pydantic-core" in fault.problem
    assert fault.remedy == "leave something out"


def test_two_files_of_one_name_are_refused(workshop: Workshop) -> None:
    workshop.put("plain.py", "VALUE = 2\n")
    workshop.put("ops.py", f"import plain\n{APP}")
    (fault,) = workshop.refused("plain")
    assert (fault.rule, fault.where) == ("conflict", "plain.py")


def test_a_module_that_the_target_cannot_compile_is_named(workshop: Workshop) -> None:
    workshop.put("ops.py", f"def late():\n    import kit\n{APP}")
    workshop.put("kit.py", "def f():\n    return\n\0")
    faults = workshop.refused(compile=True)
    assert {one.where for one in faults} == {"kit.py"}


def test_bytecode_for_a_version_that_is_not_here_is_refused(workshop: Workshop) -> None:
    far = replace(BARE, runtimes={"far": Runtime("far", (3, 77), (2, 34))})
    faults = workshop.refused(platform=far, runtime="far", compile=True)
    (fault,) = [one for one in faults if one.rule == "bytecode"]
    assert "made by Python 3.77" in fault.problem


def test_an_index_that_does_not_answer_is_said_so_and_nothing_is_a_fault(
    workshop: Workshop, tmp_path: Path
) -> None:
    workshop.monkeypatch.delenv("PIP_NO_INDEX")
    workshop.monkeypatch.delenv("PIP_FIND_LINKS")
    workshop.monkeypatch.setenv("UV_DEFAULT_INDEX", "http://user:word@127.0.0.1:9/simple")
    workshop.monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    workshop.monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(IndexUnreachable, match="--find-links") as failed:
        workshop.make()
    assert "word" not in str(failed.value)


def test_offline_takes_what_is_at_hand_and_says_what_is_not(
    workshop: Workshop, index: Path, tmp_path: Path
) -> None:
    first = workshop.make("plain==1.0")
    workshop.monkeypatch.delenv("PIP_NO_INDEX")
    workshop.monkeypatch.delenv("PIP_FIND_LINKS")
    workshop.monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    again = workshop.make(offline=True, find_links=(index,), out=Path("again"))
    assert again.sha256 == first.sha256
    workshop.monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    with pytest.raises(IndexUnreachable, match="not found in the cache"):
        workshop.make(offline=True)


def test_a_tool_that_is_missing_is_named_with_the_extra_that_brings_it(
    workshop: Workshop, tmp_path: Path
) -> None:
    workshop.monkeypatch.setitem(sys.modules, "uv", None)
    workshop.monkeypatch.setenv("PATH", str(tmp_path))
    assert os.environ["PATH"] == str(tmp_path)
    with pytest.raises(ToolMissing, match=r"needs uv; pip install 'crosswind\[package\]'"):
        workshop.make()
