"""Every configuration of the recipe: read strictly, built, trained a step, sampled as it says."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from published import HIFIGAN, VOCOS, write_hifigan, write_vocos
from recipe import package_of, sweep_of, trained_where_it_samples, whole

from diffaudio import strict
from diffaudio.bin.config import EXPERIMENT
from diffaudio.codec import MelSpec
from diffaudio.codec.hifigan import HiFiGAN
from diffaudio.codec.vocos import Vocos
from diffaudio.config import parse
from diffaudio.data.audio import AudioSpec
from diffaudio.data.batch import Batch
from diffaudio.decode import published
from diffaudio.decode.configuration import with_front_end
from diffaudio.decode.spec import DecodeSpec
from diffaudio.model import Model
from diffaudio.text import FrontEnd

RECIPE = Path(__file__).parents[3] / "egs/ljspeech"
SWEEPS = [RECIPE / "conf/sweep.yaml", RECIPE / "conf/sweep_vocoder.yaml"]
WHOLE = whole(RECIPE, *SWEEPS)
VOCODERS = [path for path in WHOLE if path.stem.startswith("vocoder_")]
TUNING = sorted(RECIPE.glob("conf/tuning/*.yaml"))  # laid over a whole one


def read(path, *words, below="demo"):
    first = ["--config", str(RECIPE / f"conf/{below}.yaml")] if path in TUNING else []
    argv = [*first, "--config", str(path), *words]
    with package_of("ljspeech"):
        return parse(argv, prog="test", description="", sections=EXPERIMENT)


def learned(config, folder):
    texts = ["a bird sang no song", "no two birds sang", "a song of two birds is no bird"]
    units = replace(config.build(Model).prior.front_end.units, size=20)
    FrontEnd(units).learned(texts, folder).save(folder)
    return with_front_end(config, folder)


@pytest.mark.parametrize("path", WHOLE + TUNING, ids=lambda path: path.stem)
def test_it_trains_and_samples(path, tmp_path):
    config = read(path)
    if path.stem == "pieces":  # their names come from a corpus
        config = learned(config, tmp_path)
    torch.manual_seed(0)
    model = config.build(Model).train()
    model.check(config.build(AudioSpec))
    for parameter in model.parameters():  # as after some training: nothing is exactly zero
        parameter.data += 0.01 * torch.randn_like(parameter)
    speech = 0.1 * torch.randn(2, 1, 6_000)
    length, keys, fields = torch.tensor([6_000, 4_500]), [1, 2], {"text": ["a bird", "no"]}
    loss, _ = model(Batch(["a", "b"], {"speech": speech}, length, keys, 0, fields))
    loss.sum().backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None]
    assert silent == []  # several devices can train it without a search for unused parameters
    sampler = config.build(DecodeSpec).sampler
    assert trained_where_it_samples(model, sampler)
    few, model = replace(sampler, calls=2), model.eval()
    if path in VOCODERS:
        made = model.generate(speech, length, keys, few)
        assert made.shape == speech.shape
    else:
        model.codec.iterations = 1
        plan = model.plan(fields)
        length = model.codec.samples(plan.frames)
        made = model.generate(plan, length, keys, few, fields=fields)
        assert made.shape == (2, 1, length.max())
    assert torch.isfinite(made).all()


@pytest.mark.parametrize("path", VOCODERS, ids=lambda path: path.stem)
def test_a_vocoder_has_the_mels_of_its_voice(path):
    voice = read(path.with_name(path.name.removeprefix("vocoder_")))
    assert read(path).build(Model).through.mel == voice.build(Model).codec.mel
    assert read(path).build(AudioSpec) == voice.build(AudioSpec)


def test_published_vocoders_have_the_mels_of_voices(tmp_path):
    """Small ones, with the frames and bands of the published configurations."""
    mel = read(RECIPE / "conf/train.yaml").build(Model).codec.mel
    stages = {"strides": HIFIGAN["upsample_rates"], "kernels": HIFIGAN["upsample_kernel_sizes"]}
    net = HiFiGAN(mel, width=16, **stages, taps=(3,), dilations=((1,),), block="1")
    said = {"upsample_initial_channel": 16, "resblock_kernel_sizes": [3]}
    said |= {"resblock_dilation_sizes": [[1]]}
    write_hifigan(tmp_path / "hifigan", said={**HIFIGAN, **said}, net=net)
    assert published.read(published.files_of(tmp_path / "hifigan"), "cpu").mel == mel
    tuned = read(RECIPE / "conf/tuning/vocos.yaml", below="train")
    mel = tuned.build(Model).codec.mel
    net = Vocos(mel, width=512, hidden=8, depth=1)
    options = {"input_channels": 100, "dim": 512, "intermediate_dim": 8, "num_layers": 1}
    said = {**VOCOS, "backbone": {**VOCOS["backbone"], "init_args": options}}
    write_vocos(tmp_path / "vocos", said=said, net=net)
    assert published.read(published.files_of(tmp_path / "vocos"), "cpu").mel == mel
    assert tuned.build(AudioSpec).rate == mel.rate


def test_the_readme_shows_the_mels_of_published_vocoders():
    shown = re.findall(r"mel: (\{.*?\})", (RECIPE / "README.md").read_text())
    tuned = read(RECIPE / "conf/tuning/vocos.yaml", below="train")
    wanted = [one.build(Model).codec.mel for one in (read(RECIPE / "conf/train.yaml"), tuned)]
    assert [MelSpec(**strict.scalar(mel)) for mel in shown] == wanted


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_every_cell_of_a_sweep_can_be_had(path):
    spec = sweep_of(path)
    assert len(spec.cells()) == len(spec.samplers) * len(spec.calls)


def test_the_head_of_each_file_names_the_file():
    """The commands in the comments are right."""
    for path in WHOLE + TUNING:
        name = str(path.relative_to(RECIPE))
        _, run, describe, *_ = path.read_text().splitlines()
        option = "tuning" if path in TUNING else "vocoder" if path in VOCODERS else "conf"
        assert f"--{option} {name}" in run
        assert describe.startswith("# What it costs: diffaudio describe --config conf/")
        assert describe.endswith(f"--config {name}")
