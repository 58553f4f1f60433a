import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffaudio.data import plan
from diffaudio.log import Refusal

lengths = st.lists(st.integers(1, 1000), min_size=1, max_size=200).map(np.array)


@given(lengths, st.integers(0, 9), st.integers(0, 9), st.integers(1, 40), st.integers(1, 5))
def test_every_row_once_and_the_rest_from_the_beginning(lengths, seed, epoch, batch, pool):
    steps = plan.steps(lengths, seed=seed, epoch=epoch, global_batch=batch, pool=pool)
    assert steps.shape == (plan.epoch_steps(len(lengths), batch), batch)
    counts = np.bincount(steps.ravel(), minlength=len(lengths))
    assert len(counts) == len(lengths)
    assert counts.min() >= 1
    if batch <= len(lengths):
        assert counts.max() <= 2
        assert np.sum(counts == 2) < batch


def test_pure_and_different_for_every_seed_and_epoch():
    lengths = np.arange(1, 101)

    def order(seed, epoch):
        return tuple(plan.steps(lengths, seed=seed, epoch=epoch, global_batch=4, pool=2).ravel())

    assert order(3, 7) == order(3, 7)
    pairs = list(itertools.product(range(4), range(4)))
    assert len({order(*pair) for pair in pairs}) == len(pairs)


def test_a_known_order():
    """The order of a run may not change between machines or versions."""
    steps = plan.steps(np.array([5, 1, 4, 2, 3, 6, 7]), seed=1, epoch=2, global_batch=3, pool=1)
    assert steps.tolist() == [[1, 3, 2], [0, 5, 6], [4, 0, 5]]


def test_steps_hold_similar_lengths():
    random = np.random.default_rng(0)
    lengths = random.integers(1, 10_000, 6400)
    steps = plan.steps(lengths, seed=0, epoch=0, global_batch=16, pool=64)
    padded = lengths[steps].max(1) * 16
    assert padded.sum() / lengths[steps].sum() < 1.03
    plain = plan.steps(lengths * 0, seed=0, epoch=0, global_batch=16)
    assert (lengths[plain].max(1) * 16).sum() / lengths[plain].sum() > 1.5


def test_equal_lengths_are_shuffled_well():
    """Neighbours of one epoch are no neighbours of the next."""
    first, second = (
        plan.steps(np.zeros(1000), seed=0, epoch=epoch, global_batch=10) for epoch in (0, 1)
    )
    together = {pair for step in first for pair in itertools.permutations(step.tolist(), 2)}
    again = {pair for step in second for pair in itertools.permutations(step.tolist(), 2)}
    assert len(together & again) / len(together) < 0.05  # 9 / 999 by chance
    assert np.corrcoef(first.ravel(), np.arange(1000))[0, 1] < 0.1


def test_steps_are_not_in_the_order_of_their_lengths():
    lengths = np.arange(6400)
    steps = plan.steps(lengths, seed=0, epoch=0, global_batch=16, pool=64)
    assert abs(np.corrcoef(steps[:, 0], np.arange(400))[0, 1]) < 0.2


