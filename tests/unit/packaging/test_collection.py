"""The app's own code: every module that it reaches, and the data beside them."""

from __future__ import annotations

import io
import keyword
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.packaging import archive
from crosswind.packaging.collection import Collected, Collector, source_roots
from crosswind.packaging.faults import Fault, Faults, PackagingFailed
from crosswind.packaging.project import Project, Rules


class Folder:
    """A project folder; `collect` collects the app of one of its modules."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def write(self, **files: str) -> Folder:
        """Write files; `__` in a name stands for a slash, the last `_` for the dot."""
        for name, text in files.items():
            stem, _, suffix = name.replace("__", "/").rpartition("_")
            self.put(f"{stem}.{suffix}", text)
        return self

    def put(self, path: str, text: str = "") -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def collect(
        self, module: str, loaded: dict[str, ModuleType] | None = None, **rules: tuple[str, ...]
    ) -> Collected:
        faults = Faults()
        project = Project(self.root, Rules(**rules), faults)
        roots = source_roots(project, module, loaded or {})
        found = Collector(project, roots, faults).collect([module], loaded or {})
        faults.check()
        return found

    def paths(self, module: str = "ops", **rules: tuple[str, ...]) -> set[str]:
        return set(self.collect(module, None, **rules).files)

    def refused(self, module: str = "ops", **rules: tuple[str, ...]) -> tuple[Fault, ...]:
        with pytest.raises(PackagingFailed) as failed:
            self.collect(module, None, **rules)
        return failed.value.faults


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "project")


def test_a_single_module_is_enough(folder: Folder) -> None:
    folder.write(ops_py="import json", other_py="")
    assert folder.paths() == {"ops.py"}


def test_what_it_imports_goes_along_and_what_it_does_not_stays(folder: Folder) -> None:
    folder.write(ops_py="def f():\n    from lib import near", unused_py="")
    folder.put("lib/__init__.py")
    folder.put("lib/near.py", "from .far import x")
    folder.put("lib/far.py")
    folder.put("lib/other.py")
    assert folder.paths() == {"ops.py", "lib/__init__.py", "lib/near.py", "lib/far.py"}


def test_data_beside_packed_modules_goes_along(folder: Folder) -> None:
    for path in ("ops/__init__.py", "ops/a.json", "ops/text/b.txt", "ops/sub/__init__.py",
                 "ops/sub/c.json", "ops/.env", "ops/tests/d.json", "e.json"):  # fmt: skip
        folder.put(path)
    assert folder.paths() == {"ops/__init__.py", "ops/a.json", "ops/text/b.txt"}


def test_a_module_that_was_loaded_by_a_computed_name_goes_along(folder: Folder) -> None:
    folder.write(ops_py="import_module('plug' + 'in')", plugin_py="import third", third_py="")
    module = ModuleType("plugin")
    module.__file__ = str(folder.root / "plugin.py")
    assert set(folder.collect("ops", {"plugin": module}).files) == {
        "ops.py",
        "plugin.py",
        "third.py",
    }


def test_code_in_a_src_folder_needs_no_setting(folder: Folder) -> None:
    folder.put("src/ops/__init__.py", "from ops import rules")
    folder.put("src/ops/rules.py")
    folder.put("src/ops/limits.json")
    module = ModuleType("ops")
    module.__file__ = str(folder.root / "src/ops/__init__.py")
    found = folder.collect("ops", {"ops": module})
    assert set(found.files) == {"ops/__init__.py", "ops/rules.py", "ops/limits.json"}
    assert found.origins["ops/rules.py"] == "src/ops/rules.py"


def test_a_project_that_is_reached_by_a_link_is_the_same(folder: Folder, tmp_path: Path) -> None:
    folder.put("ops/__init__.py", "import_module('ops.' + 'rules')")
    folder.put("ops/rules.py")
    (tmp_path / "link").symlink_to(folder.root)
    linked = Folder.__new__(Folder)
    linked.root = tmp_path / "link"
    loaded = {name: ModuleType(name) for name in ("ops", "ops.rules")}
    loaded["ops"].__file__ = str(tmp_path / "link/ops/__init__.py")
    loaded["ops.rules"].__file__ = str(tmp_path / "link/ops/rules.py")
    assert set(linked.collect("ops", loaded).files) == {"ops/__init__.py", "ops/rules.py"}


def test_what_is_packed_as_it_is_installed_is_no_code_of_the_app(folder: Folder) -> None:
    folder.put("ops.py", "import crosswind.app")
    folder.put("crosswind/__init__.py")
    folder.put("crosswind/app.py")
    faults = Faults()
    project = Project(folder.root, Rules(), faults)
    others = frozenset({"crosswind"})
    found = Collector(project, [folder.root], faults, others).collect(["ops"], {})
    assert set(found.files) == {"ops.py"}


def test_a_folder_without_init_is_a_package_too(folder: Folder) -> None:
    folder.put("ops/main.py", "import ops.rules")
    folder.put("ops/rules.py")
    assert folder.paths("ops.main") == {"ops/main.py", "ops/rules.py"}


def test_rules_include_what_nothing_names_and_exclude_data(folder: Folder) -> None:
    folder.put("ops/__init__.py")
    folder.put("ops/samples/big.bin")
    folder.put("models/m.json")
    found = folder.collect("ops", include=("models/",), exclude=("ops/samples/",))
    assert set(found.files) == {"ops/__init__.py", "models/m.json"}
    assert found.notes == ["models/m.json is packed because `include` names it"]


def test_a_module_that_is_excluded_and_imported_is_a_fault(folder: Folder) -> None:
    folder.write(ops_py="import rules", rules_py="")
    (fault,) = folder.refused(exclude=("rules.py",))
    assert fault.rule == "import"
    assert "the app imports rules" in fault.problem


def test_a_link_that_leads_out_of_the_project_is_a_fault(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    (tmp_path / "elsewhere.py").write_text("")
    folder.put("ops/__init__.py", "import ops.linked")
    (folder.root / "ops/linked.py").symlink_to(tmp_path / "elsewhere.py")
    (folder.root / "ops/data.json").symlink_to(tmp_path / "secret.json")
    assert {(one.rule, one.where) for one in folder.refused()} == {
        ("outside", "ops/linked.py"),
        ("outside", "ops/data.json"),
    }


def test_a_module_that_is_no_python_is_a_fault(folder: Folder) -> None:
    folder.write(ops_py="import rules", rules_py="def")
    (fault,) = folder.refused()
    assert fault.where == "rules.py"


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}\.(json|txt|py)", fullmatch=True).filter(
            lambda path: not keyword.iskeyword(path.partition(".")[0])
        ),
        st.text(st.characters(codec="utf-8"), max_size=30),
        max_size=5,
    ),
    st.randoms(use_true_random=False),
)
def test_the_same_files_are_the_same_archive_wherever_and_in_whatever_order_they_came(
    files: dict[str, str], chance: random.Random
) -> None:
    made: list[bytes] = []
    for shuffled in (False, True):
        with TemporaryDirectory() as name:
            folder = Folder(Path(name, "deep" if shuffled else "flat"))
            several = list(files.items())
            if shuffled:
                chance.shuffle(several)
            for path, text in several:
                folder.put(f"kit/{path}", "" if path.endswith(".py") else text)
            imports = "".join(
                f"import kit.{path[:-3]}\n" for path in sorted(files) if ".py" in path
            )
            folder.put("ops.py", f"import kit\n{imports}")
            folder.put("kit/__init__.py")
            found = folder.collect("ops")
            assert set(found.files) == {"ops.py", "kit/__init__.py", *(f"kit/{p}" for p in files)}
            buffer = io.BytesIO()
            archive.write([archive.pack(path, data) for path, data in found.files.items()], buffer)
            made.append(buffer.getvalue())
    assert made[0] == made[1]


def test_environments_in_the_project_are_no_source_roots(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("lib/a.py", "venv/pyvenv.cfg", "venv/site/b.py", "ops.py"):
        folder.put(path)
    monkeypatch.setattr(sys, "path", [str(folder.root / one) for one in ("lib", "venv/site")])
    project = Project(folder.root, Rules(), Faults())
    assert source_roots(project, "ops", {}) == [folder.root, folder.root / "lib"]
