"""The curve as a picture: false failovers against the time until an outage is noticed, as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, log10
from typing import Final

from bench.policies.candidates import PEERS
from bench.policies.pages import LEAST_FALSE, MARKS
from bench.policies.scores import Score

_WIDE, _HIGH = 620, 440
_LEFT, _TOP, _ROW = 64, 48, 18
_LEGEND: Final = _LEFT + _WIDE + 36
_TICKS: Final = (1, 2, 5)
_MARK: Final = 9.0
"""Room that a mark takes; of points that lie together the marks stand in a row."""

_STYLE: Final = """  <style>
  text { font:12px ui-sans-serif,system-ui,'Segoe UI',Helvetica,Arial,sans-serif; fill:#1c1e24; }
  .heading { font-size:15px; font-weight:600; } .small { font-size:11px; fill:#5c606b; }
  .paper { fill:#ffffff; } .grid { stroke:#d9d9d4; } .axis { stroke:#5a6070; fill:none; }
  .ours { fill:#3b66c4; } .peer { fill:#b1602a; } .middle { text-anchor:middle; }
  .end { text-anchor:end; }
  @media (prefers-color-scheme: dark) {
  text { fill:#eceef3; } .small { fill:#a3a9b8; } .paper { fill:#14161b; }
  .grid { stroke:#33363e; } .axis { stroke:#97a0b5; } .ours { fill:#7ea1ee; }
  .peer { fill:#e59a61; } }
  </style>"""


def picture(scores: Sequence[Score]) -> str:
    """The SVG document; both axes are logarithmic.

    Raises:
        ValueError: no outage was noticed under any policy, so that there is nothing to draw.
    """
    points = [
        (mark, score, max(noticed, 1.0), max(score.false.a_year, LEAST_FALSE))
        for mark, score in zip(MARKS, scores, strict=False)
        if (noticed := score.noticed(0.5)) is not None
    ]
    if not points:
        raise ValueError("no policy noticed an outage; play more of them")
    across = _Scale([x for _, _, x, _ in points], _LEFT, _LEFT + _WIDE)
    along = _Scale([y for _, _, _, y in points], _TOP + _HIGH, _TOP)
    width = _LEGEND + 330
    height = max(_TOP + _HIGH + 56, _TOP + _ROW * (len(points) + 1))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-labelledby="title desc">',
        '  <title id="title">False failovers against the time until an outage is noticed</title>',
        f'  <desc id="desc">{len(points)} policies on the same simulated faults</desc>',
        _STYLE,
        f'  <rect class="paper" width="{width}" height="{height}"/>',
        f'  <text class="heading" x="{_LEFT}" y="28">False failovers a region-year</text>',
        *_axes(across, along),
    ]
    peers = {peer.name for peer in PEERS}
    labels: list[tuple[float, float]] = []
    for number, (mark, score, x, y) in enumerate(points):
        kind = "peer" if score.name in peers else "ours"
        named = escape(score.name)
        said = f"{named}: {x:.0f} s, {score.false.a_year:.1f} a region-year"
        at_x, at_y = across.at(x), along.at(y)
        label_x, label_y = at_x + 7, at_y - 5
        while any(abs(label_x - a) < _MARK and abs(label_y - b) < _MARK for a, b in labels):
            label_x += _MARK
        labels.append((label_x, label_y))
        lines += [
            f'  <circle class="{kind}" cx="{at_x:.1f}" cy="{at_y:.1f}" r="4.5">'
            f"<title>{said}</title></circle>",
            f'  <text x="{label_x:.1f}" y="{label_y:.1f}">{mark}</text>',
        ]
        row = _TOP + _ROW * (number + 1)
        missed = f", misses {score.missed:.0%}" if score.missed >= 0.005 else ""
        lines += [
            f'  <circle class="{kind}" cx="{_LEGEND}" cy="{row - 4}" r="4"/>',
            f'  <text x="{_LEGEND + 10}" y="{row}">{mark}  {named}{missed}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


class _Scale:
    """A logarithmic axis."""

    def __init__(self, values: Sequence[float], begins: float, ends: float) -> None:
        self.low, self.high = log10(min(values)) - 0.08, log10(max(values)) + 0.08
        self.begins, self.ends = begins, ends

    def at(self, value: float) -> float:
        """Where on the paper a value lies."""
        part = (log10(value) - self.low) / (self.high - self.low)
        return self.begins + (self.ends - self.begins) * part

    def ticks(self) -> Iterator[float]:
        """1, 2 and 5 of each power of ten that lies on it."""
        for power in range(floor(self.low), ceil(self.high) + 1):
            for tick in _TICKS:
                if self.low <= log10(tick) + power <= self.high:
                    yield tick * 10.0**power


def _axes(across: _Scale, along: _Scale) -> Iterator[str]:
    bottom, right = _TOP + _HIGH, _LEFT + _WIDE
    for tick in across.ticks():
        x = across.at(tick)
        yield f'  <path class="grid" d="M{x:.1f} {_TOP} V{bottom}"/>'
        yield f'  <text class="small middle" x="{x:.1f}" y="{bottom + 18}">{tick:g}</text>'
    for tick in along.ticks():
        y = along.at(tick)
        yield f'  <path class="grid" d="M{_LEFT} {y:.1f} H{right}"/>'
        yield f'  <text class="small end" x="{_LEFT - 8}" y="{y + 4:.1f}">{tick:g}</text>'
    yield f'  <path class="axis" d="M{_LEFT} {_TOP} V{bottom} H{right}"/>'
    middle = (_LEFT + right) / 2
    yield (
        f'  <text class="middle" x="{middle}" y="{bottom + 40}">'
        "seconds until half of the answered outages were noticed</text>"
    )
