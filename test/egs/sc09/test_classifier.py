"""The recipe's classifier, trained on tones: a class is a pitch, kept by all augmentation."""

import shutil

import numpy as np
import pytest
import torch
from recipe import package_of

from diffaudio import provenance, weights
from diffaudio.data import audio, manifest, merge, prepare
from diffaudio.files import digest, read_json
from diffaudio.log import Refusal

RATE = 8000
PITCHES = {"low": 250.0, "middle": 700.0, "high": 2000.0}


@pytest.fixture(scope="module")
def local():
    """Return a function that imports modules of the recipe by name."""
    with package_of("sc09") as modules:
        yield modules


def tone(label, seed, seconds=1.0):
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    x = np.sin(2 * np.pi * PITCHES[label] * random.uniform(0.9, 1.1) * time)
    return (0.3 * x * (time < 0.6) + 0.01 * random.standard_normal(len(time))).astype(np.float32)


def shard(root, split, labels):
    """Write a manifest and its shards as the stages before do."""
    rows = []
    for number, label in enumerate(labels):
        seconds = 0.8 if number % 2 else 1.0
        audio.save(root / f"{split}{number}.wav", tone(label, number, seconds), RATE)
        files = {"speech": f"{split}{number}.wav"}
        row = {"id": f"{split}{number:03d}", "audio": files, "label": label}
        rows.append({**row, "source": "real" if number % 3 else "synthetic"})
    data, out = root / "data" / f"{split}.jsonl", root / "dump" / split
    manifest.write(data, rows)
    spec = audio.AudioSpec(rate=RATE, target="speech")
    provenance.begin(out, stage="shard", version=1, keys={}, inputs={str(data): digest(data)})
    of = prepare.ShardSpec(items=40)
    for task in prepare.tasks(data, out, root=root, audio=spec, shard=of, force=False):
        task.function(**task.arguments)
    merge.build(out, sorted(out.glob("*.tar")), rate=RATE)
    provenance.finish(out)


@pytest.fixture(scope="module")
def trained(local, tmp_path_factory):
    """Return a folder with shards and, in exp, a classifier that the command has trained."""
    root = tmp_path_factory.mktemp("tones")
    for split, count in (("train", 24), ("valid", 12)):
        shard(root, split, [list(PITCHES)[n % 3] for n in range(count)])
    module = local("classifier")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BATCH", 16)
        assert module.main(asked(root)) == 0
    return root


def asked(root, *more):
    return ["--dump", str(root / "dump"), "--out", str(root / "exp"), "--steps", "40", *more]


def test_it_learns_to_tell_tones_apart_and_says_so(trained):
    state = read_json(trained / "exp" / "state.json")
    assert state["labels"] == ["high", "low", "middle"]
    assert state["valid"]["n"] == 12
    assert state["valid"]["accuracy"] >= 0.9
    assert {name: part["n"] for name, part in state["valid_apart"].items()} == {
        "real": 8,
        "synthetic": 4,
    }
    assert state["files"] == {weights.MODEL: digest(trained / "exp" / weights.MODEL)}
    assert 200_000 < state["params"] < 1_000_000


def test_the_stage_is_up_to_date_until_its_shards_change(trained, local, tmp_path, capsys):
    root = tmp_path / "copy"
    shutil.copytree(trained, root)
    module = local("classifier")
    before = (root / "exp" / "state.json").stat().st_mtime_ns
    assert module.main(asked(root)) == 0
    assert (root / "exp" / "state.json").stat().st_mtime_ns == before
    record = root / "dump" / "train" / provenance.RECORD
    record.write_text(record.read_text().replace('"shard"', '"other"'))
    assert module.main(asked(root)) == 1
    assert "the stage shard has not been run" in capsys.readouterr().err


