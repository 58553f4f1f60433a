"""Speaking: sentence by sentence, each its own; a stream that can be read; what cannot be said."""

import io
import wave
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import TINY_VOICE, write_exp

import diffaudio
from diffaudio import AudioModel
from diffaudio.bin.say import main as command
from diffaudio.codec import LogMel, MelSpec
from diffaudio.data.audio import AudioSpec
from diffaudio.decode import say as module
from diffaudio.decode.meter import Meter
from diffaudio.decode.say import pronounced, say, sentences, spoken
from diffaudio.decode.spec import DecodeSpec
from diffaudio.decode.trained import Trained
from diffaudio.log import Refusal
from diffaudio.model import Model
from diffaudio.nets import UNet2d
from diffaudio.prior import TextPrior
from diffaudio.process import Objective, RectifiedFlow, Uniform, Velocity
from diffaudio.solve import DDIM, Sampler, UniformGrid
from diffaudio.text import Characters, FrontEnd, Phonemes

TEXT = "One bird sang. Two birds sang!\n\nNobody heard."


@pytest.fixture(scope="module")
def voice():
    torch.manual_seed(0)

    def net(inputs, outputs, bins):
        return UNet2d(inputs, outputs, bins, widths=(8, 16), strides=((2, 2),), depth=1)

    model = Model(
        LogMel(MelSpec(rate=8000, n_fft=256, hop=80, bands=8), iterations=2),
        RectifiedFlow(),
        Velocity(),
        net,
        Objective(times=Uniform()),
        given="beside",
        prior=lambda bins: TextPrior(bins, front_end=FrontEnd(Characters()), width=16, depth=1),
    )
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    spec = DecodeSpec(Sampler(DDIM(), UniformGrid(), 2))
    audio = AudioSpec(rate=8000, target="speech")
    return Trained(audio, model.eval(), spec, torch.device("cpu"), {}, Meter())


def test_a_sentence_is_the_same_wherever_it_stands(voice):
    parts = sentences(voice, TEXT)
    assert [(part.text, part.pause) for part in parts] == [
        ("One bird sang.", 0.4),
        ("Two birds sang!", 0.8),
        ("Nobody heard.", 0.0),
    ]
    pieces = list(spoken(voice, parts))
    for part, piece in zip(parts, pieces, strict=True):
        (alone,) = spoken(voice, sentences(voice, part.text))
        assert np.array_equal(piece[: len(alone)], alone)
        assert len(piece) - len(alone) == round(part.pause * 8000)
        assert not piece[len(alone) :].any()
    whole = AudioModel(voice).say(TEXT)
    assert np.array_equal(whole, np.concatenate(pieces)[:, 0])


def test_a_file_holds_it_and_a_stream_too(voice, tmp_path, monkeypatch):
    said = AudioModel(voice).say(TEXT)
    say(voice, TEXT, tmp_path / "out.wav")
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert (file.getframerate(), file.getnframes()) == (8000, len(said))
    out = io.BytesIO()
    monkeypatch.setattr(module.sys, "stdout", io.TextIOWrapper(out))
    say(voice, TEXT, module.STDOUT)
    head, body = out.getvalue()[:44], out.getvalue()[44:]
    assert (head[:4], head[8:16], head[36:40]) == (b"RIFF", b"WAVEfmt ", b"data")
    heard = np.frombuffer(body, "<i2") / 32768
    assert np.abs(heard - said.clip(-1, 1)).max() <= 1 / 32768


def test_slower_is_longer_and_another_seed_another_reading(voice):
    def length(**changes):
        return AudioModel(replace(voice, spec=replace(voice.spec, **changes))).say("One bird.")

    plain = length()
    assert abs(len(length(length_scale=2.0)) / len(plain) - 2) < 0.1
    other = length(seed=1)
    assert len(other) == len(plain)
    assert not np.array_equal(other, plain)


def test_what_cannot_be_said_is_refused_before_anything_is(voice):
    with pytest.raises(Refusal, match="the text is empty"):
        sentences(voice, " \n ")
    with pytest.raises(Refusal, match=r"sentence 2 \('Sing 🎵 now\.'\).*U\+1F3B5"):
        sentences(voice, "Sing. Sing 🎵 now.")
    with pytest.raises(Refusal, match="sentence 1.*CJK UNIFIED IDEOGRAPH"):
        sentences(voice, "日本")


def test_ornaments_between_scenes_are_a_pause(voice):
    parts = sentences(voice, "It rained.\n\n* * *\n\n***\n\nIt snowed. --. Then not.")
    assert [part.text for part in parts] == ["It rained.", "It snowed.", "Then not."]
    assert parts[0].pause > parts[1].pause
    with pytest.raises(Refusal, match="nothing to say"):
        sentences(voice, "***")


def test_a_long_text_is_split(voice):
    parts = sentences(voice, "One bird sang, and another one sang too, " * 500 + "until night.")
    assert max(len(part.text) for part in parts) <= 300
    assert len(parts) > 60


def test_a_lexicon_says_words_otherwise_until_the_block_ends(voice, tmp_path, monkeypatch):
    words = tmp_path / "words.txt"
    words.write_text("bird\tB IY1 D\n")
    prior = voice.model.prior
    with pytest.raises(Refusal, match="the voice reads Characters"), pronounced(voice, words):
        pass
    monkeypatch.setattr(prior, "front_end", FrontEnd(Phonemes()))
    before = prior.front_end.read("A bird.").symbols
    with pronounced(voice, words):
        assert "IY1" in prior.front_end.read("A bird.").symbols
        assert prior.reader is prior.front_end
        assert prior.front_end.digest == FrontEnd(Phonemes()).digest  # nothing that is saved
    assert prior.front_end.read("A bird.").symbols == before
    with pytest.raises(Refusal, match="no lexicon"), pronounced(voice, tmp_path / "none.txt"):
        pass
    with pronounced(voice, None):
        assert prior.front_end.read("A bird.").symbols == before


def test_a_lexicon_is_taken_in_python_and_on_the_command_line(tmp_path):
    text = TINY_VOICE.replace("diffaudio.text.Characters", "diffaudio.text.Phonemes")
    exp = write_exp(tmp_path / "voice", text)
    words, out = tmp_path / "words.txt", tmp_path / "out.wav"
    words.write_text("bird\tAA1 B ER1 D AA1 B ER1 D\n")
    model = diffaudio.load(exp, device="cpu")
    usual, other = model.say("A bird."), model.say("A bird.", lexicon=words)
    assert len(other) > len(usual)
    assert np.array_equal(model.say("A bird."), usual)
    options = ["--exp", str(exp), "--device", "cpu"]
    assert command(["A bird.", str(out), *options, "--lexicon", str(words)]) == 0
    with wave.open(str(out)) as file:
        assert file.getnframes() == len(other)
