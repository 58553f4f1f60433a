import numpy as np
import pytest
import torch

from diffaudio.data.audio import AudioSpec
from diffaudio.data.index import Index
from diffaudio.metrics import METRICS, Metric, Unmeasurable
from diffaudio.train.signals import Stop
from diffaudio.train.validate import Validator, spread

AUDIO = AudioSpec(rate=8000, target="clean", given="noisy")


class Echo(torch.nn.Module):
    """Generates what it is given, times a gain."""

    def __init__(self, gain=0.5):
        super().__init__()
        self.gain, self.keys = gain, {}

    def forward(self, batch):
        self.keys |= dict(zip(batch.ids, batch.keys, strict=True))
        return batch.samples.float(), {}

    def generate(self, given, samples, keys, sampler):
        inside = torch.arange(given.shape[-1]) < samples[:, None]
        # what lies in the padding must not matter
        return torch.where(inside[:, None], self.gain * given, float("nan"))


def size(estimate, reference, rate):
    if len(estimate) < 1000:
        raise Unmeasurable("too short")
    return float(np.abs(estimate).sum() / np.abs(reference).sum())


SIZE = Metric(name="size", unit="", better="lower", needs_reference=True, rate=None, function=size)


@pytest.fixture
def index(tiny_dump):
    return Index.open(tiny_dump / "dump" / "test")


def validator(index, *, items=4, choice="loss", seed=3):
    return Validator(
        index=index,
        audio=AUDIO,
        sampler=None,
        metrics=[SIZE],
        choice=choice,
        items=items,
        seed=seed,
        batch_seconds=3.0,
    )


def test_means_are_over_the_utterances_that_have_a_value(index, accelerator):
    found = validator(index, items=6)(Echo(), accelerator, Stop())
    sums = [[np.abs(index.read(r, role)).sum() for r in range(6)] for role in ("noisy", "clean")]
    ratios = [
        noisy / clean for noisy, clean, n in zip(*sums, index.samples, strict=True) if n >= 1000
    ]
    assert len(ratios) == 5
    assert found["size"] == pytest.approx(0.5 * np.mean(ratios), rel=1e-5)
    assert found["loss"] == pytest.approx(index.samples.mean())


def test_a_metric_that_nothing_has_is_left_out(index, accelerator):
    broken = Echo(gain=float("nan"))
    assert validator(index)(broken, accelerator, Stop()).keys() == {"loss"}


def test_two_validations_use_the_same_utterances_and_keys(index, accelerator):
    one, two, other = Echo(), Echo(), Echo()
    for model, seed in ((one, 3), (two, 3), (other, 4)):
        validator(index, seed=seed)(model, accelerator, Stop())
    assert one.keys == two.keys
    assert one.keys.keys() == other.keys.keys()
    assert not {*one.keys.values()} & {*other.keys.values()}


def test_a_run_asked_to_stop_gets_no_scores(index, accelerator):
    stop, model = Stop(), Echo()
    stop.ask(15, None)
    assert validator(index)(model, accelerator, stop) is None
    assert not model.keys


def test_which_side_is_better(index):
    assert validator(index, choice="SI-SDR").higher
    assert METRICS["SI-SDR"].better == "higher"
    assert not validator(index).higher


@pytest.mark.parametrize(("count", "items"), [(10, 4), (3, 8), (1000, 1), (7, 7)])
def test_spread_is_even(count, items):
    rows = spread(count, items)
    assert len(rows) == min(count, items) == len(set(rows))
    gaps = np.diff([*rows, count])
    assert gaps.max() - gaps.min() <= 1
    assert rows[0] == 0
