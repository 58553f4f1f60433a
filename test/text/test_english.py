"""The table of readings: sentences of our own, each beside the rule it is there for."""

from pathlib import Path

from diffaudio.text.english import RULES, normalise

TABLE = Path(__file__).with_name("readings.tsv")
READINGS = [
    line.split("\t")
    for line in TABLE.read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def test_every_sentence_reads_naturally():
    found = [normalise(written) for _, written, _ in READINGS]
    assert found == [said for *_, said in READINGS]


def test_every_sentence_is_changed_by_the_rule_it_is_there_for():
    idle = []
    for rule, written, said in READINGS:
        fired = set()
        normalise(written, fired=fired)
        if rule != "-" and written != said and rule not in fired:
            idle.append((rule, written))
    assert idle == []


def test_every_rule_has_a_sentence_and_every_name_is_a_rule():
    shown = {rule for rule, written, said in READINGS if written != said}
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))
    assert shown - {"-"} == set(names)


def test_the_table_is_long_and_repeats_nothing():
    written = [row[1] for row in READINGS]
    assert len(written) == len(set(written)) >= 200


def test_what_is_in_words_stays_so():
    """A corpus that is normalised already, or twice, is read the same way."""
    said = [row[2] for row in READINGS]
    assert [normalise(one) for one in said] == said


def test_a_text_without_an_end_is_read_whole():
    """Rules see a few thousand characters at a time; where they are cut, nothing goes."""
    assert normalise("It has 5 legs " * 1000) == " ".join(["It has five legs"] * 1000)
    assert normalise("7" * 5000).split() == ["seven"] * 5000
