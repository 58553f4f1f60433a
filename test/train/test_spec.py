from dataclasses import fields

import pytest

from diffaudio.train.spec import BUDGET, TrainSpec


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"lr": -1.0},
        {"global_batch": 0},
        {"keep": 0},
        {"log_every": 0},
        {"valid_every": -1},
        {"decay": 1.5},
        {"betas": (0.9, 1.0)},
        {"crop_seconds": 0.0},
        {"ema": -3.0},
        {"ema_profiles": (0.05, 0.3)},
        {"ema_every": 0},
    ],
)
def test_a_value_that_makes_no_sense_is_named(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"^{name}: "):
        TrainSpec(**{"steps": 1, **wrong})


def test_budget_keys_are_keys():
    assert {key.removeprefix("train.") for key in BUDGET} <= {f.name for f in fields(TrainSpec)}
