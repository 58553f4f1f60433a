"""The command from decoded wavs to tables; its parts are tested in test/score."""

import shutil

import numpy as np
import pytest
from tones import corpus, generate

from diffaudio.bin import main as cli
from diffaudio.data import audio
from diffaudio.decode import stage
from diffaudio.files import digest, read_json, write_json
from diffaudio.score import measure


@pytest.fixture
def place(tiny_dump, tiny_exp, tmp_path, monkeypatch):
    """Stand in a recipe's folder with a corpus, shards and a trained model."""
    folder = tmp_path / "voicebank"
    folder.mkdir()
    monkeypatch.chdir(folder)
    shutil.copytree(tiny_dump / "data", "data/mini")
    write_json(folder / "data/mini/corpus.json", {"root": str(tiny_dump), "label": "mini (noise)"})
    shutil.copytree(tiny_exp, "exp/tiny")
    for module in (stage, measure):
        monkeypatch.setattr(
            module, "run_tasks", lambda tasks, **_: [t.function(**t.arguments) for t in tasks]
        )
    return folder


def decode(tiny_dump):
    dump = f"--dump={tiny_dump / 'dump'}"
    argv = ["--config", "exp/tiny/config.yaml", "--data", "data/mini", dump, "--exp", "exp/tiny"]
    assert cli.main(["decode", *argv]) == 0


def run(*more):
    few = ["--score.metrics", "[SI-SDR]", "--score.resamples", "200", "--score.worst", "1"]
    argv = ["--config", "exp/tiny/config.yaml", "--data", "data/mini", *few, *more]
    return cli.main(["score", "--exp", "exp/tiny", *argv])


def test_from_decoded_wavs_to_a_published_table(place, tiny_dump, capsys):
    decode(tiny_dump)
    assert run("--publish", "true") == 0
    shown = capsys.readouterr().out
    assert "tiny on mini: 6 utterances, 2 network calls, real-time factor" in shown
    assert "Compared with the noisy input:" in shown
    (path,) = (place / "results").glob("mini_test_tiny_*.json")
    found = read_json(path)
    assert (found["recipe"], found["label"], found["n"]) == ("voicebank", "mini (noise)", 6)
    train = found["train"]
    assert (train["steps"], train["hours"]) == (5, 0.5)
    assert train["config_sha256"] == digest(place / "exp/tiny/config.yaml")
    assert found["checkpoint"] == "step_00000005"
    assert (found["grid"], found["device"], found["threads"]) == ("UniformGrid()", "cpu", 1)
    assert (place / "exp/tiny/report.html").resolve().parent.name == "test"
    for page in ("RESULTS.md", "exp/tiny/RESULTS.md"):
        assert "| tiny | 2 |" in (place / page).read_text()


def test_the_second_run_only_shows_the_table(place, tiny_dump, capsys):
    decode(tiny_dump)
    assert run() == 0
    capsys.readouterr()
    assert run() == 0
    found = capsys.readouterr()
    assert "up to date" in found.err
    assert "tiny on mini" in found.out
    assert not (place / "results").exists()


def test_changed_wavs_are_scored_again(place, tiny_dump, capsys):
    decode(tiny_dump)
    assert run() == 0
    path = place / "exp/tiny/decode/default/test/a.wav"
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert run() == 1  # a file of another size is no output of the decoder
    assert "a.wav has" in capsys.readouterr().err
    path.write_bytes(whole[:44] + bytes(len(whole) - 44))  # silence, as long as it was
    assert run() == 0
    found = capsys.readouterr()
    assert "input wavs in exp/tiny/decode/default/test changed" in found.err
    assert "SI-SDR failed for 1 of 6 utterances (the estimate is silent): a" in found.out
    made = path.parent / "decode.json"
    old = str(read_json(made)["rtf"])
    first = next(digit for digit in old if digit in "123456789")
    new = old.replace(first, "1" if first != "1" else "2", 1)
    made.write_text(made.read_text().replace(f'"rtf": {old}', f'"rtf": {new}'))
    assert run() == 0
    assert f"real-time factor {float(new):.3g}" in capsys.readouterr().out