def test_the_same_seed_gives_the_same_weights(local):
    module = local("classifier")

    def made(seed):
        torch.manual_seed(0)
        net = module.Net(3, RATE)
        clips = torch.from_numpy(np.stack([tone("low", n) for n in range(4)]))
        clips = (clips * 30000).to(torch.int16)
        classes = torch.tensor([0, 1, 2, 0])
        module.train(net, clips, classes, rate=RATE, steps=2, seed=seed)
        return torch.cat([p.detach().flatten() for p in net.parameters()])

    first = made(1)
    assert torch.equal(first, made(1))
    assert not torch.equal(first, made(2))


def test_the_embedder_hears_what_was_trained_whatever_level_and_rate(trained, local):
    digits = local("embedders").Digits(str(trained / "exp"))
    labels = list(digits.labels)
    clips = [tone(label, 100 + n) for n, label in enumerate(PITCHES)]
    wanted = [labels.index(label) for label in PITCHES]
    found = digits.embed(clips, RATE)
    assert found.answers.tolist() == wanted
    assert found.features.shape == (3, 32)
    assert np.exp(found.log_probs).sum(axis=1) == pytest.approx(1)
    quiet = digits.embed([0.1 * clip for clip in clips], RATE)
    assert quiet.answers.tolist() == wanted
    fast = [audio.resample(clip[:, None], RATE, 16000)[:, 0] for clip in clips]
    apart = np.linalg.norm(digits.embed(fast, 16000).features - found.features, axis=1)
    assert (apart < 0.1 * np.linalg.norm(found.features, axis=1)).all()
    alone = digits.embed(clips[1:2], RATE).features
    assert alone == pytest.approx(found.features[1:2], abs=1e-4)


def test_the_embedder_names_its_weights_and_refuses_others(trained, local, tmp_path):
    folder = tmp_path / "exp"
    shutil.copytree(trained / "exp", folder)
    digits = local("embedders").Digits(str(folder))
    sha = digest(folder / weights.MODEL)
    assert digits.about()["weights_sha256"] == sha
    with (folder / weights.MODEL).open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\0\0\0\1")
    with pytest.raises(Refusal, match="damaged or replaced"):
        digits.embed([tone("low", 0)], RATE)
    (folder / weights.MODEL).unlink()
    with pytest.raises(Refusal, match="not complete"):
        digits.inputs()


def test_augmentation_moves_but_keeps_length_and_sound(local):
    module = local("classifier")
    x = torch.from_numpy(np.stack([tone("low", n) for n in range(8)]))
    made = module.varied(x, RATE, torch.Generator().manual_seed(0))
    assert made.shape == x.shape
    spectra = torch.fft.rfft(made).abs()
    peaks = spectra.argmax(1) * RATE / made.shape[1]
    assert (peaks > 250 * 0.9 * 0.85 - 2).all()
    assert (peaks < 250 * 1.1 / 0.85 + 2).all()
    assert len({round(float(level), 3) for level in made.square().mean(1)}) == 8


def test_masks_are_of_one_piece_and_no_longer_than_asked(local):
    module = local("classifier")
    made = module.masked(torch.ones(50, 3, 20), 6, torch.Generator().manual_seed(0))
    assert torch.equal(made, made[:, :1].expand_as(made))  # all bands of a clip alike
    for row in made[:, 0]:
        places = torch.nonzero(row == 0).flatten()
        assert len(places) <= 6
        assert not len(places) or places[-1] - places[0] == len(places) - 1
    assert len({int((row == 0).sum()) for row in made[:, 0]}) > 3


def test_unlabelled_rows_are_refused(local, tmp_path):
    shard(tmp_path, "train", ["low", "low"])
    path = tmp_path / "data" / "train.jsonl"
    path.write_text(path.read_text().replace('"label": "low"', '"label": ""'))
    out = tmp_path / "dump" / "bare"
    spec = audio.AudioSpec(rate=RATE, target="speech")
    of = prepare.ShardSpec(items=40)
    for task in prepare.tasks(path, out, root=tmp_path, audio=spec, shard=of, force=False):
        task.function(**task.arguments)
    merge.build(out, sorted(out.glob("*.tar")), rate=RATE)
    with pytest.raises(Refusal, match="train000 has no label"):
        local("classifier").read(out)
