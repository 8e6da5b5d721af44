"""What is in an artifact, and that it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from crosswind.packaging.manifest import read_artifact
from integration.packaging.workshop import APP, Workshop, call, contents, manifest


def test_an_app_is_packed_with_all_that_it_needs_and_runs(
    workshop: Workshop, tmp_path: Path
) -> None:
    built = workshop.make("plain==1.0")
    assert call(built, tmp_path / "task") == ["ops", None, None]
    assert built.tried.passed
    assert {part.name for part in built.parts} >= {"", "crosswind", "pydantic", "plain"}
    assert {"ops.py", "plain.py", "plain_data.json", "bare_entry.py"} <= set(contents(built))


def test_its_metadata_can_be_asked_for(workshop: Workshop, tmp_path: Path) -> None:
    code = (
        "from importlib.metadata import version\n"
        "print(json.dumps([version('crosswind'), version('plain')]))"
    )
    versions = call(workshop.make("plain==1.0"), tmp_path / "task", code)
    assert versions == [manifest(workshop.make())["crosswind"], "1.0"]


def test_it_says_of_itself_what_it_is(workshop: Workshop) -> None:
    built = workshop.make("plain==1.0")
    said = manifest(built)
    assert said["app"] == "ops:app"
    assert said["target"] == {
        "cloud": "bare",
        "runtime": "here",
        "architecture": "x86_64",
        "handler": "bare_entry.handler",
    }
    assert said["groups"]["ops"]["takes"] == ["dev.crosswind.region.unhealthy.v1"]
    assert said["distributions"]["plain"] == "1.0"
    found = read_artifact(built.path)
    assert found.sha256 == built.sha256
    assert found.manifest == said


def test_the_parts_add_up_to_the_whole(workshop: Workshop) -> None:
    built = workshop.make("plain==1.0")
    generated = built.zipped - sum(part.packed for part in built.parts)
    assert 0 < generated < 5_000
    assert built.path.stat().st_size == built.zipped
    assert built.unzipped == sum(map(len, contents(built).values()))


def test_beside_it_lies_a_valid_bill_of_materials(workshop: Workshop) -> None:
    built = workshop.make("uses-sdk")
    text = built.sbom.read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    names = {one["name"]: one["scope"] for one in document["components"]}
    assert names["pydantic"] == "required"
    assert names["sdk"] == "excluded"
    assert document["metadata"]["component"]["hashes"][0]["content"] == built.sha256


def test_the_lock_makes_the_same_artifact_again(workshop: Workshop) -> None:
    built = workshop.make("plain<2")
    lock = workshop.put("lock.txt", built.lock.read_text())
    assert "plain==1.0 --hash=sha256:" in lock.read_text()
    again = workshop.make("plain", requirements=(lock,), out=Path("again"))
    assert again.sha256 == built.sha256


def test_a_package_that_needs_crosswind_gets_the_one_that_is_installed(workshop: Workshop) -> None:
    built = workshop.make("wants-crosswind")
    assert "wants_crosswind.py" in contents(built)
    assert [part.name for part in built.parts].count("crosswind") == 1


def test_markers_are_read_for_the_target(workshop: Workshop) -> None:
    # `nowhere` has no wheel that fits, and is needed by older Pythons only.
    built = workshop.make("marked")
    assert "marked.py" in contents(built)
    assert "plain.py" not in contents(built)


def test_what_the_runtime_has_is_left_to_it_with_what_only_that_needs(workshop: Workshop) -> None:
    built = workshop.make("uses-sdk")
    assert dict(built.provided) == {"sdk": "1.0", "sdk-core": "1.0"}
    assert "sdk.py" not in contents(built)


def test_what_the_runtime_has_is_there_when_the_app_is_tried(workshop: Workshop) -> None:
    workshop.put("uses_it.py", "import uses_sdk\n")
    workshop.put("ops.py", f"def late():\n    import uses_it\n{APP}")
    assert workshop.make("uses-sdk").tried.passed


def test_what_is_to_be_bundled_is_packed(workshop: Workshop) -> None:
    built = workshop.make("uses-sdk", bundle=frozenset({"sdk"}))
    assert built.provided == ()
    assert {"sdk.py", "sdk_core.py"} <= set(contents(built))


def test_a_pin_on_what_the_runtime_has_is_pointed_out(workshop: Workshop) -> None:
    (note,) = [one for one in workshop.make("sdk==1.0").notes if "sdk" in one]
    assert "requirements.txt:1" in note
    assert "--bundle sdk" in note


def test_modules_that_nothing_reaches_stay_out_unless_all_are_wanted(workshop: Workshop) -> None:
    pruned, whole = workshop.make(), workshop.make(whole=True, out=Path("whole"))
    assert "pydantic/main.py" in contents(pruned)
    assert "pydantic/v1/main.py" not in contents(pruned)
    assert "crosswind/cli/root.py" not in contents(pruned)
    assert {"pydantic/v1/main.py", "crosswind/cli/root.py"} <= set(contents(whole))
    assert pruned.zipped < whole.zipped


def test_an_app_that_uses_what_is_mostly_left_out_gets_it(workshop: Workshop) -> None:
    workshop.put("ops.py", f"def late():\n    import pydantic.v1.main\n{APP}")
    assert "pydantic/v1/main.py" in contents(workshop.make())


def test_an_artifact_of_one_group_says_so(workshop: Workshop, tmp_path: Path) -> None:
    workshop.put("ops.py", APP.replace("@app.on()", '@app.on(group="eu")'))
    built = workshop.make(group="eu")
    assert call(built, tmp_path / "task") == ["ops", "eu", None]
    assert built.path.name == "ops-eu-bare-here-x86_64.zip"
    assert built.groups == ("eu",)


def test_a_factory_of_an_app_is_called_by_the_entry(workshop: Workshop, tmp_path: Path) -> None:
    built = workshop.make(app="ops:make")
    assert call(built, tmp_path / "task") == ["ops", None, None]


def test_an_app_of_crosswind_s_own_needs_no_project(workshop: Workshop) -> None:
    built = workshop.make(app="crosswind.chains.failover:app", whole=True)
    assert manifest(built)["groups"]


@pytest.mark.parametrize("name", ["dist/mine.zip", "elsewhere"])
def test_it_is_written_where_it_is_wanted(workshop: Workshop, name: str) -> None:
    built = workshop.make(out=Path(name))
    expected = name if name.endswith(".zip") else f"{name}/ops-bare-here-x86_64.zip"
    assert built.path == Path(expected)
    assert {file.name for file in built.path.parent.iterdir()} == {
        built.path.name, built.sbom.name, built.lock.name,
    }  # fmt: skip


def test_wheels_are_chosen_for_the_architecture_that_is_named(workshop: Workshop) -> None:
    faults = workshop.refused("compiled", architecture="arm64")
    # pydantic-core of this machine does not fit that one, and nothing else is wrong.
    assert [(one.rule, one.where) for one in faults] == [("wheel", "pydantic-core")]
