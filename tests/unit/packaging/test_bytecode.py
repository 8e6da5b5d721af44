"""Bytecode depends on the source and the interpreter alone, and is loaded without being checked."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crosswind.packaging.bytecode import compile_files
from crosswind.packaging.interpreters import Interpreter, find_interpreter

HERE = (sys.version_info.major, sys.version_info.minor)

SOURCE = '''\
"""Many constants, and sets of them, whose order a hash could decide."""
from os import path
NAMES = ["alpha", "beta", "os", "path", "gamma"]
def f(x: int, *, name: str = "alpha") -> bool:
    """Say it."""
    return name in {"alpha", "beta", "gamma", "delta", None} and x in {1, 2, 3}
class Alpha:
    beta = "beta"
'''


def interpreter() -> Interpreter:
    found = find_interpreter(HERE)
    assert found is not None
    return found


def compiled(files: dict[str, bytes]) -> dict[str, bytes]:
    found, errors = compile_files(files, interpreter(), "/var/task")
    assert not errors
    return {source: member.content() for source, member in found.items()}


def test_a_file_compiles_to_the_same_bytes_whatever_is_compiled_before_it() -> None:
    one = {"m.py": SOURCE.encode()}
    others = {
        f"a{number}.py": SOURCE.replace("alpha", f"w{number}").encode() for number in range(5)
    }
    alone = compiled(one)["m.py"]
    assert compiled({**others, **one})["m.py"] == alone
    assert compiled({**one, "z.py": SOURCE.encode()})["m.py"] == alone


@pytest.mark.parametrize("seed", ["1", "2", "random"])
def test_neither_the_environment_nor_the_umask_shows(
    seed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = compiled({"p/m.py": SOURCE.encode()})
    monkeypatch.setenv("PYTHONHASHSEED", seed)
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", "/nowhere")
    before = os.umask(0o077)
    try:
        assert compiled({"p/m.py": SOURCE.encode()}) == expected
    finally:
        os.umask(before)


def test_it_is_of_the_unchecked_kind(tmp_path: Path) -> None:
    content = compiled({"m.py": SOURCE.encode()})["m.py"]
    assert content[:4] == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(content[4:8], "little") == 0b01
    assert content[8:16] == importlib.util.source_hash(SOURCE.encode())


def test_it_lies_where_python_looks_for_it_and_is_taken(tmp_path: Path) -> None:
    found, _ = compile_files({"p/m.py": b"VALUE = 1"}, interpreter(), "/var/task")
    member = found["p/m.py"]
    assert member.path == f"p/__pycache__/m.{sys.implementation.cache_tag}.pyc"
    file = tmp_path / member.path
    file.parent.mkdir(parents=True)
    file.write_bytes(member.content())
    # The source says something else, and nobody looks at it.
    (tmp_path / "p/m.py").write_text("VALUE = 2")
    told = subprocess.run(
        [sys.executable, "-I", "-B", "-c", "import sys; sys.path[0] = '.'; import p.m as m; "
         "print(m.VALUE, m.__spec__.loader.get_code('p.m').co_filename)"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.split()[0] == "1"


def test_a_traceback_names_the_folder_in_which_it_runs(tmp_path: Path) -> None:
    import marshal

    content = compiled({"p/m.py": SOURCE.encode()})["p/m.py"]
    assert marshal.loads(content[16:]).co_filename == "/var/task/p/m.py"


def test_what_does_not_compile_is_named_and_spares_its_neighbours() -> None:
    files = {"good.py": b"x = 1", "bad.py": b"def", "worse.py": b"\0", "data.json": b"{}"}
    found, errors = compile_files(files, interpreter(), "/x")
    assert set(found) == {"good.py"}
    assert set(errors) == {"bad.py", "worse.py"}
    assert "SyntaxError" in errors["bad.py"]


def test_nothing_to_compile_starts_nothing() -> None:
    nobody = Interpreter("/no/such/python", "3.13.0", "Linux", "x86_64")
    assert compile_files({"data.json": b"{}"}, nobody, "/x") == ({}, {})


def test_an_interpreter_of_another_version_compiles_for_itself() -> None:
    other = next(
        (v for v in ((3, 12), (3, 13), (3, 14), (3, 11)) if v != HERE and find_interpreter(v)), None
    )
    if other is None:
        pytest.skip("there is one version of Python here")
    found = find_interpreter(other)
    assert found is not None
    assert found.version.startswith("{}.{}.".format(*other))
    compiled, errors = compile_files({"m.py": SOURCE.encode()}, found, "/x")
    assert not errors
    assert compiled["m.py"].content()[:4] != importlib.util.MAGIC_NUMBER
