"""Durations as decoding writes them: seconds, words and symbols in the page; broken ones named."""

import json
import re

import pytest

from diffaudio.log import Refusal
from diffaudio.score.timing import DURATIONS, Timing, drawing, lines, read_timings

ROW = {
    "id": "a",
    "said": "hi <you>",
    "symbols": ["HH", "AY1", " ", "Y", "UW1"],
    "frames": [2, 8, 1, 4, 5],
    "hop": 80,
    "rate": 8000,
}


def written(folder, **changes):
    (folder / DURATIONS).write_text(json.dumps({**ROW, **changes}) + "\n")
    return folder


@pytest.fixture
def timing(tmp_path):
    return read_timings(written(tmp_path))["a"]


def test_frames_become_seconds(timing):
    assert timing.starts == pytest.approx((0.0, 0.02, 0.1, 0.11, 0.15, 0.2))
    assert (timing.said, timing.symbols) == ("hi <you>", tuple(ROW["symbols"]))


def test_wavs_from_elsewhere_have_none(tmp_path):
    assert read_timings(tmp_path) == {}


@pytest.mark.parametrize(
    "changes", [{"frames": [1, 2]}, {"rate": 0}, {"frames": "ab"}, {"symbols": None}, {"hop": "x"}]
)
def test_a_broken_line_is_named(tmp_path, changes):
    with pytest.raises(Refusal, match=r"durations\.jsonl: line 1: no durations"):
        read_timings(written(tmp_path, **changes))


def test_the_drawing_has_each_symbol_and_word_where_it_begins(timing):
    page = drawing(timing, 0.2)
    blocks = re.findall(r'<rect x="([\d.]+)" width="([\d.]+)".*?<title>(\w+)', page)
    assert blocks == [
        ("0.00", "0.02", "HH"),
        ("0.02", "0.08", "AY1"),
        ("0.11", "0.04", "Y"),
        ("0.15", "0.05", "UW1"),
    ]
    assert re.findall(r"left:([\d.]+)%;width:([\d.]+)%\">([^<]+)<", page) == [
        ("0.0", "100.0", "hi"),
        ("55.0", "45.0", "&lt;you&gt;"),
    ]
    assert 'd="M0.00 0V1M0.11 0V1"' in page


def test_what_is_not_shown_of_the_sound_is_not_drawn(timing):
    page = drawing(timing, 0.12)
    assert re.findall(r'<rect x="([\d.]+)" width="([\d.]+)"', page)[-1] == ("0.11", "0.01")
    assert page.count("<rect") == 3
    assert drawing(timing, 0.1).count("<b ") == 1


def test_only_what_differs_from_the_text_is_told(timing):
    assert lines(timing, "hi <you>") == {"in symbols": "HH AY1 · Y UW1"}
    assert lines(timing, "Hi, U.")["read as"] == "hi <you>"
    letters = Timing("Ab c", ("<blank>", "a", "b", " ", "c"), (0.0,) * 6)
    assert lines(letters, "Ab c") == {}
