import json
import re
import shutil

import numpy as np
import pytest
from conftest import TINY, TINY_VOICE, write_exp

import diffaudio
from diffaudio import weights
from diffaudio.bin import decode
from diffaudio.decode.configuration import read_config
from diffaudio.decode.export import export
from diffaudio.decode.vocoder import vocoder_inputs
from diffaudio.files import digest, read_json
from diffaudio.log import Refusal
from diffaudio.text import FrontEnd, Pieces, train_pieces


def run(exp, out, *options, **more):
    export(exp, out, read_config(exp / "config.yaml", options), **more)


def test_the_folder_alone_gives_the_same_audio(exp, tmp_path, speech):
    x = speech(3.0)
    wanted = diffaudio.load(exp, device="cpu").enhance(x)
    run(exp, tmp_path / "model")
    shutil.rmtree(exp.parent)
    moved = (tmp_path / "model").rename(tmp_path / "elsewhere")
    np.testing.assert_array_equal(diffaudio.load(moved, device="cpu").enhance(x), wanted)


def test_it_holds_the_averaged_weights_and_their_origin(exp, tmp_path):
    run(exp, tmp_path / "model")
    state = read_json(tmp_path / "model" / weights.STATE)
    best = weights.find(exp, "best")
    assert state["checkpoint"] == "step_00000005"
    assert (state["step"], state["hours"], state["weights"]) == (5, 0.5, "averaged")
    assert digest(tmp_path / "model" / weights.MODEL) == digest(best / weights.EMA)
    run(exp, tmp_path / "last", "--decode.ema=false", "--decode.checkpoint=last")
    last = weights.find(exp, "last")
    assert digest(tmp_path / "last" / weights.MODEL) == digest(last / weights.MODEL)
    assert {path.name for path in (tmp_path / "last").iterdir()} == {
        weights.MODEL,
        weights.STATE,
        "config.yaml",
        "MODEL_CARD.md",
    }


def test_options_are_exported(exp, tmp_path):
    run(exp, tmp_path / "model", "--decode.sampler.calls=7")
    config = read_config(tmp_path / "model" / "config.yaml")
    assert config.sections["decode"]["sampler"]["calls"] == 7
    assert set(config.sections) == {"audio", "model", "decode"}


def test_the_weaker_model_of_autoguidance_goes_along(exp, tmp_path, speech):
    guided = ["--decode.weaker=step_00000010", "--decode.sampler.guidance=Autoguidance"]
    guided += ["--decode.sampler.guidance.init_args.scale=2.5"]
    run(exp, tmp_path / "model", *guided)
    shutil.rmtree(exp)
    alone = diffaudio.load(
        tmp_path / "model", device="cpu", decode={"sampler.guidance": None, "weaker": None}
    )
    moved = diffaudio.load(tmp_path / "model", device="cpu")
    x = speech(0.3)
    assert np.abs(moved.enhance(x) - alone.enhance(x)).max() > 1e-3
    with pytest.raises(Refusal, match="decode.weaker: step_00000005 is the model itself"):
        diffaudio.load(tmp_path / "model", device="cpu", decode={"weaker": "step_00000005"})


