"""Quality against cost, one line a model, sampler and guidance: an SVG file that stands alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from diffaudio.score.plot import decades, ticks
from diffaudio.sweep.table import Row

__all__ = ["chart"]

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 520, 320, 60, 44, 28  # pixels of one drawing
_LINE = 16  # of the legend
_DECADE = 8.0  # from how far apart values are drawn by their ratio
_COLOURS = ("#8c2f68", "#19704a", "#b3361f", "#2b5fa8", "#a06a00", "#5b5566", "#0e8a96", "#7a4fc0")
_DASHES = ("", "6 3", "2 3", "8 3 2 3")
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1c1b22}.grid{stroke:#e2ddd3}"
    ".line{fill:none;stroke-width:1.8}.bar{stroke-width:1}"
)


def chart(rows: Sequence[Row], metric: str) -> str:
    """Return two drawings side by side: the metric against calls, and against seconds.

    Args:
        rows: at least one.
        metric: up the page, with its intervals.
    """
    lines: dict[tuple[str, str, str], list[Row]] = {}
    for one in rows:
        if math.isfinite(one.mean(metric)):
            key = one.cell.model, one.cell.sampler, one.cell.guidance
            lines.setdefault(key, []).append(one)
    parts = [
        _drawing(lines, metric, "network evaluations", lambda one: one.evaluations, 0),
        _drawing(lines, metric, "seconds for a second of audio", lambda one: one.seconds, _WIDTH),
    ]
    for number, key in enumerate(lines):
        y = _HEIGHT + _LINE * (number + 1)
        parts.append(
            f'<line class="line" x1="{_LEFT}" x2="{_LEFT + 30}" y1="{y - 4}" y2="{y - 4}" '
            f'{_look(lines, key)}/><text x="{_LEFT + 38}" y="{y}">{escape(" · ".join(key))}</text>'
        )
    height = _HEIGHT + _LINE * (len(lines) + 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * _WIDTH} {height}" role="img" '
        f'aria-label="{escape(metric)} against cost"><style>{_STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#faf8f4"/>{"".join(parts)}</svg>\n'
    )


def _drawing(
    lines: dict[tuple[str, str, str], list[Row]],
    metric: str,
    label: str,
    cost: Callable[[Row], float],
    left: int,
) -> str:
    """Return one drawing, its corner at `left`; costs on a logarithmic axis.

    So are values that are all above 0 and reach over almost a decade: small ones stay apart.
    """
    every = [one for line in lines.values() for one in line]
    ends = [end for one in every for end in (one.metrics[metric]["ci95"] or [one.mean(metric)])]
    low, high = min(ends), max(ends)
    low, high = (low, high) if high > low else (low - 1.0, high + 1.0)
    even = low > 0 and high > _DECADE * low
    scale = math.log if even else float
    bottom, top = scale(low), scale(high)
    costs = [max(cost(one), 1e-9) for one in every]
    first, last = math.log(min(costs)), math.log(max(costs))
    first, last = (first, last) if last > first else (first - 1.0, last + 1.0)

    def across(value: float) -> float:
        share = (math.log(max(value, 1e-9)) - first) / (last - first)
        return left + _LEFT + share * (_WIDTH - _LEFT - 24)

    def up(value: float) -> float:
        share = (scale(value) - bottom) / (top - bottom)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)

    better = every[0].metrics[metric]["better"]
    parts = [
        f'<text x="{left + _LEFT}" y="16">{escape(metric)} ({better} is better)</text>',
        f'<text x="{left + _WIDTH // 2}" y="{_HEIGHT - 8}" text-anchor="middle">{label}</text>',
    ]
    parts += [
        _label_up(left, up(value), value)
        for value in (decades(low, high) if even else ticks(low, high))
    ]
    for value in sorted({float(f"{one:.2g}") for one in costs})[:: max(1, len(set(costs)) // 8)]:
        parts.append(
            f'<text x="{across(value):.1f}" y="{_HEIGHT - _BOTTOM + 18}" '
            f'text-anchor="middle">{value:g}</text>'
        )
    for key, line in lines.items():
        ordered = sorted(line, key=lambda one: one.evaluations)
        points = [(across(cost(one)), up(one.mean(metric)), one) for one in ordered]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y, _ in points)
        look = _look(lines, key)
        parts.append(f'<path class="line" d="M{path}" {look}/>')
        for x, y, one in points:
            interval = one.metrics[metric]["ci95"] or [one.mean(metric)] * 2
            said = f"{' '.join(key)}, {one.cell.calls} calls: {one.mean(metric):.4g}"
            parts.append(
                f'<line class="bar" x1="{x:.1f}" x2="{x:.1f}" y1="{up(interval[0]):.1f}" '
                f'y2="{up(interval[1]):.1f}" {look}/><circle cx="{x:.1f}" cy="{y:.1f}" r="3" '
                f'fill="{_colour(lines, key)}"><title>{escape(said)}</title></circle>'
            )
    return "".join(parts)


def _label_up(left: int, y: float, value: float) -> str:
    """Return the grid line of a value, and its number."""
    return (
        f'<line class="grid" x1="{left + _LEFT}" x2="{left + _WIDTH - 20}" y1="{y:.1f}" '
        f'y2="{y:.1f}"/><text x="{left + _LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
        f"{value:g}</text>"
    )


def _colour(lines: dict[tuple[str, str, str], list[Row]], key: tuple[str, str, str]) -> str:
    """Return a model's colour."""
    models = list(dict.fromkeys(one[0] for one in lines))
    return _COLOURS[models.index(key[0]) % len(_COLOURS)]


def _look(lines: dict[tuple[str, str, str], list[Row]], key: tuple[str, str, str]) -> str:
    """Return a line's colour, that of its model, and its dashes, those of its sampler."""
    ways = list(dict.fromkeys(one[1:] for one in lines))
    dash = _DASHES[ways.index(key[1:]) % len(_DASHES)]
    return f'stroke="{_colour(lines, key)}" stroke-dasharray="{dash}"'
