"""Small drawings as inline SVG: scatter, curve and interval. Colours come from the style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

__all__ = ["curve", "decades", "interval", "scatter", "ticks"]

_LEFT, _BOTTOM, _EDGE = 44, 26, 8  # pixels around the drawing
_POINTS, _MARKS = 400, 40  # of a curve: more are averaged; more are not marked one by one


@dataclass(frozen=True)
class _Frame:
    """Maps values to pixels of a drawing `width` by `height`."""

    width: int
    height: int
    x: tuple[float, float]
    y: tuple[float, float]

    def across(self, value: float) -> float:
        low, high = self.x
        return _LEFT + (value - low) / (high - low) * (self.width - _LEFT - _EDGE)

    def up(self, value: float) -> float:
        low, high = self.y
        return (
            self.height - _BOTTOM - (value - low) / (high - low) * (self.height - _BOTTOM - _EDGE)
        )

    def axes(self) -> str:
        """Return grid lines and their numbers."""
        parts = []
        for value in ticks(*self.y):
            y = self.up(value)
            parts.append(
                f'<line class="grid" x1="{_LEFT}" x2="{self.width - _EDGE}" y1="{y:.1f}" '
                f'y2="{y:.1f}"/><text x="{_LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">'
                f"{value:g}</text>"
            )
        for value in ticks(*self.x):
            x = self.across(value)
            parts.append(
                f'<text x="{x:.1f}" y="{self.height - 8}" text-anchor="middle">{value:g}</text>'
            )
        return "".join(parts)

    def drawing(self, inner: str, name: str) -> str:
        return (
            f'<svg class="plot" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{escape(name)}">{self.axes()}{inner}</svg>'
        )


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Return about `count` round numbers between `low` and `high`."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def decades(low: float, high: float) -> list[float]:
    """Return the numbers 1, 2 and 5 times a power of ten between `low` and `high`, above 0."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = [round(factor * 10.0**power, 12) for power in powers for factor in (1, 2, 5)]
    return [value for value in every if low <= value <= high]


def scatter(points: Sequence[tuple[float, float, str]], name: str, *, better: str) -> str:
    """Return one dot per utterance, baseline across and system up, with the line of no change.

    Args:
        points: (baseline, system, what the dot's tooltip says).
        better: "higher" or "lower"; dots on that side of the line have another colour, those on it
            a third.
        name: what the drawing shows, for those who cannot see it.
    """
    span = _span([value for point in points for value in point[:2]])
    frame = _Frame(260, 240, span, span)
    low, high = span
    line = (
        f'<line class="even" x1="{frame.across(low):.1f}" y1="{frame.up(low):.1f}" '
        f'x2="{frame.across(high):.1f}" y2="{frame.up(high):.1f}"/>'
    )
    dots = []
    for x, y, text in points:
        side = "same" if x == y else "gain" if (y > x) == (better == "higher") else "loss"
        dots.append(
            f'<circle class="{side}" cx="{frame.across(x):.1f}" cy="{frame.up(y):.1f}" r="2.6">'
            f"<title>{escape(text)}</title></circle>"
        )
    return frame.drawing(line + "".join(dots), name)


def curve(points: Sequence[tuple[float, float]], name: str, *, smooth: bool = False) -> str:
    """Return a line through (x, y); a long one is averaged, its range stays as a shade behind.

    Args:
        points: in the order of x.
        name: what the drawing shows.
        smooth: average a long one over a twentieth of its length.
    """
    x, y = np.array(points, float).T
    parts = np.array_split(np.arange(len(x)), min(len(x), _POINTS))
    middle = np.array([[x[p].mean(), y[p].mean(), y[p].min(), y[p].max()] for p in parts])
    low, high = np.percentile(y, [0.5, 99.5]) if len(y) > _POINTS else (y.min(), y.max())
    frame = _Frame(420, 220, _span([x.min(), x.max()], margin=0.02), _span([low, high]))
    if len(x) > len(parts):
        band = np.clip(middle[:, 2:], *frame.y)
        outline = np.concatenate([band[:, 0], band[::-1, 1]])
        there = np.concatenate([middle[:, 0], middle[::-1, 0]])
        inner = f'<path class="shade" d="{_path(frame, there, outline)}Z"/>'
        middle = _smooth(middle) if smooth else middle
    else:
        inner = _marks(frame, points)
    line = _path(frame, middle[:, 0], np.clip(middle[:, 1], *frame.y))
    return frame.drawing(f'{inner}<path class="line" d="{line}"/>', name)


def interval(mean: float, low: float, high: float, side: str) -> str:
    """Return a difference and its interval beside zero, as wide as they need.

    Args:
        mean: of the difference.
        low: end of the interval.
        high: end of the interval.
        side: the CSS class that colours it.
    """
    reach = 1.15 * max(abs(low), abs(high), 1e-12)
    left, middle, right = (80 + 76 * value / reach for value in (low, mean, high))
    return (
        '<svg class="interval" viewBox="0 0 160 22" aria-hidden="true">'
        '<line class="zero" x1="80" x2="80" y1="1" y2="21"/>'
        f'<line class="{side}" x1="{left:.1f}" x2="{right:.1f}" y1="11" y2="11"/>'
        f'<circle class="{side}" cx="{middle:.1f}" cy="11" r="4"/></svg>'
    )


def _span(values: Sequence[float], margin: float = 0.05) -> tuple[float, float]:
    """Return the range of `values`, a little wider, never empty."""
    low, high = float(min(values)), float(max(values))
    extra = margin * (high - low) or (0.0 if high > low else max(abs(low), 1.0) / 10)
    return low - extra, high + extra


def _smooth(points: np.ndarray) -> np.ndarray:
    """Return points whose second column is a running mean over a twentieth of the curve."""
    width = max(1, len(points) // 40)
    kernel = np.ones(2 * width + 1)
    weight = np.convolve(np.ones(len(points)), kernel, "same")
    smoothed = points.copy()
    smoothed[:, 1] = np.convolve(points[:, 1], kernel, "same") / weight
    return smoothed


def _path(frame: _Frame, xs: np.ndarray, ys: np.ndarray) -> str:
    pairs = (f"{frame.across(x):.1f} {frame.up(y):.1f}" for x, y in zip(xs, ys, strict=True))
    return "M" + "L".join(pairs)


def _marks(frame: _Frame, points: Sequence[tuple[float, float]]) -> str:
    """Return a dot per point, with its numbers as a tooltip; none where they would touch."""
    if len(points) > _MARKS:
        return ""
    return "".join(
        f'<circle class="mark" cx="{frame.across(x):.1f}" cy="{frame.up(y):.1f}" r="3">'
        f"<title>step {x:g}: {y:.4g}</title></circle>"
        for x, y in points
    )
