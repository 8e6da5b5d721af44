"""A zip whose bytes follow from its content alone.

Members are sorted by name; every one has the same time and mode, no owner, no extra fields, and no
folders of their own. libdeflate compresses, at its highest level: what it makes is smaller than
zlib's, takes less time, and does not depend on which zlib a Python was built with. What was
compressed before is taken over as it is, which is why this writes the format itself (PKWARE's
APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16; no Zip64, as no platform takes an archive of
4 GB). Python's zipfile is the oracle of its tests.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple
from zipfile import ZipFile

LEVEL: Final = 12
"""Of libdeflate, the highest."""

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_STORED, _DEFLATED = 0, 8
_UTF8: Final = 1 << 11
_VERSION: Final = 20
_UNIX: Final = 3 << 8
_MODE: Final = 0o100644 << 16
_DATE: Final = (1980 - 1980) << 9 | 1 << 5 | 1
"""1980-01-01, the earliest time that the format knows; the time of day is 0."""


class Member(NamedTuple):
    """A file of an archive, compressed.

    Attributes:
        packed: raw deflate, or the file itself where that is no smaller.
        sha256: of the file itself.
    """

    path: str
    size: int
    crc: int
    packed: bytes
    sha256: str

    @property
    def method(self) -> int:
        """How it is compressed, as the format has it."""
        return _DEFLATED if len(self.packed) < self.size else _STORED

    @property
    def cost(self) -> int:
        """Bytes that it takes in an archive, with both of its headers."""
        return len(self.packed) + _LOCAL.size + _CENTRAL.size + 2 * len(self.path.encode())

    def content(self) -> bytes:
        """The file itself."""
        if self.method == _STORED:
            return self.packed
        return zlib.decompress(self.packed, -zlib.MAX_WBITS)


def pack(path: str, content: bytes) -> Member:
    """Compress one file."""
    from deflate import deflate_compress

    packed = bytes(deflate_compress(content, LEVEL))
    if len(packed) >= len(content):
        packed = content
    sha256 = hashlib.sha256(content).hexdigest()
    return Member(path, len(content), zlib.crc32(content), packed, sha256)


def write(members: Iterable[Member], file: BinaryIO) -> str:
    """Write an archive; its SHA-256.

    Raises:
        ValueError: two members have one path.
    """
    digest = hashlib.sha256()
    offset = 0
    central: list[bytes] = []

    def put(chunk: bytes) -> None:
        nonlocal offset
        file.write(chunk)
        digest.update(chunk)
        offset += len(chunk)

    last = None
    for member in sorted(members, key=lambda one: one.path.encode()):
        if member.path == last:
            raise ValueError(f"{member.path} occurs twice")
        last = member.path
        name = member.path.encode()
        flags = 0 if member.path.isascii() else _UTF8
        sizes = (member.crc, len(member.packed), member.size)
        about = (flags, member.method, 0, _DATE, *sizes, len(name), 0)
        central.append(
            _CENTRAL.pack(b"PK\x01\x02", _UNIX | _VERSION, _VERSION, *about, 0, 0, 0, _MODE, offset)
            + name
        )
        put(_LOCAL.pack(b"PK\x03\x04", _VERSION, *about))
        put(name)
        put(member.packed)
    start = offset
    for header in central:
        put(header)
    count = len(central)
    put(_END.pack(b"PK\x05\x06", 0, 0, count, count, offset - start, start, 0))
    return digest.hexdigest()


def read(path: Path) -> Iterator[Member]:
    """The members of an archive that `write` has written, still compressed.

    `sha256` is empty: it is not in the format.
    """
    with ZipFile(path) as archive, path.open("rb") as file:
        for info in archive.infolist():
            file.seek(info.header_offset)
            header = _LOCAL.unpack(file.read(_LOCAL.size))
            file.seek(header[-2] + header[-1], 1)
            packed = file.read(info.compress_size)
            yield Member(info.filename, info.file_size, info.CRC, packed, "")


def content_digest(members: Iterable[Member]) -> str:
    """A digest of paths and contents, whatever compressed them."""
    lines = sorted(f"{member.path}\0{member.sha256}\n".encode() for member in members)
    return hashlib.sha256(b"".join(lines)).hexdigest()
