import itertools

import numpy as np
import pytest
import torch

from diffaudio.data import plan
from diffaudio.data.audio import AudioSpec
from diffaudio.data.index import Index
from diffaudio.data.loader import Batching, eval_batches, train_loader
from diffaudio.data.mix import Remix
from diffaudio.log import Refusal

SPEC = AudioSpec(rate=8000, target="clean", given="noisy")
CROPS = Batching(global_batch=8, max_per_device=4, crop_seconds=0.2, grid=64)
WHOLE = Batching(global_batch=8, max_per_device=4, grid=64)
REMIX = Remix(gain_db=(-6.0, 6.0), snr_db=(-5.0, 15.0), swap=0.5)


@pytest.fixture(scope="module")
def index(small):
    return Index.open(small[0])


def take(index, count, batching, **changes):
    options = {"seed": 3, "start_step": 0, **changes}
    return list(itertools.islice(train_loader(index, SPEC, batching, **options), count))


def assert_same(first, second):
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        assert (a.ids, a.keys, a.step) == (b.ids, b.keys, b.step)
        assert torch.equal(a.samples, b.samples)
        assert (a.times is None) == (b.times is None)
        assert a.times is None or torch.equal(a.times, b.times)
        assert all(torch.equal(a.audio[role], b.audio[role]) for role in a.audio)


def test_crops_are_the_same_window_of_every_role(index, small):
    truth, starts = small[1], set()
    for batch in take(index, 40, CROPS):
        assert batch.audio["clean"].shape == (4, 1, 1600)
        for n, name in enumerate(batch.ids):
            length = int(batch.samples[n])
            assert length == min(1600, len(truth[name]["clean"]))
            crop = {role: np.rint(x[n, 0].numpy() * 32768) for role, x in batch.audio.items()}
            whole = {role: x[:, 0].astype(float) for role, x in truth[name].items()}
            windows = np.lib.stride_tricks.sliding_window_view(whole["clean"], length)
            start = int(np.flatnonzero((windows == crop["clean"][:length]).all(1))[0])
            starts.add((name, start))
            np.testing.assert_array_equal(
                crop["noisy"][:length], whole["noisy"][start : start + length]
            )
            assert not crop["clean"][length:].any()
    assert len(starts) > 60


def test_crops_are_rounded_up_to_the_grid(index):
    batching = Batching(global_batch=2, max_per_device=2, crop_seconds=0.1, grid=300)
    assert take(index, 1, batching)[0].audio["clean"].shape[-1] == 900


def test_whole_items_of_similar_length(index, small):
    """64 steps fill a pool, so an epoch here is cut from one sorted list."""
    seen = []
    for batch in take(index, 8, WHOLE):
        longest = int(batch.samples.max())
        assert batch.audio["noisy"].shape[-1] == -(-longest // 64) * 64
        assert batch.samples.tolist() == [len(small[1][name]["clean"]) for name in batch.ids]
        seen += batch.ids
    assert set(seen) == set(small[1])


@pytest.mark.parametrize("remix", [None, REMIX])
def test_workers_change_nothing(index, remix):
    alone, helped = (
        take(index, 10, Batching(8, 4, crop_seconds=0.2, workers=workers, remix=remix))
        for workers in (0, 2)
    )
    assert_same(alone, helped)


@pytest.mark.parametrize("batching", [CROPS, WHOLE])
def test_resumed_is_the_same_as_undisturbed(index, batching):
    undisturbed = take(index, 24, batching)  # 12 steps, 3 epochs
    for step in (1, 3, 4, 7):
        assert undisturbed[2 * step].step == step
        assert_same(take(index, 6, batching, start_step=step), undisturbed[2 * step :][:6])


@pytest.mark.parametrize("remix", [None, REMIX])
def test_devices_together_see_what_one_sees(index, remix):
    """The items of a step do not depend on devices or micro-batches: audio, keys, times."""

    def items(batches):
        found = {}
        for batch in batches:
            for n, key in enumerate(batch.keys):
                length = int(batch.samples[n])
                found[key] = {role: x[n, :, :length] for role, x in batch.audio.items()}
                found[key]["time"] = batch.times[n]
        return found

    def batching(max_per_device):
        return Batching(8, max_per_device, crop_seconds=0.2, grid=64, remix=remix)

    alone = items(take(index, 6, batching(8)))
    assert len(alone) == 48
    for world, limit in ((2, 4), (2, 2), (4, 2)):
        count = 48 // world // limit
        ranks = [take(index, count, batching(limit), rank=r, world=world) for r in range(world)]
        together = items(itertools.chain.from_iterable(ranks))
        assert together.keys() == alone.keys()
        assert all(
            torch.equal(together[key][role], alone[key][role])
            for key in alone
            for role in ("clean", "noisy", "time")
        )


def test_times_of_a_step_lie_at_even_distances_over_all_its_micro_batches(index):
    batches = take(index, 8, WHOLE)  # 4 steps of 2 micro-batches
    for one, other in zip(batches[::2], batches[1::2], strict=True):
        times = torch.cat([one.times, other.times]).sort().values
        torch.testing.assert_close(times.diff(), torch.full((7,), 1 / 8))
    assert len({round(batch.times[0].item(), 4) for batch in batches[::2]}) == 4


def test_keys_are_those_of_the_plan(index):
    batches = take(index, 4, WHOLE, start_step=5)
    keys = list(itertools.chain.from_iterable(batch.keys for batch in batches))
    assert keys == [plan.key(3, step, position) for step in (5, 6) for position in range(8)]


def test_the_global_generators_are_left_alone(index):
    torch.manual_seed(0)
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    take(index, 3, Batching(8, 4, crop_seconds=0.2, workers=1, remix=REMIX))
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == numpy_before).all()


