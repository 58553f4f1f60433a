import pytest
import torch

from diffaudio.log import Refusal
from diffaudio.nets import Characters, Condition
from diffaudio.nets.attention import rotate


def characters():
    torch.manual_seed(0)
    return Characters(6, field="text", characters="abc")


def told(conditioner, *texts):
    return conditioner({"text": texts}, torch.ones(len(texts), dtype=torch.bool))


def test_characters_are_turned_by_their_places():
    conditioner = characters()
    made = told(conditioner, "cab", "a")
    rows = conditioner.vectors.weight[[2, 0, 1]]
    torch.testing.assert_close(made.tokens[0], rotate(rows))
    torch.testing.assert_close(made.vector[0], rotate(rows).mean(0))
    torch.testing.assert_close(made.vector[1], conditioner.vectors.weight[0])  # padding is no part
    assert made.inside.tolist() == [[True] * 3, [True, False, False]]
    assert (told(conditioner, "bac").vector[0] - made.vector[0]).abs().max() > 1e-2


def test_nothing_is_one_token_of_its_own():
    conditioner = characters()
    made = conditioner({"text": ["ab", ""]}, torch.tensor([False, True]))
    for row in (0, 1):
        torch.testing.assert_close(made.tokens[row, 0], conditioner.vectors.weight[3])
    assert made.inside.tolist() == [[True], [True]]


def test_joined_conditions_are_those_of_all_items():
    conditioner = characters()
    parts = [told(conditioner, "ab", "c"), told(conditioner, "cab", "bb")]
    joined, whole = Condition.joined(parts), told(conditioner, "ab", "c", "cab", "bb")
    for name in ("vector", "tokens", "inside"):
        assert getattr(joined, name).equal(getattr(whole, name))
    assert Condition.joined([Condition(torch.zeros(2, 6))] * 2).tokens is None


def test_what_cannot_be_is_refused():
    with pytest.raises(Refusal, match="text: 'd'"):
        told(characters(), "ab", "dab")
    with pytest.raises(ValueError, match="at least one"):
        Characters(6, field="text", characters="")
    with pytest.raises(ValueError, match="drop"):
        Characters(6, field="text", characters="a", drop=1.0)
