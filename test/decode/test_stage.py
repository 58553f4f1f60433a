import json
import shutil
import sys
import types

import numpy as np
import pytest
import soundfile
import torch
from published import SMALL_HIFIGAN, small_hifigan_net, write_hifigan

from diffaudio import strict, weights
from diffaudio.bin import decode
from diffaudio.config import parse
from diffaudio.data import plan
from diffaudio.data.index import Index
from diffaudio.decode import stage
from diffaudio.decode.configuration import SECTIONS
from diffaudio.decode.stage import _named
from diffaudio.files import digest, read_json, write_json
from diffaudio.log import Refusal


@pytest.fixture
def place(tiny_dump, tiny_exp, tmp_path, monkeypatch, in_this_process):
    """Return a folder of one's own with dump, data and exp; tasks run in this process."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_dump / "dump", "dump")
    shutil.copytree(tiny_dump / "data", "data")
    shutil.copytree(tiny_exp, "exp/tiny")

    return tmp_path


def run(*more, config="exp/tiny/config.yaml", exp="exp/tiny"):
    return decode.main(
        ["--config", config, "--data", "data", "--dump", "dump", "--exp", exp, *more]
    )


def lengths(place):
    index = Index.open(place / "dump/test")
    return {index.id(row): int(index.samples[row]) for row in range(len(index))}


def made(place, tag="default"):
    folder = place / "exp/tiny/decode" / tag / "test"
    return {path.stem: soundfile.read(path, dtype="float32")[0] for path in folder.glob("*.wav")}


def test_every_utterance_as_long_as_it_was(place):
    assert run() == 0
    assert {name: len(x) for name, x in made(place).items()} == lengths(place)


def test_output_is_the_models_for_its_own_key(place, loaded):
    run()
    model = loaded(place / "exp/tiny")
    index = Index.open(place / "dump/test")
    x = index.read(index.find("a"), "noisy")
    wanted = model.piece(x, plan.key(0, "a"))[:, 0]
    assert np.abs(made(place)["a"] - wanted).max() <= 1e-5 + 2**-15


@pytest.mark.parametrize("more", [["--decode.batch_seconds", "1.5"], []])
def test_neither_batches_nor_slices_change_an_utterance(place, monkeypatch, more):
    run()
    monkeypatch.setattr(stage, "_SLICE_SECONDS", 1.0)
    run("--tag", "other", *more)
    assert len(list((place / "exp/tiny/decode/other/test/slices").iterdir())) > 2
    one, other = made(place), made(place, "other")
    for name in one:
        assert np.abs(one[name] - other[name]).max() <= 2**-15  # one step of 16 bit


def test_decode_json_says_what_was_run(place):
    rows = [{"step": step, "seconds": 360.0} for step in range(1, 11)]
    log = "".join(json.dumps(row) + "\n" for row in rows) + '{"step": 11, "sec'
    (place / "exp/tiny/log.jsonl").write_text(log)
    for state in (place / "exp/tiny/checkpoints").glob("*/state.json"):
        write_json(state, {k: v for k, v in read_json(state).items() if k != "hours"})
    run("--decode.sampler.calls", "3", "--decode.seed", "5")
    out = place / "exp/tiny/decode/default/test"
    about = read_json(out / "decode.json")
    checkpoint = weights.find(place / "exp/tiny", "best")
    assert about["calls"] == 3
    assert about["seed"] == 5
    assert about["n"] == len(lengths(place))
    assert abs(about["audio_seconds"] - sum(lengths(place).values()) / 8000) < 0.01
    assert about["rtf"] > 0
    assert about["threads"] == 1
    assert about["solver"] == "DDIM(eta=0.0, noisy_start=True)"
    assert about["grid"] == "UniformGrid()"
    assert about["checkpoint"] == "step_00000005"
    assert about["checkpoint_sha256"] == digest(checkpoint / weights.EMA)
    assert about["train_steps"] == 5
    assert about["train_hours"] == 0.5
    assert about["config_sha256"] == digest(out / "config.yaml")
    assert "cores of" in about["hardware"]


def test_a_second_run_is_up_to_date_and_a_changed_key_is_named(place, caplog):
    caplog.set_level("INFO")
    run()
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*.wav")}
    caplog.clear()
    run()
    assert "up to date" in caplog.text
    assert before == {path: path.stat().st_mtime_ns for path in place.rglob("*.wav")}
    run("--decode.seed", "1")
    assert "decode.seed: 0 -> 1" in caplog.text
    caplog.clear()
    run("--decode.seed", "1", "--force")
    assert "--force" in caplog.text


def test_another_checkpoint_decodes_anew(place, caplog):
    caplog.set_level("INFO")
    run()
    old = made(place)["a"]
    write_json(place / "exp/tiny/best.json", {"checkpoint": "step_00000010"})
    run()
    assert "step_00000010" in caplog.text
    assert np.abs(made(place)["a"] - old).max() > 1e-3


def test_an_interrupted_run_goes_on_with_what_is_left(place, monkeypatch):
    monkeypatch.setattr(stage, "_SLICE_SECONDS", 0.5)
    real, done = stage.decode_slice, []

    def dies(*, request, number, rows):
        if number == 2:
            raise KeyboardInterrupt
        done.append(number)
        return real(request=request, number=number, rows=rows)

    monkeypatch.setattr(stage, "decode_slice", dies)
    with pytest.raises(KeyboardInterrupt):
        run()
    out = place / "exp/tiny/decode/default/test"
    assert not (out / "decode.json").exists()
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.wav")}
    assert 0 < len(before) < len(lengths(place))
    monkeypatch.setattr(stage, "decode_slice", real)
    run()
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())
    assert read_json(out / "decode.json")["n"] == len(lengths(place))


def test_another_model_or_rate_is_refused_with_key_old_and_new(place):
    with pytest.raises(Refusal, match=r"model\.net\.width: 16 -> 32"):
        run("--model.net.init_args.width", "32")
    with pytest.raises(Refusal, match=r"audio\.rate: 8000 -> 16000"):
        run("--audio.rate", "16000")
    assert not (place / "exp/tiny/decode").exists()


def forget(path, *names):
    """Make the record of a stage that of a time when these keys were not there."""
    record = read_json(path)
    for name in names:
        del record["keys"][name]
    write_json(path, record)


def test_what_was_made_before_a_key_was_there_stays(place, caplog):
    caplog.set_level("INFO")
    forget(place / "dump/test/.stage.json", "audio.max_seconds")
    run()
    out = place / "exp/tiny/decode/default/test/.stage.json"
    forget(out, "decode.seed", "model.objective.weight", "decode.sampler.solver.eta")
    shutil.move(place / "exp/tiny/config.yaml", place / "asked.yaml")
    trained = strict.load(place / "asked.yaml", {})
    del trained["model"]["objective"]["weight"], trained["model"]["path"]["init_args"]["sigma_max"]
    (place / "exp/tiny/config.yaml").write_text(strict.dump(trained))
    caplog.clear()
    assert run(config="asked.yaml") == 0
    assert "test: up to date" in caplog.text
    with pytest.raises(Refusal, match=r"model\.path\.sigma_max: 0\.487 -> 0\.7"):
        run("--model.path.init_args.sigma_max", "0.7", config="asked.yaml")
    run("--decode.seed", "2", config="asked.yaml")
    assert "decode.seed: absent -> 2" in caplog.text


def test_stale_shards_are_refused(place):
    config = parse(["--config", "exp/tiny/config.yaml"], prog="", description="", sections=SECTIONS)
    path = place / "exp/tiny/config.yaml"
    path.write_text(config.text().replace("rate: 8000", "rate: 16000"))
    with pytest.raises(Refusal, match=r"dump/test.*audio\.rate: 8000 -> 16000"):
        run()


def test_a_changed_manifest_is_refused(place):
    path = place / "data/test.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(Refusal, match=r"dump/test: stale.*input data/test\.jsonl"):
        run()


def test_one_wav_that_is_gone_is_decoded_again(place, caplog):
    caplog.set_level("INFO")
    run()
    (place / "exp/tiny/decode/default/test/a.wav").unlink()
    caplog.clear()
    run()
    assert "exp/tiny/decode/default/test/a.wav is gone" in caplog.text
    assert set(made(place)) == set(lengths(place))


def test_wavs_of_another_corpus_are_not_replaced_unasked(place):
    run()
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*.wav")}
    shutil.copytree(place / "dump", place / "other")
    record = read_json(place / "other/test/.stage.json")
    write_json(place / "other/test/.stage.json", {**record, "version": 0})  # another fingerprint
    with pytest.raises(Refusal, match="from dump/test, not from other/test") as caught:
        run("--dump", "other")
    assert "--decode_tag" in caught.value.mend
    assert before == {path: path.stat().st_mtime_ns for path in place.rglob("*.wav")}
    assert run("--dump", "other", "--tag", "second") == 0
    assert run("--dump", "other", "--force") == 0


def test_no_jobs_are_refused_before_anything(place):
    with pytest.raises(Refusal, match="--nj 0"):
        run("--nj", "0")
    assert not (place / "exp/tiny/decode").exists()


def test_what_is_missing_is_named(place):
    with pytest.raises(Refusal, match=r"data/dev\.jsonl.*\n.*one of: test"):
        run("--set", "dev")
    with pytest.raises(Refusal, match="no checkpoint 'step_00000007'"):
        run("--decode.checkpoint", "step_00000007")
    with pytest.raises(Refusal, match="exp/none/config.yaml: no such file"):
        run(exp="exp/none")
    folder = weights.find(place / "exp/tiny", "best")
    other = {weights.EMA: weights.write_weights(folder / weights.EMA, {"w": torch.ones(1)})}
    write_json(folder / weights.STATE, {**read_json(folder / weights.STATE), "files": other})
    with pytest.raises(Refusal, match="weights of another model"):
        run()
    path = folder / weights.EMA
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Refusal, match="damaged"):
        run()


def test_what_would_fail_in_every_task_is_refused_before_old_output_goes(place, tiny_mels):
    assert run() == 0
    before = made(place)
    guided = ["--decode.sampler.guidance=Autoguidance", "--decode.sampler.guidance.scale=2.0"]
    with pytest.raises(Refusal, match="no checkpoint 'step_7'"):
        run(*guided, "--decode.weaker", "step_7")
    with pytest.raises(Refusal, match="decode.weaker: last is the model itself"):
        run(*guided, "--decode.weaker", "last", "--decode.checkpoint", "last")
    assert made(place).keys() == before.keys()
    shutil.copytree(tiny_mels, "exp/mels")
    write_hifigan(place / "other", said={**SMALL_HIFIGAN, "fmax": 100})
    argv = {"config": "exp/mels/config.yaml", "exp": "exp/mels"}
    run(**argv)
    with pytest.raises(Refusal, match="made for other mels"):
        run("--decode.vocoder", "other", **argv)
    assert [*place.glob("exp/mels/decode/default/test/*.wav")]


def test_the_weaker_model_is_an_input(place, caplog):
    caplog.set_level("INFO")
    found = weights.find(place / "exp/tiny", "last")
    weaker = shutil.copytree(found, found.with_name("ema_0.1_step_00000001"))
    argv = ["--decode.sampler.guidance=Autoguidance", "--decode.sampler.guidance.scale=2.0"]
    argv += ["--decode.weaker", weaker.name]
    assert run(*argv) == 0
    held = {name: 0.9 * x for name, x in weights.read_weights(weaker, ema=True).items()}
    files = {weights.EMA: weights.write_weights(weaker / weights.EMA, held)}
    write_json(weaker / weights.STATE, {**read_json(weaker / weights.STATE), "files": files})
    caplog.clear()
    first = made(place)
    assert run(*argv) == 0
    assert f"{weaker.name}/{weights.EMA} changed" in caplog.text
    assert np.abs(first["a"] - made(place)["a"]).max() > 1e-4


def test_own_code_that_only_scoring_loaded_is_no_input(place, monkeypatch):
    """As in a sweep, which scores one cell before it decodes the next."""

    def written():
        return [path.stat().st_mtime_ns for path in sorted(place.rglob("decode/*/test/*.wav"))]

    run()
    before = written()
    (place / "listener.py").write_text("")
    module = types.ModuleType("local.listener")
    module.__file__ = str(place / "listener.py")
    monkeypatch.setitem(sys.modules, "local.listener", module)
    run()
    assert written() == before != []


def test_the_files_of_a_published_vocoder_are_inputs(place, tiny_mels, caplog):
    caplog.set_level("INFO")
    shutil.copytree(tiny_mels, "exp/mels")
    for name, seed in (("one", 0), ("two", 1)):
        net = small_hifigan_net()
        for parameter in net.parameters():
            torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(seed))
        write_hifigan(place / name, net=net)
    argv = ["--decode.vocoder", "one", "--tag", "default", "--decode.sampler.temperature", "0.5"]

    def again():
        assert run(*argv, config="exp/mels/config.yaml", exp="exp/mels") == 0
        folder = place / "exp/mels/decode/default/test"
        made = read_json(folder / "decode.json")
        assert (made["vocoder"], made["temperature"]) == ("one", 0.5)
        return {path.stem: soundfile.read(path)[0] for path in folder.glob("*.wav")}

    first = again()
    assert {name: len(x) for name, x in first.items()} == lengths(place)
    record = place / "exp/mels/decode/default/test/.stage.json"
    forget(record, "model.codec.mel.mel_scale", "model.codec.mel.norm")  # as mels were before
    again()
    assert "default/test: up to date" in caplog.text
    shutil.copy(place / "two/generator_v1", place / "one/generator_v1")
    caplog.clear()
    second = again()
    assert "input one/generator_v1 changed" in caplog.text
    assert np.abs(first["a"] - second["a"]).max() > 1e-3


def test_a_part_within_a_part_is_written_as_in_python():
    path = {"class_path": "diffaudio.process.RectifiedFlow", "init_args": {"t_min": 0.0}}
    grid = {"class_path": "diffaudio.solve.PathGrid", "init_args": {"path": path, "finer_from": 6}}
    assert _named(grid) == "PathGrid(path=RectifiedFlow(t_min=0.0), finer_from=6)"