def test_a_folder_is_not_replaced_unless_asked_and_ours(exp, tmp_path):
    out = tmp_path / "model"
    run(exp, out)
    with pytest.raises(Refusal, match=r"model: exists\n.*--force"):
        run(exp, out)
    run(exp, out, "--decode.checkpoint=last", force=True)
    assert read_json(out / weights.STATE)["step"] == 10
    (tmp_path / "mine").mkdir()
    with pytest.raises(Refusal, match="mine: exists"):
        run(exp, tmp_path / "mine", force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exp", "mine", "model"]


def test_a_failure_leaves_nothing(exp, tmp_path):
    with pytest.raises(Refusal, match="no such file"):
        run(exp, tmp_path / "model", data=tmp_path)
    path = weights.find(exp, "best") / weights.EMA
    path.write_bytes(b"cut")
    with pytest.raises(Refusal, match="damaged"):
        run(exp, tmp_path / "model")
    (tmp_path / "file").touch()
    with pytest.raises(Refusal, match=r"cannot be written \(Not a directory\)"):
        run(exp, tmp_path / "file" / "model", "--decode.checkpoint=last")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exp", "file"]


def test_a_changed_exported_file_is_refused(exp, tmp_path):
    run(exp, tmp_path / "model")
    path = tmp_path / "model" / weights.MODEL
    path.write_bytes(path.read_bytes()[:-4] + b"abcd")
    with pytest.raises(Refusal, match="damaged"):
        diffaudio.load(tmp_path / "model")


def test_a_recipes_own_classes_are_named(exp, tmp_path, monkeypatch):
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "__init__.py").touch()
    (tmp_path / "local" / "nets.py").write_text(
        "from diffaudio.nets import BandTransformer\n\n\nclass Mine(BandTransformer):\n    pass\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    path = exp / "config.yaml"
    path.write_text(path.read_text().replace("diffaudio.nets.BandTransformer", "local.nets.Mine"))
    run(exp, tmp_path / "model")
    assert "local.nets.Mine" in (tmp_path / "model" / "MODEL_CARD.md").read_text()
    diffaudio.load(tmp_path / "model", device="cpu")


@pytest.fixture
def voice(tiny_voice, tmp_path):
    """Return a voice whose pieces lie elsewhere, its vocoder beside it."""
    train_pieces(["a bird sang", "no bird sang", "a song"], tmp_path / "pieces.model", size=14)
    exp = shutil.copytree(tiny_voice, tmp_path / "exp/voice")
    config = exp / "config.yaml"
    units = FrontEnd(Pieces(tmp_path / "pieces.model"))
    text = TINY_VOICE.replace(
        "{class_path: diffaudio.text.Characters}",
        f"{{class_path: diffaudio.text.Pieces, init_args: {{model: {tmp_path}/pieces.model}}}}",
    )
    shutil.rmtree(exp)
    write_exp(exp, text + "  vocoder: exp/vocoder\n")
    units.save(exp)
    assert "exp/vocoder" in config.read_text()
    mel = "{rate: 8000, n_fft: 256, hop: 80, bands: 8}"
    vocoder = TINY.replace("{n_fft: 126, hop: 32}", "{n_fft: 256, hop: 80}")
    vocoder = vocoder.replace("given: noisy", "given: null").replace(
        "  given: beside",
        "  given: beside\n  through: {class_path: diffaudio.codec.SpreadMel, "
        f"init_args: {{mel: {mel}}}}}",
    )
    write_exp(tmp_path / "exp/vocoder", vocoder.replace("process.FlowSE", "process.RectifiedFlow"))
    return exp


def test_a_voice_takes_front_end_and_vocoder_along(voice, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wanted = diffaudio.load(voice, device="cpu").say("a song")
    run(voice, tmp_path / "model")
    shutil.rmtree(voice.parent)
    (tmp_path / "pieces.model").unlink()
    moved = (tmp_path / "model").rename(tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path / "elsewhere")
    np.testing.assert_array_equal(diffaudio.load(moved, device="cpu").say("a song"), wanted)
    assert str(tmp_path) not in (moved / "config.yaml").read_text()
    card = (moved / "MODEL_CARD.md").read_text()
    assert 'diffaudio say "Good morning." out.wav --exp THIS_FOLDER' in card
    assert "| vocoder | `vocoder/`, from exp/vocoder |" in card


def test_a_voice_that_lost_its_front_end_is_refused(voice, tmp_path):
    config = voice / "config.yaml"
    lost = config.read_text().replace(f"{tmp_path}/pieces.model", "null")
    for text in (config.read_text(), lost):
        config.write_text(text)
        (voice / "front_end.json").unlink(missing_ok=True)
        with pytest.raises(Refusal, match=r"voice/front_end\.json: no such file"):
            diffaudio.load(voice, device="cpu")


def test_an_exported_vocoder_serves_a_voice(voice, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wanted = diffaudio.load(voice, device="cpu").say("a song")
    run(tmp_path / "exp/vocoder", tmp_path / "model")
    card = (tmp_path / "model/MODEL_CARD.md").read_text()
    assert "`--decode.vocoder THIS_FOLDER`" in card
    assert "enhance" not in card
    again = diffaudio.load(voice, device="cpu", decode={"vocoder": "model"})
    np.testing.assert_array_equal(again.say("a song"), wanted)
    (place,) = [one for one in vocoder_inputs(again._trained.spec) if one.endswith("safetensors")]
    assert place == "model/model.safetensors"


def test_a_set_is_decoded_by_a_voice_with_pieces_that_were_learned(
    voice, tiny_texts, tmp_path, monkeypatch, in_this_process
):
    """Its configuration asks for more pieces than a small corpus has."""
    monkeypatch.chdir(tmp_path)
    config = voice / "config.yaml"
    text = config.read_text().replace(f"{tmp_path}/pieces.model", "null")
    text = re.sub(r"size: \d+", "size: 300", text).replace("vocoder: exp/vocoder", "vocoder: null")
    config.write_text(text)
    (tmp_path / "pieces.model").unlink()
    texts = [json.loads(line)["text"] for line in (tiny_texts / "data/test.jsonl").open()]
    train_pieces([*texts, "a b c d e long"], voice / "front_end.model", size=13)
    units = FrontEnd(Pieces(voice / "front_end.model", size=300))
    units.save(voice)
    shutil.copytree(tiny_texts / "dump", "dump")
    shutil.copytree(tiny_texts / "data", "data")
    asked = ["--data", "data", "--dump", "dump", "--exp", str(voice)]
    assert decode.main(["--config", str(config), *asked]) == 0
    assert len(list((voice / "decode/default/test").glob("*.wav"))) == len(texts)


def test_a_vocoder_is_found_beside_its_voice_from_any_folder(voice, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wanted = diffaudio.load(voice, device="cpu").say("a song")
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    np.testing.assert_array_equal(diffaudio.load(voice, device="cpu").say("a song"), wanted)
    shutil.rmtree(tmp_path / "exp/vocoder")
    with pytest.raises(Refusal, match="decode.vocoder: exp/vocoder: no such folder"):
        diffaudio.load(voice, device="cpu")
