"""Two processes against one: the same global batch, items of unequal lengths, fp32."""

import json

import pytest
import torch

from diffaudio import weights
from diffaudio.train.loop import train

OPTIONS = {"steps": 20, "save_every": 10, "valid_every": 10, "max_per_device": 1, "decay": 1.0}


def test_two_ranks_have_the_losses_and_scores_of_one(
    toy, accelerator, two_ranks, tiny_dump, tmp_path, capfd
):
    """Each rank scores other utterances, so its own scores are not those of the run."""
    real = {"folder": str(tiny_dump / "dump/test")}
    options = {**OPTIONS, "valid_metric": "SI-SDR"}
    assert two_ranks(tmp_path / "two", options, real=real) == 0
    assert "global 4 = 1 per device x 2 devices x 2 accumulations" in capfd.readouterr().err
    train(toy.job(tmp_path / "one", validate=toy.real(**real), **options), accelerator)
    one, two = (toy.rows(tmp_path / ranks, "valid") for ranks in ("one", "two"))
    assert [r["step"] for r in two] == [10, 20]
    for row, wanted in zip(two, one, strict=True):
        assert row["n"] == wanted["n"] == {"loss": 6, "SI-SDR": 6}
        assert row["valid"] == pytest.approx(wanted["valid"], rel=1e-4)
    one, two = (toy.rows(tmp_path / ranks) for ranks in ("one", "two"))
    assert len(one) == len(two) == 20
    for name in ("loss", "grad_norm", "audio"):
        assert [r[name] for r in two] == pytest.approx([r[name] for r in one], rel=1e-6)
    assert [r["lr"] for r in two] == [r["lr"] for r in one]
    last = (weights.find(tmp_path / ranks, "last") for ranks in ("one", "two"))
    held = [weights.read_weights(folder, ema=True) for folder in last]
    for name, tensor in held[0].items():
        torch.testing.assert_close(held[1][name], tensor, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_ranks_skip_together_stop_together_and_one_goes_on(
    toy, accelerator, two_ranks, tiny_dump, tmp_path
):
    """Position 3 of a step lies with rank 1; the signal comes to rank 1 alone, during step 12.

    Of the spoilt utterances `a` is the first row, with rank 0, and `d` the fourth, with rank 1.
    """
    nan = [[5, 3]]
    real = {"folder": str(tiny_dump / "dump/test"), "spoilt": ["a", "d"]}
    options = {**OPTIONS, "valid_metric": "SI-SDR"}
    assert two_ranks(tmp_path / "two", options, nan=nan, signal=[1, 11], real=real) == 75
    (row,) = toy.rows(tmp_path / "two", "valid")
    assert (row["broken"], row["n"]) == (["a", "d"], {"loss": 6, "SI-SDR": 4})
    assert not (tmp_path / "two/best.json").exists()
    assert json.loads((tmp_path / "two/status.json").read_text())["state"] == "interrupted"
    assert weights.find(tmp_path / "two", "last").name == "step_00000012"
    for exp in ("two", "one"):
        made = toy.job(tmp_path / exp, nan=nan, validate=toy.real(**real), **options)
        train(made, accelerator)
    one, two = (toy.rows(tmp_path / ranks) for ranks in ("one", "two"))
    assert two[5]["loss"] is None
    assert two[5]["skipped"] == one[5]["skipped"] != []
    del one[5], two[5]
    assert [r["loss"] for r in two] == pytest.approx([r["loss"] for r in one], rel=1e-6)