def test_two_experiments_are_compared(place, tiny_dump, capsys):
    decode(tiny_dump)
    assert run() == 0
    argv = ["--tag", "again", "--wavs", "exp/tiny/decode/default/test", "--exp", "exp/other"]
    plain = ["--config", "plain.yaml", "--data", "data/mini", "--score.metrics", "[SI-SDR]"]
    (place / "plain.yaml").write_text("audio: {rate: 8000, target: clean, given: noisy}\n")
    assert cli.main(["score", *plain, *argv, "--versus", "exp/tiny"]) == 0
    assert "Compared with tiny: no verdict" in capsys.readouterr().out
    found = read_json(place / "exp/other/score/again/test/summary.json")
    assert found["metrics"]["SI-SDR"]["versus"]["tiny"]["mean_difference"] == 0
    argv += ["--exp", "exp/third", "--versus", "exp/other:again"]
    assert cli.main(["score", *plain, *argv]) == 0
    assert "Compared with other again: " in capsys.readouterr().out


def test_wavs_of_another_configuration_are_refused_with_both_values(place, tiny_dump, capsys):
    assert run() == 1
    assert "the stage decode has not been run" in capsys.readouterr().err
    decode(tiny_dump)
    assert run("--decode.sampler.calls", "8") == 1
    text = capsys.readouterr().err
    assert "decode.sampler.calls: 2 -> 8" in text
    assert "mend: run stage 5 again" in text
    assert not (place / "exp/tiny/score").exists()


def test_wavs_from_elsewhere_need_no_model(place, tiny_dump, capsys):
    (place / "plain.yaml").write_text("audio: {rate: 8000, target: clean, given: noisy}\n")
    shutil.rmtree("exp")
    for path in tiny_dump.glob("*_clean.wav"):
        x, rate = audio.load(path)
        quiet = 0.5 * x + np.float32(1e-3)
        audio.save(place / "theirs" / path.name.replace("_clean", ""), quiet, rate)
    argv = ["score", "--config", "plain.yaml", "--data", "data/mini", "--exp", "exp/theirs"]
    argv += ["--wavs", "theirs", "--system", "theirs (outside)", "--score.metrics", "[SI-SDR]"]
    assert cli.main(argv) == 0
    assert "theirs (outside) on mini: 6 utterances\n" in capsys.readouterr().out
    found = read_json(place / "exp/theirs/score/default/test/summary.json")
    assert found["metrics"]["SI-SDR"]["mean"] > 40  # scale and offset do not count, 16 bit does
    assert found["calls"] is None
    audio.save(place / "theirs" / "a.wav", np.zeros(7), 8000)
    assert cli.main(argv) == 1
    assert "theirs/a.wav: 7 samples, the reference has 6400 samples" in capsys.readouterr().err


def test_a_generated_set_is_scored_by_who_the_configuration_names(tmp_path, monkeypatch, capsys):
    data = corpus(tmp_path)
    wavs = generate(data, tmp_path / "theirs")
    (tmp_path / "sets.yaml").write_text(
        "audio: {rate: 8000, target: speech}\n"
        "score:\n"
        "  metrics: [accuracy, KAD, IS]\n"
        "  resamples: 200\n"
        "  sets:\n"
        "    embedders: [{class_path: tones.Tones, init_args: {version: 3}}]\n"
        "    apart: source\n"
    )
    monkeypatch.chdir(tmp_path)
    argv = ["score", "--config", "sets.yaml", "--data", str(data), "--exp", "exp/theirs"]
    argv += ["--wavs", str(wavs), "--system", "theirs"]
    assert cli.main(argv) == 0
    assert "theirs on mini: 60 clips" in capsys.readouterr().out
    folder = tmp_path / "exp/theirs/score/default/test"
    assert read_json(folder / "summary.json")["metrics"]["accuracy (ear)"]["mean"] == 1
    assert read_json(folder / "protocol.json")["embedders"] == {"ear": {"version": 3}}
    assert cli.main([*argv, "--score.sets.label", "nothing"]) == 1
    assert "nothing None is no class of ear" in capsys.readouterr().err
