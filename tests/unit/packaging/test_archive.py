"""A zip whose bytes follow from its content alone."""

from __future__ import annotations

import io
import os
import random
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.packaging.archive import content_digest, pack, read, write

_PART = st.text(
    st.characters(exclude_characters="/\\\0", exclude_categories=("Cs", "Cc")),
    min_size=1,
    max_size=9,
).filter(lambda part: part not in {".", ".."})
PATHS = st.lists(_PART, min_size=1, max_size=4).map("/".join)
FILES = st.dictionaries(PATHS, st.binary(max_size=300), max_size=12)


def archived(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    write([pack(path, content) for path, content in files.items()], buffer)
    return buffer.getvalue()


@given(FILES)
def test_python_s_own_reader_finds_every_file_whole(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(archived(files))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files


@given(FILES, st.randoms(use_true_random=False))
def test_the_order_of_what_goes_in_does_not_show(
    files: dict[str, bytes], chance: random.Random
) -> None:
    several = list(files.items())
    chance.shuffle(several)
    assert archived(dict(several)) == archived(files)


@given(FILES)
def test_the_digest_is_that_of_the_bytes(files: dict[str, bytes]) -> None:
    buffer = io.BytesIO()
    digest = write([pack(path, content) for path, content in files.items()], buffer)
    assert digest == sha256(buffer.getvalue()).hexdigest()


@given(FILES)
def test_what_an_archive_costs_is_what_its_members_say(files: dict[str, bytes]) -> None:
    members = [pack(path, content) for path, content in files.items()]
    assert len(archived(files)) == sum(member.cost for member in members) + 22


def test_members_are_sorted_dated_1980_and_readable_by_all() -> None:
    with zipfile.ZipFile(io.BytesIO(archived({"b.py": b"2", "a/c.py": b"1", "é.py": b"3"}))) as one:
        assert one.namelist() == ["a/c.py", "b.py", "é.py"]
        for info in one.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.external_attr >> 16 == stat.S_IFREG | 0o644
            assert info.create_system == 3
            assert not info.extra


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_neither_folder_nor_umask_shows(mask: int, tmp_path: Path) -> None:
    expected = archived({"a.py": b"1" * 1000})
    before = os.umask(mask)
    try:
        folder = tmp_path / f"in {mask}"
        folder.mkdir()
        with (folder / "one.zip").open("wb") as file:
            write([pack("a.py", b"1" * 1000)], file)
        assert (folder / "one.zip").read_bytes() == expected
    finally:
        os.umask(before)


def test_what_does_not_shrink_is_stored() -> None:
    assert pack("a", b"xyz").packed == b"xyz"
    assert len(pack("a", b"x" * 1000).packed) < 20


@given(FILES)
def test_members_are_read_back_as_they_were_packed(files: dict[str, bytes]) -> None:
    members = [pack(path, content) for path, content in sorted(files.items())]
    with named(archived(files)) as path:
        found = list(read(path))
    assert {one.path: one.content() for one in found} == files
    assert [one._replace(sha256="") for one in members] == sorted(found)


def test_two_files_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"a\.py occurs twice"):
        write([pack("a.py", b"1"), pack("a.py", b"2")], io.BytesIO())


def test_the_digest_of_the_content_knows_paths_and_bytes_and_no_compression() -> None:
    one = [pack("a", b"1"), pack("b", b"2")]
    assert content_digest(one) == content_digest(reversed(one))
    assert content_digest(one) != content_digest([pack("a", b"2"), pack("b", b"1")])
    stored = one[0]._replace(packed=b"otherwise compressed")
    assert content_digest([stored, one[1]]) == content_digest(one)


@contextmanager
def named(content: bytes) -> Iterator[Path]:
    """Bytes as a file, for as long as it is needed."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "one.zip")
        path.write_bytes(content)
        yield path
