import re
import shutil

import pytest
import torch
from conftest import TINY_VOICE
from torch import nn

from diffaudio.bin import describe
from diffaudio.codec import CompressedSTFT
from diffaudio.config import parse
from diffaudio.data.audio import AudioSpec
from diffaudio.data.index import Index
from diffaudio.log import Refusal
from diffaudio.model import Model
from diffaudio.nets import Net
from diffaudio.process import FlowSE, Objective, Uniform, Velocity
from diffaudio.text import FrontEnd, Pieces, train_pieces
from diffaudio.train.spec import TrainSpec

CPU = torch.device("cpu")
SHORT = ["--train.steps", "5", "--train.crop_seconds", "0.5", "--train.threads", "1"]
AUDIO = AudioSpec(rate=8000, target="clean", given="noisy")


class Pointwise(Net):
    """A network of which everything is known: one 1 x 1 convolution."""

    def __init__(self, inputs, outputs, bins):
        super().__init__()
        self.layer = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x, c_noise, mask=None, condition=None):
        return self.layer(x)


@pytest.fixture
def model():
    return Model(
        CompressedSTFT(n_fft=126, hop=32),
        FlowSE(),
        Velocity(),
        Pointwise,
        Objective(Uniform()),
        given="beside",
    )


def test_operations_are_multiply_adds_of_one_second(model):
    batch = describe._noise(model, AUDIO, 1, 1.0)
    state = model.codec.encode(batch.target)
    _, channels, bins, frames = state.shape
    assert describe._macs(model, batch) == 2 * channels * channels * bins * frames


def test_memory_grows_by_the_same_amount_with_every_item(model):
    one, two, five = (
        describe._kept(model, describe._noise(model, AUDIO, n, 1.0)) for n in (1, 2, 5)
    )
    assert five == one + 4 * (two - one)
    state = model.codec.encode(describe._noise(model, AUDIO, 1, 1.0).target)
    assert two - one >= 2 * state.numel() * 4  # the convolution keeps its input, twice as wide


def test_cost_counts_weights_gradients_moments_and_average(model):
    spec = TrainSpec(steps=10, crop_seconds=0.5, precision="fp32")
    with_average = describe.measure(model, AUDIO, spec, CPU)
    without = describe.measure(
        model, AUDIO, TrainSpec(steps=10, crop_seconds=0.5, precision="fp32", ema=0), CPU
    )
    weights = 4 * with_average.parameters
    assert with_average.parameters == 8
    assert with_average.shared - without.shared == weights
    profiles = TrainSpec(steps=10, crop_seconds=0.5, precision="fp32", ema_profiles=(0.05, 0.1))
    assert describe.measure(model, AUDIO, profiles, CPU).shared - without.shared == 3 * weights
    assert with_average.item_seconds == 0.5
    assert with_average.seconds > 0


def test_hours_and_memory_scale_with_the_run(tiny_exp):
    text = ["--config", str(tiny_exp / "config.yaml"), "--train.steps", "36000"]
    config = parse(text, prog="x", description="x", sections=describe._SECTIONS)
    cost = describe.Cost(2_500_000, 3e9, 5e8, 1e8, 2.0, 0.1)
    report = describe._report(config, config.build(TrainSpec), cost, CPU)
    assert "CompressedSTFT, FlowSE, BandTransformer" in report
    assert "2.50 M" in report
    assert "3 GMAC" in report
    assert "2.1 GB of tensors in a training step of 16 items of 2 s" in report
    assert "16 h on one device for 36000 steps of 16 items" in report


def test_the_command_prints_all_of_it(tiny_exp, capsys):
    assert describe.main(["--config", str(tiny_exp / "config.yaml"), *SHORT]) == 0
    heads = [line.split()[0] for line in capsys.readouterr().out.splitlines()[:5]]
    assert heads == ["model", "parameters", "operations", "memory", "training"]


def test_offset_and_scale_that_it_names_make_the_states_of_a_set_0_and_1(
    tiny_mels, tiny_dump, capsys
):
    def said(*more):
        args = ["--config", str(tiny_mels / "config.yaml"), "--dump", str(tiny_dump / "dump/test")]
        assert describe.main([*args, *SHORT, *more]) == 0
        return " ".join(capsys.readouterr().out.partition("states")[2].split())

    found = said()
    offset, scale = re.fullmatch(
        r"mean \S+, deviation \S+ \(\d+ items of .*\) 0 and 1 with codec offset (\S+), scale (\S+)",
        found,
    ).groups()
    keys = "--model.codec.init_args."
    again = said(f"{keys}offset", offset, f"{keys}scale", scale)
    mean, deviation = re.match(r"mean (\S+), deviation (\S+) ", again).groups()
    assert float(mean) == pytest.approx(0, abs=0.01)
    assert float(deviation) == pytest.approx(1, abs=0.01)


def test_items_are_as_long_as_those_of_the_set_where_training_does_not_crop(
    tiny_mels, tiny_dump, capsys
):
    index = Index.open(tiny_dump / "dump/test")
    seconds = round(float(index.samples.mean()) / index.rate, 1)
    args = ["--config", str(tiny_mels / "config.yaml"), *SHORT, "--train.crop_seconds", "null"]
    for more, length in (([], "4 s"), (["--dump", str(index.folder)], f"{seconds:g} s")):
        assert describe.main([*args, *more]) == 0
        assert f"items of {length}" in capsys.readouterr().out


def test_states_of_a_set_that_was_prepared_for_another_rate_are_refused(tiny_mels, tiny_dump):
    args = ["--config", str(tiny_mels / "config.yaml"), "--dump", str(tiny_dump / "dump/test")]
    rates = ["--audio.rate", "16000", "--model.codec.init_args.mel.rate", "16000"]
    with pytest.raises(Refusal, match="8000 Hz, the configuration asks for .* at 16000 Hz"):
        describe.main([*args, *rates, *SHORT])


def test_pieces_that_stage_3_has_learned_are_found_beside_a_set(tiny_texts, tmp_path, capsys):
    units = "{class_path: diffaudio.text.Pieces, init_args: {size: 300}}"
    config = tmp_path / "config.yaml"
    config.write_text(TINY_VOICE.replace("{class_path: diffaudio.text.Characters}", units))
    with pytest.raises(Refusal, match="not learned yet"):
        describe.main(["--config", str(config), *SHORT])
    dump = shutil.copytree(tiny_texts / "dump", tmp_path / "dump")
    texts = ["the quick brown fox jumps over the lazy dog", "a bird sang"]
    train_pieces(texts, dump / "text/front_end.model", size=40)
    FrontEnd(Pieces(dump / "text/front_end.model", size=300)).save(dump / "text")
    argv = ["--config", str(config), "--dump", str(dump / "test"), *SHORT]
    assert describe.main(argv) == 0
    assert "states      mean" in capsys.readouterr().out
    config.write_text(TINY_VOICE)  # characters, beside which pieces are no use
    assert describe.main(argv) == 0


def test_a_model_that_does_not_read_is_described_beside_texts(
    tiny_mels, tiny_dump, tmp_path, capsys
):
    dump = shutil.copytree(tiny_dump / "dump", tmp_path / "dump")
    train_pieces(["a bird sang", "a song"], dump / "text/front_end.model", size=12)
    FrontEnd(Pieces(dump / "text/front_end.model")).save(dump / "text")
    argv = ["--config", str(tiny_mels / "config.yaml"), "--dump", str(dump / "test"), *SHORT]
    assert describe.main(argv) == 0
    assert "states      mean" in capsys.readouterr().out