def test_remix_swaps_noise(index, small):
    """With swap, about that share of the items carries noise that is not its own."""
    plain = take(index, 60, CROPS)
    mixed = take(index, 60, Batching(8, 4, crop_seconds=0.2, grid=64, remix=Remix(swap=0.25)))
    foreign = 0
    for a, b in zip(plain, mixed, strict=True):
        assert torch.equal(a.audio["clean"], b.audio["clean"])
        for n in range(4):
            own, new = (x.audio["noisy"][n] - x.audio["clean"][n] for x in (a, b))
            foreign += not torch.allclose(own, new, atol=1e-4)
            length = int(a.samples[n])
            assert not new[:, length:].any()
            ratio = new[:, :length].square().mean() / own[:, :length].square().mean()
            assert 0.5 < ratio < 2  # the noise is stationary: its level stays as it was
    assert 0.15 < foreign / 240 < 0.33


def test_remix_is_drawn_anew_for_every_use(index):
    """The same item of another epoch has another gain."""
    batching = Batching(8, 8, crop_seconds=0.04, remix=Remix(gain_db=(-10.0, 10.0)))
    gains = {}
    for plain, mixed in zip(
        take(index, 40, Batching(8, 8, crop_seconds=0.04)), take(index, 40, batching), strict=True
    ):
        ratio = mixed.audio["clean"].square().mean(-1) / plain.audio["clean"].square().mean(-1)
        for name, gain in zip(plain.ids, ratio[:, 0].tolist(), strict=True):
            gains.setdefault(name, []).append(gain)
    assert all(len(set(values)) == len(values) > 1 for values in gains.values())


def test_crops_are_shuffled_without_regard_to_length(index):
    ids = list(itertools.chain.from_iterable(batch.ids for batch in take(index, 8, CROPS)))
    rows = plan.steps(np.zeros(30), seed=3, epoch=0, global_batch=8)
    assert ids == [index.id(row) for row in rows.ravel()]


def test_one_role_is_enough(index):
    spec = AudioSpec(rate=8000, target="noisy")
    batch = next(train_loader(index, spec, CROPS, seed=0, start_step=0))
    assert list(batch.audio) == ["noisy"]
    with pytest.raises(Refusal, match=r"train\.remix"):
        train_loader(index, spec, Batching(8, 4, remix=Remix()), seed=0, start_step=0)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (AudioSpec(rate=16000, target="clean"), "at 8000 Hz.*at 16000 Hz"),
        (AudioSpec(rate=8000, target="drums"), "holds clean, noisy.*asks for drums"),
    ],
)
def test_a_data_set_for_something_else(index, spec, words):
    with pytest.raises(Refusal, match=words):
        train_loader(index, spec, CROPS, seed=0, start_step=0)
    with pytest.raises(Refusal, match=words):
        next(eval_batches(index, spec, [0], max_seconds_per_batch=1, grid=1))


def test_evaluation_takes_every_row_once(index, small):
    rows = [*range(3, 30), 0]
    batches = list(eval_batches(index, SPEC, rows, max_seconds_per_batch=1.0, grid=64, seed=9))
    names = list(itertools.chain.from_iterable(batch.ids for batch in batches))
    assert sorted(names) == sorted(index.id(row) for row in rows)
    lengths = [len(small[1][name]["clean"]) for name in names]
    assert lengths == sorted(lengths, reverse=True)
    for batch in batches:
        assert len(batch.ids) == 1 or len(batch.ids) * int(batch.samples.max()) <= 8000
        assert batch.keys == [plan.key(9, name) for name in batch.ids]
        assert batch.times is None
        for n, name in enumerate(batch.ids):
            stored = np.rint(batch.audio["noisy"][n, :, : batch.samples[n]].numpy().T * 32768)
            np.testing.assert_array_equal(stored, small[1][name]["noisy"])
    again = eval_batches(index, SPEC, rows[::-1], max_seconds_per_batch=1.0, grid=64, seed=9)
    assert_same(batches, list(again))


def test_evaluation_of_long_items_and_of_none(index):
    batches = list(eval_batches(index, SPEC, range(30), max_seconds_per_batch=0.01, grid=1))
    assert [len(batch.ids) for batch in batches] == [1] * 30
    assert list(eval_batches(index, SPEC, [], max_seconds_per_batch=1, grid=1)) == []


def test_fields_of_the_manifest_go_along_with_their_items(index):
    fields = {"fields": ["powers", "speaker"]}
    training = take(index, 6, CROPS, **fields)
    whole = eval_batches(index, SPEC, range(9), max_seconds_per_batch=1.0, grid=1, **fields)
    for batch in itertools.chain(training, whole):
        rows = [index.row(index.find(name)) for name in batch.ids]
        assert batch.fields == {name: [row[name] for row in rows] for name in ("powers", "speaker")}
    with pytest.raises(Refusal, match=r"item-\d+ has no label, which model.condition"):
        take(index, 1, CROPS, fields=["label"])


def test_copies_of_an_utterance_have_names_and_keys_of_their_own(index):
    options = {"max_seconds_per_batch": 1.0, "grid": 1, "seed": 9, "repeat": 3}
    batches = list(eval_batches(index, SPEC, [4, 7], **options))
    names = list(itertools.chain.from_iterable(batch.ids for batch in batches))
    copies = [f"{index.id(row)}-{n:03d}" for row in (4, 7) for n in range(3)]
    assert sorted(names) == copies
    for batch in batches:
        assert batch.keys == [plan.key(9, name) for name in batch.ids]
        assert len(batch.ids) * int(batch.samples.max()) <= 8000
