"""`requirements/compiled.py` finds a compiler or says what to install; what the pins agree on."""

from __future__ import annotations

import re
import subprocess
import sysconfig
import tomllib
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "requirements"


@pytest.fixture
def compiled() -> ModuleType:
    """The program, as a module."""
    spec = spec_from_file_location("compiled", FOLDER / "compiled.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of programs, empty at first."""
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def put(tools: Path, name: str) -> None:
    (tools / name).write_text("#!/bin/sh\n")
    (tools / name).chmod(0o755)


def test_where_there_is_no_compiler_none_is_found(compiled: ModuleType, tools: Path) -> None:
    assert compiled.found() is None


def test_any_compiler_will_do(compiled: ModuleType, tools: Path) -> None:
    put(tools, "clang")
    assert compiled.found() == {"CC": "clang"}


def test_the_compiler_that_is_asked_for_is_taken_with_its_options(
    compiled: ModuleType, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tools, "cc")
    put(tools, "mine")
    monkeypatch.setenv("CC", "mine -m64")
    assert compiled.found() == {"CC": "mine -m64"}


def test_without_python_s_headers_it_says_what_to_install_and_fails(
    compiled: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(SystemExit, match=r"apt-get install python3\.\d+-dev"):
        compiled.main()


def test_what_cannot_be_compiled_is_a_failure(
    compiled: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: str, **variables: str) -> None:
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(compiled, "pip", refuse)
    with pytest.raises(SystemExit, match=r"could not be installed.*apt-get install gcc") as failed:
        compiled.main()
    assert isinstance(failed.value.code, str)  # which Python prints, and ends with 1


def pins(name: str) -> Mapping[str, str]:
    """The version of each distribution in a requirement file."""
    text = (FOLDER / name).read_text()
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", text, re.MULTILINE))


def test_what_is_compiled_is_pinned_as_the_tests_have_it() -> None:
    tests = pins("test.txt")
    more = {name: version for name, version in pins("servicebus.txt").items() if name not in tests}
    assert list(more) == ["python-qpid-proton"]
    assert all(
        tests.get(name, version) == version for name, version in pins("servicebus.txt").items()
    )


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.txt")), ids=lambda file: file.name)
def test_every_pin_has_a_digest_and_no_file_names_an_index(file: Path) -> None:
    text = file.read_text()
    for block in re.split(r"^(?=[\w.-]+(?:\[[\w,-]+\])?==)", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in block, block.splitlines()[0]
    assert "://" not in text
    assert "--index" not in text


def test_every_extra_but_what_is_compiled_is_in_all_of_them() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = declared["optional-dependencies"]
    (everything,) = extras["all"]
    named = set(everything.removeprefix("crosswind[").removesuffix("]").split(","))
    assert named == extras.keys() - {"all", "servicebus"}
