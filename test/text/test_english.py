"""The table of readings: sentences of our own, each beside the rule it is there for."""

from pathlib import Path

import pytest

from diffaudio.text.english import RULES, normalise

TABLE = Path(__file__).with_name("readings.tsv")
READINGS = [
    line.split("\t")
    for line in TABLE.read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


@pytest.mark.parametrize(("rule", "written", "said"), READINGS)
def test_a_sentence_reads_naturally(rule, written, said):
    fired = set()
    assert normalise(written, fired=fired) == said
    if rule != "-" and written != said:
        assert rule in fired


def test_every_rule_has_a_sentence_and_every_name_is_a_rule():
    shown = {rule for rule, written, said in READINGS if written != said}
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))
    assert shown - {"-"} == set(names)


def test_the_table_is_long_and_repeats_nothing():
    written = [row[1] for row in READINGS]
    assert len(written) == len(set(written)) >= 200


@pytest.mark.parametrize("said", sorted({row[2] for row in READINGS}))
def test_what_is_in_words_stays_so(said):
    """A corpus that is normalised already, or twice, is read the same way."""
    assert normalise(said) == said
