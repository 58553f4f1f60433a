from dataclasses import dataclass

import numpy as np
import pytest
import torch

from diffaudio.data.audio import AudioSpec
from diffaudio.data.index import Index
from diffaudio.metrics import METRICS, Metric, Unmeasurable
from diffaudio.train.job import Scores
from diffaudio.train.signals import Stop
from diffaudio.train.validate import Validator, spread

AUDIO = AudioSpec(rate=8000, target="clean", given="noisy")


class Echo(torch.nn.Module):
    """Generates what it is given, times a gain; other gains or losses for some ids."""

    fields = ()

    def __init__(self, gain=0.5, gains=(), losses=()):
        super().__init__()
        self.gain, self.gains, self.losses, self.keys = gain, dict(gains), dict(losses), {}
        self.products = set()

    def forward(self, batch):
        self.keys |= dict(zip(batch.ids, batch.keys, strict=True))
        own = [
            self.losses.get(name, float(n))
            for name, n in zip(batch.ids, batch.samples, strict=True)
        ]
        return torch.tensor(own), {}

    def generate(self, given, samples, keys, sampler, fields):
        self.products.add((torch.ones(2, 2) @ torch.ones(2, 2)).dtype)
        names = {key: name for name, key in self.keys.items()}
        gain = torch.tensor([self.gains.get(names[key], self.gain) for key in keys])
        inside = torch.arange(given.shape[-1]) < samples[:, None]
        # what lies in the padding must not matter
        return torch.where(inside[:, None], gain[:, None, None] * given, float("nan"))


def size(estimate, reference, rate):
    if len(estimate) < 1000:
        raise Unmeasurable("too short")
    if np.abs(estimate).max() > 100:
        raise Unmeasurable("too loud")
    if not reference.any():
        raise Unmeasurable("the reference is silent")
    return float(np.abs(estimate).sum() / np.abs(reference).sum())


SIZE = Metric(name="size", unit="", better="lower", needs_reference=True, rate=None, function=size)


@pytest.fixture
def index(tiny_dump):
    return Index.open(tiny_dump / "dump" / "test")


def validator(index, *, items=6, choice="loss", seed=3, precision="fp32", metrics=(SIZE,)):
    return Validator(
        index=index,
        audio=AUDIO,
        sampler=None,
        precision=precision,
        metrics=metrics,
        choice=choice,
        items=items,
        seed=seed,
        batch_seconds=3.0,
        protocol="p1",
    )


def test_means_are_over_the_utterances_that_have_a_value(index, accelerator):
    found = validator(index, items=6)(Echo(), accelerator, Stop())
    sums = [[np.abs(index.read(r, role)).sum() for r in range(6)] for role in ("noisy", "clean")]
    ratios = [
        noisy / clean for noisy, clean, n in zip(*sums, index.samples, strict=True) if n >= 1000
    ]
    assert len(ratios) == 5
    assert found.means["size"] == pytest.approx(0.5 * np.mean(ratios), rel=1e-5)
    assert found.means["loss"] == pytest.approx(index.samples.mean())
    assert found.counts == {"loss": 6, "size": 5}
    assert found.broken == []  # that one is short is not the model's fault


def test_a_metric_that_nothing_has_is_left_out(index, accelerator):
    found = validator(index)(Echo(gain=float("nan")), accelerator, Stop())
    assert found.means.keys() == {"loss"}
    assert found.counts == {"loss": 6, "size": 0}
    assert found.broken == ["a", "b", "c", "d", "e", "long"]


@pytest.mark.parametrize(
    ("name", "more", "counts"),
    [
        ("a", {"gains": {"a": float("nan")}}, {"loss": 6, "size": 4}),
        ("a", {"gains": {"a": float("inf")}}, {"loss": 6, "size": 4}),
        ("e", {"gains": {"e": 0.0}}, {"loss": 6, "size": 5}),  # too short for `size` as it is
        ("c", {"losses": {"c": float("nan")}}, {"loss": 5, "size": 5}),
        ("c", {"losses": {"c": float("inf")}}, {"loss": 5, "size": 5}),
    ],
)
def test_useless_outputs_and_losses_are_named(index, accelerator, name, more, counts):
    found = validator(index)(Echo(**more), accelerator, Stop())
    assert (found.broken, found.counts) == ([name], counts)


def test_an_output_that_alone_has_no_value_counts_if_the_metric_chooses(index, accelerator):
    model = Echo(gains={"a": 1e4})
    assert validator(index, choice="size")(model, accelerator, Stop()).broken == ["a"]
    assert validator(index, choice="loss")(model, accelerator, Stop()).broken == []


def test_silence_where_the_reference_is_silent_is_right(index, accelerator, monkeypatch):
    silent = np.zeros((int(index.samples[0]), 1), np.float32)
    read = type(index).read
    quiet = index.id(0)
    monkeypatch.setattr(
        type(index), "read", lambda self, row, *at: silent if row == 0 else read(self, row, *at)
    )
    assert validator(index)(Echo(gains={quiet: 0.0}), accelerator, Stop()).broken == []


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)]
)
def test_outputs_are_made_in_the_precision_of_decoding(index, accelerator, precision, dtype):
    model = Echo()
    for surrounding in (True, False):  # the numbers of training
        with torch.autocast("cpu", torch.bfloat16, enabled=surrounding):
            validator(index, precision=precision)(model, accelerator, Stop())
    assert model.products == {dtype}


@dataclass
class Rank:
    """One of two ranks that run one after the other: what it would send to the others is kept."""

    process_index: int
    sent: list
    num_processes: int = 2
    device: str = "cpu"

    def reduce(self, tensor, kind):
        assert kind == "sum"
        self.sent.append(tensor.clone())
        return tensor


def test_ranks_share_the_utterances(index, accelerator):
    """Every utterance is scored once, by one rank, and the sums add up to those of one process."""
    whole, sent, models = Echo(), [], [Echo(), Echo()]
    wanted = validator(index, items=5)(whole, accelerator, Stop())
    for number, model in enumerate(models):
        assert isinstance(validator(index, items=5)(model, Rank(number, sent), Stop()), Scores)
    assert sorted(len(model.keys) for model in models) == [2, 3]
    assert models[0].keys | models[1].keys == whole.keys
    losses, count, sizes, measured, _ = (sent[0] + sent[1]).tolist()
    assert (count, measured) == (wanted.counts["loss"], wanted.counts["size"])
    assert losses / count == pytest.approx(wanted.means["loss"])
    assert sizes / measured == pytest.approx(wanted.means["size"])


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


def test_without_metrics_nothing_is_generated(index, accelerator):
    """Where nothing is given, an output has no reference: the loss alone is a score."""
    model = Echo(losses={index.id(0): float("nan")})
    scores = validator(index, metrics=())(model, accelerator, Stop())
    assert not model.products
    assert set(scores.means) == {"loss"}
    assert scores.broken == [index.id(0)]
