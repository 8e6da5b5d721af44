"""Who is who: ids that come out the same wherever and however often they are made.

Partitions and keys are ASCII without `/ \\ # ? %`; the parts of a name are joined by colons.
"""

from __future__ import annotations

import re
from hashlib import sha1, sha256
from typing import Any, Final

from pydantic_core import to_json

CHAIN_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

RUN_KEY: Final = re.compile(r"[0-9a-f]{32}")

_NAMESPACE: Final = bytes.fromhex("6f1f6a1e1c0d5e0a9a5b0c7d3e2f4a68")
_PLAIN: Final = re.compile(r"[A-Za-z0-9._:-]{1,80}")

HEAD: Final = "head"
RUN: Final = "run:"
EVIDENCE: Final = "evidence:"


def name_id(*parts: Any) -> str:
    """UUIDv5 (RFC 9562, section 5.5) of a list of names in Crosswind's own namespace."""
    digest = sha1(_NAMESPACE + to_json(parts), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def chain_id(source: str, event_id: str) -> str:
    """The chain that a first event opens."""
    return name_id("chain", source, event_id)


def run_key(handler: str, source: str, event_id: str) -> str:
    """The run of one handler for one event."""
    return sha256(to_json((handler, source, event_id))).hexdigest()[:32]


def emitted_id(chain: str, maker: str, index: int) -> str:
    """The `index`-th event made by a run, a join or a settled question."""
    return name_id("event", chain, maker, index)


def resume_id(chain: str, run: str, turn: int) -> str:
    """The event that continues a run at a turn."""
    return name_id("resume", chain, run, turn)


def action_key(chain: str, run: str, index: int) -> str:
    """The key under which the `index`-th action of a run is asked for, however often."""
    return name_id("action", chain, run, index)


def safe(name: str) -> str:
    """A name as part of a store key: itself where that is allowed, else a digest of it."""
    if _PLAIN.fullmatch(name):
        return name
    return "~" + sha256(name.encode()).hexdigest()[:40]


def part(name: str) -> str:
    """A name as one part of a key of several: itself where it holds no colon, else a digest."""
    plain = safe(name)
    return plain if ":" not in plain else "~" + sha256(name.encode()).hexdigest()[:40]


def chain_partition(chain: str) -> str:
    """Where everything of a chain is stored."""
    return f"chain:{chain}"


def flight_partition(flight: str) -> str:
    """Where the locks and watermarks of a flight are stored."""
    return f"flight:{safe(flight)}"


def index_partition(chain: str, opened: float) -> str:
    """Where a chain is listed: one of 16 shards of the day on which it was opened."""
    return index_shard(opened, int(chain[:1], 16))


def index_shard(when: float, shard: int) -> str:
    """One shard of a day's list of chains."""
    return f"index:{int(when // 86_400)}:{shard:x}"


def dead_partition(when: float, message: str) -> str:
    """Where a message that cannot be placed in any chain is parked."""
    shard = sha256(message.encode()).hexdigest()[0]
    return f"dead:{int(when // 86_400)}:{shard}"
