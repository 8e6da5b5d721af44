"""What is a function app, and which Python runs its worker."""

import sys
import zipfile
from pathlib import Path

import pytest

from crosswind_local import StartFailed
from crosswind_local.functions_host import interpreters
from crosswind_local.functions_host.application import PACKAGES, open_application


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "function_app.py").touch()
    (folder / "host.json").write_text("{}")
    return folder


def test_a_folder_is_taken_as_it_is(app: Path, tmp_path: Path) -> None:
    opened = open_application(app, tmp_path)

    assert (opened.folder, opened.packages) == (app, ())


def test_what_an_app_brings_is_found(app: Path, tmp_path: Path) -> None:
    (app / PACKAGES).mkdir(parents=True)
    (app / "requirements.txt").write_text("pydantic\n")

    assert open_application(app, tmp_path).packages == (app / PACKAGES,)


def test_a_zip_is_unpacked(app: Path, tmp_path: Path) -> None:
    archive = tmp_path / "app.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        for file in app.iterdir():
            writer.write(file, file.name)

    opened = open_application(archive, tmp_path / "scratch")

    assert (opened.folder / "function_app.py").exists()


def test_a_zip_that_would_write_elsewhere_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "app.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("../function_app.py", "")

    with pytest.raises(StartFailed, match="outside of it"):
        open_application(archive, tmp_path / "scratch")


def test_every_fault_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("# nothing\nazure-functions>=1\nboto3\n")

    with pytest.raises(StartFailed) as refused:
        open_application(tmp_path, tmp_path)

    for fault in ("function_app.py is missing", "host.json is missing", "pip install -r"):
        assert fault in str(refused.value)


@pytest.mark.parametrize("asked", ["azure-functions\n", "azure_functions==1.26.0  # it\n", "\n"])
def test_the_library_of_functions_itself_need_not_be_brought(
    app: Path, tmp_path: Path, asked: str
) -> None:
    (app / "requirements.txt").write_text(asked)

    assert open_application(app, tmp_path).packages == ()


@pytest.mark.parametrize("asked", ["azure-functions-durable\n", "azure-servicebus\n"])
def test_its_namesakes_must_be_brought(app: Path, tmp_path: Path, asked: str) -> None:
    (app / "requirements.txt").write_text(asked)

    with pytest.raises(StartFailed, match="pip install -r"):
        open_application(app, tmp_path)


def test_what_is_neither_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(StartFailed, match="neither a folder nor a zip"):
        open_application(tmp_path / "file", tmp_path)
    with pytest.raises(StartFailed, match="there is no function app at"):
        open_application(tmp_path / "nothing", tmp_path)


def test_without_python_313_it_is_said_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))  # nor uv beside it
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.delenv(interpreters.VARIABLE, raising=False)

    with pytest.raises(StartFailed) as refused:
        interpreters.python313(lambda line: None)

    for way in ("uv python install", "pyenv install", "apt-get install", interpreters.VARIABLE):
        assert way in str(refused.value)


def test_an_interpreter_that_is_named_must_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(interpreters.VARIABLE, str(tmp_path / "python"))

    with pytest.raises(StartFailed, match=r"is not a Python 3\.13"):
        interpreters.python313(lambda line: None)
