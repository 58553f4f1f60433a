import xml.etree.ElementTree as ElementTree

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
