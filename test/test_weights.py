import json
import pickle

import pytest
import torch

from diffaudio import weights
from diffaudio.files import write_json
from diffaudio.log import Refusal


def checkpoint(folder, step=500, **more):
    """Write one checkpoint as the trainer does: weights first, state.json last."""
    folder.mkdir(parents=True)
    held = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(step)}
    files = {
        weights.MODEL: weights.write_weights(folder / weights.MODEL, held),
        weights.EMA: weights.write_weights(folder / weights.EMA, {**held, "a": held["a"] / 2}),
    }
    write_json(folder / weights.STATE, {"step": step, "files": files, **more})
    return folder


def test_round_trip_of_both_kinds_of_weights(tmp_path):
    folder = checkpoint(tmp_path / "step_00000500")
    last, mean = (weights.read_weights(folder, ema=ema) for ema in (False, True))
    assert torch.equal(last["a"], 2 * mean["a"])
    assert last["b"].dtype == torch.int64


def test_the_same_weights_give_the_same_bytes(tmp_path):
    one = {"a": torch.ones(3), "b": torch.zeros(2, 2)}
    other = {"b": torch.zeros(2, 2), "a": torch.ones(6)[::2]}
    first, second = (
        weights.write_weights(tmp_path / str(i), held) for i, held in enumerate((one, other))
    )
    assert first == second


def test_every_cut_and_every_flipped_byte_is_refused(tmp_path):
    folder = checkpoint(tmp_path / "step_00000001")
    path = folder / weights.MODEL
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(Refusal, match="damaged"):
            weights.read_weights(folder, ema=False)
    for place in range(0, len(whole), 11):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(Refusal, match="damaged"):
            weights.read_weights(folder, ema=False)


def test_a_pickle_under_the_right_digest_is_refused_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (tmp_path.joinpath("boom").mkdir, ())

    folder = checkpoint(tmp_path / "step_00000001")
    (folder / weights.MODEL).write_bytes(pickle.dumps(Bomb()))
    state = json.loads((folder / weights.STATE).read_text())
    state["files"][weights.MODEL] = weights.digest(folder / weights.MODEL)
    write_json(folder / weights.STATE, state)
    with pytest.raises(Refusal, match="not safetensors"):
        weights.read_weights(folder, ema=False)
    assert not (tmp_path / "boom").exists()


def test_find_best_last_and_by_name(tmp_path):
    for step in (500, 1000):
        checkpoint(tmp_path / "checkpoints" / f"step_{step:08d}", step)
    (tmp_path / "checkpoints" / "step_00002000").mkdir()  # a save that was cut: no state.json
    write_json(tmp_path / "best.json", {"checkpoint": "step_00000500", "pesq": 2.0})
    assert weights.find(tmp_path, "last").name == "step_00001000"
    assert weights.find(tmp_path, "best").name == "step_00000500"
    assert weights.find(tmp_path, "step_00001000").name == "step_00001000"
    checkpoint(tmp_path / "checkpoints" / "ema_0.12_step_00003000", 3000)  # made, not trained
    assert weights.find(tmp_path, "last").name == "step_00001000"
    assert weights.find(tmp_path, "ema_0.12_step_00003000").name == "ema_0.12_step_00003000"
    exported = tmp_path / "checkpoints" / "step_00000500"
    assert weights.find(exported, "best") == exported


def test_what_is_not_there_is_named_with_what_is(tmp_path):
    with pytest.raises(Refusal, match="train first"):
        weights.find(tmp_path, "best")
    folder = checkpoint(tmp_path / "checkpoints" / "step_00000500")
    assert weights.find(tmp_path, "best") == folder  # the last one: none was validated
    with pytest.raises(Refusal, match="'step_7'.*\n.*step_00000500"):
        weights.find(tmp_path, "step_7")
    with pytest.raises(Refusal, match="'../../x'"):
        weights.find(tmp_path, "../../x")


@pytest.mark.parametrize("text", ["{", "[]", '{"step": 1}', '{"files": []}'])
def test_a_broken_state_is_refused(tmp_path, text):
    (tmp_path / weights.STATE).write_text(text)
    with pytest.raises(Refusal, match=r"state\.json"):
        weights.read_weights(tmp_path, ema=False)


def test_missing_average_says_how_to_go_on(tmp_path):
    folder = checkpoint(tmp_path / "step_00000500")
    write_json(folder / weights.STATE, {"files": {weights.MODEL: "0"}})
    with pytest.raises(Refusal, match="--decode.ema false"):
        weights.read_weights(folder, ema=True)
    with pytest.raises(Refusal, match=r"damaged or replaced .* recorded 0\)"):
        weights.read_weights(folder, ema=False)


def test_weights_fit_their_own_model_only(tmp_path):
    model = torch.nn.Linear(3, 2)
    held = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}
    weights.fit(model, held, tmp_path)
    assert torch.equal(model.weight, held["weight"])
    wrong = {"weight": torch.ones(2, 4), "scale": torch.ones(1)}
    with pytest.raises(Refusal) as caught:
        weights.fit(model, wrong, tmp_path)
    for fault in (
        "1 missing (bias)",
        "1 unexpected (scale)",
        "1 of another shape (weight [2, 4], here [2, 3])",
    ):
        assert fault in caught.value.message
    assert torch.equal(model.weight, held["weight"])


def test_what_others_saved_is_read_as_weights_alone(tmp_path):
    held = {"w": torch.randn(2, 3)}
    torch.save({"generator": held, "steps": 3}, tmp_path / "file")
    assert torch.equal(weights.read_pickled(tmp_path / "file", inside="generator")["w"], held["w"])
    with pytest.raises(Refusal, match="holds no weights"):
        weights.read_pickled(tmp_path / "file")
    with pytest.raises(Refusal, match="no such file"):
        weights.read_pickled(tmp_path / "none")
