import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest
from rows import row

from diffaudio.sweep.chart import chart


def test_the_plot_has_a_point_for_every_row_in_both_drawings_and_a_legend():
    rows = [row(5, 1.0, 0.1), row(20, 2.0, 0.2), row(5, 3.0, 0.1, model="exp/<b>"), row(1, None, 0)]
    drawing = ElementTree.fromstring(chart(rows, "M"))
    circles = drawing.findall(".//{*}circle")
    assert len(circles) == 2 * 3
    heights = [float(circle.get("cy")) for circle in circles[:3]]
    assert heights[0] > heights[1] > heights[2]  # higher is better, and higher up
    text = ["".join(one.itertext()) for one in drawing.findall(".//{*}text")]
    assert "exp/<b> · ddim · plain" in text


@pytest.mark.parametrize("rows", [[row(5, 1.0, 0.0)], [row(5, 1.0, 0.1), row(5, 1.0, 0.1)]])
def test_a_single_cost_or_value_still_makes_a_plot(rows):
    assert ElementTree.fromstring(chart(rows, "M")).find(".//{*}circle") is not None


def heights(values):
    rows = [row(number, value, 0.1) for number, value in enumerate(values, 1)]
    drawing = ElementTree.fromstring(chart(rows, "M"))
    return [float(circle.get("cy")) for circle in drawing.findall(".//{*}circle")[: len(values)]]


def test_values_that_reach_far_are_drawn_by_their_ratio_and_others_by_their_difference():
    """10, 40, 160: equal steps. 100, 150, 200 too, the other way."""
    first, second, third = heights([10.0, 40.0, 160.0])
    assert first - second == pytest.approx(second - third, abs=0.2)
    first, second, third = heights([100.0, 150.0, 200.0])
    assert first - second == pytest.approx(second - third, abs=0.2)
    first, second, third = heights([-1.0, 0.0, 1000.0])  # no logarithm
    assert first - second < 1.0 < second - third


def test_a_line_goes_from_few_calls_to_many_whatever_they_took():
    rows = [row(20, 3.0, 0.1), row(5, 1.0, 0.1), row(10, 2.0, 0.1)]
    rows[1] = replace(rows[1], seconds=9.0)  # the machine was busy
    drawing = ElementTree.fromstring(chart(rows, "M"))
    across = [float(circle.get("cx")) for circle in drawing.findall(".//{*}circle")[3:]]
    assert across[0] > across[2] > across[1]  # of 5, 10 and 20 calls
