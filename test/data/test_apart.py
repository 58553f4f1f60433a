"""What a recipe's DISJOINT forbids; that a stage acts on it is tested in test_corpus.py."""

from types import SimpleNamespace

import pytest

from diffaudio.data import apart
from diffaudio.log import Refusal


def collected(**values):
    """Three splits; of each value the splits that have it, as one bit a split."""
    splits = ["train", "valid", "test"]
    return SimpleNamespace(splits=splits, seen=dict.fromkeys(splits, 1), values=values)


def test_each_shared_value_is_named_with_the_splits_that_have_it_too():
    rows = collected(speaker={"anna": 0b001, "ben": 0b101, "carl": 0b111, "dora": 0b100})
    found = list(apart.overlaps(rows, {"test": ["speaker"]}))
    assert [problem.detail for problem in found] == [
        "speaker ben is also in train",
        "speaker carl is also in train, valid",
    ]
    assert list(apart.overlaps(rows, {"valid": []})) == []


def test_a_declaration_that_forbids_nothing_is_refused():
    rows = collected(speaker={"anna": 0b001})
    apart.check(rows, {"train": ["speaker"]})
    with pytest.raises(Refusal, match="no row is of the split 'tset'"):
        apart.check(rows, {"tset": ["speaker"]})
    with pytest.raises(Refusal, match="split 'test' has the field 'speaker'"):
        apart.check(rows, {"test": ["speaker"]})
