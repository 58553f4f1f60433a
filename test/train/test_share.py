"""One rank's share of a step; the sum over several ranks is tested in test_ranks.py."""

from types import SimpleNamespace

import pytest
import torch

from diffaudio.train.share import Share


@pytest.fixture
def share():
    """Two micro-batches, of two items and of one."""
    made = Share(audio=3.5, waited=0.25)
    for ids, losses in ((["a", "b"], [1.0, 2.0]), (["c"], [6.0])):
        values = torch.tensor(losses)
        made.add(SimpleNamespace(ids=ids), values, {"state": values / 2})
    return made


def test_means_are_over_the_global_batch_and_counts_are_sums(share):
    two_ranks = SimpleNamespace(reduce=lambda x, how: {"sum": 2 * x}[how])
    totals = share.totals(two_ranks, 6, stop=True, broken=False)
    assert totals == pytest.approx(
        {"loss": 3.0, "state": 1.5, "audio": 7.0, "waited": 0.5, "stop": 2, "broken": 0}
    )


def test_items_whose_loss_is_not_finite_are_named_or_all_if_every_loss_is(share):
    assert share.suspects() == ["a", "b", "c"]
    values = torch.tensor([1.0, float("nan")])
    share.add(SimpleNamespace(ids=["d", "e"]), values, {"state": torch.ones(2)})
    assert share.suspects() == ["e"]