@given(st.integers(1, 200), st.integers(1, 16), st.integers(1, 50))
def test_micro_batches_cover_the_step_evenly(global_batch, world, limit):
    if global_batch % world:
        with pytest.raises(Refusal, match=f"global_batch {global_batch} .* {world} devices"):
            plan.micro_batches(global_batch, world, limit)
        return
    size, count = plan.micro_batches(global_batch, world, limit)
    assert size * count * world == global_batch
    assert 1 <= size <= limit
    larger = range(size + 1, min(limit, global_batch // world) + 1)
    assert all(global_batch // world % other for other in larger)


@pytest.mark.parametrize("numbers", [(0, 1, 1), (1, 0, 1), (1, 1, 0), (-4, 1, 1)])
def test_micro_batches_of_nothing(numbers):
    with pytest.raises(Refusal, match="at least 1"):
        plan.micro_batches(*numbers)


def take(count, **changes):
    options = {"seed": 5, "start_step": 0, "global_batch": 12, "size": 3, "rank": 0, "world": 1}
    options.update(changes)
    return list(itertools.islice(plan.share(np.arange(1, 51), **options), count))


@given(st.integers(0, 17))
@settings(max_examples=20, deadline=None)
def test_starting_later_gives_the_same(step):
    undisturbed = take(4 * 20)
    assert take(8, start_step=step) == undisturbed[4 * step : 4 * step + 8]


def test_devices_together_cover_what_one_does():
    alone = sorted(itertools.chain.from_iterable(take(4 * 11)))
    for world, size in ((2, 3), (4, 3), (2, 2), (6, 1), (1, 12)):
        each = 11 * 12 // world // size
        ranks = [take(each, world=world, rank=rank, size=size) for rank in range(world)]
        shared = itertools.chain.from_iterable(itertools.chain.from_iterable(ranks))
        assert sorted(shared) == alone
        steps = [[places[0][0] for places in batches] for batches in ranks]
        assert all(steps[0] == other for other in steps)  # no device runs ahead


def test_a_step_never_spans_two_epochs():
    for places in take(4 * 15):
        assert len({step for step, _, _ in places}) == 1
    rows = [row for places in take(4 * 5) for _, _, row in places]  # 50 rows are 5 steps
    assert set(rows) == set(range(50))


def test_keys():
    assert plan.key(1, 23) != plan.key(12, 3) != plan.key("12", 3)
    assert plan.key("a", "b") != plan.key("ab") != plan.key('a", "b')
    assert plan.key(np.int64(7)) == plan.key(7)
    assert all(0 <= plan.key(number) < 1 << 63 for number in range(1000))
    assert len({plan.key(seed, step) for seed in range(100) for step in range(100)}) == 10_000
    assert plan.key(0, "utterance") == 3907806164927240025


def test_generators():
    first, second = plan.generator(3, "crop"), plan.generator(3, "crop")
    assert first.random(5).tolist() == second.random(5).tolist()
    assert plan.generator(3, "crop").random() != plan.generator(3, "remix").random()
    means = [plan.generator(number).random() for number in range(2000)]
    assert abs(np.mean(means) - 0.5) < 0.03  # 0.29 / sqrt(2000) = 0.0065


def test_a_time_is_uniform_at_every_position_and_one_step_says_nothing_of_the_next():
    times = np.array([[plan.time(4, step, p, 6) for p in range(6)] for step in range(2000)])
    assert (times >= 0).all()
    assert (times < 1).all()
    empirical = np.arange(1, 2001) / 2000
    for column in times.T:  # Kolmogorov and Smirnov: 1.63 / sqrt(2000) is exceeded once in 100
        assert np.abs(np.sort(column) - empirical).max() < 1.63 / 2000**0.5
    assert abs(np.corrcoef(times[1:, 0], times[:-1, 0])[0, 1]) < 0.07
    np.testing.assert_allclose(np.diff(np.sort(times), axis=1), 1 / 6)
    assert plan.time(4, 1, 0, 6) != plan.time(5, 1, 0, 6)


def test_means_over_a_step_vary_less_than_with_independent_times():
    """Of a smooth function with unlike ends by 1 / n in the variance; at least a tenth here."""
    steps = np.array([[plan.time(0, step, p, 16) for p in range(16)] for step in range(300)])
    alone = np.random.default_rng(0).random((300, 16))
    for loss in (np.exp, np.square, lambda u: np.sin(2 * np.pi * u), lambda u: (u > 0.37) * 1.0):
        spread, mean, right = loss(steps).mean(1).std(), loss(steps).mean(), loss(alone).mean()
        assert spread < 0.35 * loss(alone).mean(1).std()
        assert abs(mean - right) < 4 * loss(alone).std() / 4800**0.5


def test_another_process_plans_the_same():
    code = (
        "from diffaudio.data import plan; print(plan.key('x', 1), plan.generator(9).integers(1e9))"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.split() == [str(plan.key("x", 1)), str(plan.generator(9).integers(1e9))]


def test_no_torch():
    code = (
        "import sys, diffaudio.data.plan, diffaudio.data.prepare; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
