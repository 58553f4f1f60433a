from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from diffaudio.score import plot


def numbers(svg: str, attribute: str) -> list[float]:
    return [float(value) for value in re.findall(rf'\s{attribute}="([-\d.]+)"', svg)]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, [0.0, 0.5, 1.0]),
        (1.1, 4.4, [2.0, 3.0, 4.0]),
        (-7, 21, [0.0, 10.0, 20.0]),
        (0.00012, 0.0009, [0.0002, 0.0004, 0.0006, 0.0008]),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert plot.ticks(low, high) == expected


def test_scatter_puts_no_change_on_the_diagonal_and_gains_above():
    svg = plot.scatter(
        [(1.0, 1.0, "same"), (2.0, 3.0, "gain"), (3.0, 2.0, "loss")], "PESQ", better="higher"
    )
    ElementTree.fromstring(svg)
    (x0, x1, x2), (y0, y1, y2) = numbers(svg, "cx"), numbers(svg, "cy")
    assert x0 < x1 < x2
    assert y0 > y2 > y1  # pixels grow downwards
    assert re.findall(r'class="(gain|loss|same)"', svg) == ["same", "gain", "loss"]


def test_where_lower_is_better_the_colours_swap():
    points = [(2.0, 3.0, "up"), (3.0, 2.0, "down"), (0.0, 0.0, "none")]
    svg = plot.scatter(points, "WER", better="lower")
    assert re.findall(r'class="(gain|loss|same)"', svg) == ["loss", "gain", "same"]


def test_text_is_escaped():
    svg = plot.scatter([(1.0, 2.0, "<script>&")], 'a"<b>', better="higher")
    ElementTree.fromstring(svg)
    assert "<script>" not in svg


def test_only_what_should_be_is_smoothed():
    """A step of the learning rate stays where it is; a long loss is averaged."""
    points = [(n, float(n > 600)) for n in range(1200)]
    sharp, soft = plot.curve(points, "lr"), plot.curve(points, "loss", smooth=True)

    def between(svg):
        line = re.search(r'class="line" d="M([^"]+)"', svg)[1]
        heights = np.array([float(pair.split()[1]) for pair in line.split("L")])
        return ((heights > heights.min() + 1) & (heights < heights.max() - 1)).sum()

    assert between(sharp) <= 1
    assert between(soft) > 10


def test_a_curve_keeps_its_ends_and_its_size():
    steps = np.arange(1, 5001)
    svg = plot.curve(list(zip(steps, 1 / np.sqrt(steps), strict=True)), "loss")
    ElementTree.fromstring(svg)
    assert 'class="shade"' in svg
    assert len(svg) < 40_000
    short = plot.curve([(100, 1.0), (200, 3.0), (300, 2.0)], "PESQ")
    assert short.count("<circle") == 3
    heights = numbers(short, "cy")
    assert heights[1] < heights[2] < heights[0]


@pytest.mark.parametrize("points", [[(5, 2.0)], [(1, 0.0), (2, 0.0)]])
def test_a_flat_curve_can_be_drawn(points):
    ElementTree.fromstring(plot.curve(points, "flat"))


@pytest.mark.parametrize(
    ("ends", "crosses"), [((0.1, 0.3), False), ((-0.3, -0.1), False), ((-0.1, 0.3), True)]
)
def test_an_interval_crosses_zero_when_it_holds_it(ends, crosses):
    svg = plot.interval(sum(ends) / 2, *ends, "better")
    zero, left = numbers(svg, "x1")
    _, right = numbers(svg, "x2")
    assert zero == 80
    assert (left < zero < right) == crosses
    assert min(left, right) >= 0
    assert max(left, right) <= 160
