import numpy as np

from diffaudio.data.batch import Item, collate


def test_collate_pads_with_zeros():
    items = [
        Item(f"i{n}", {"clean": np.full((n, 2), n, np.float32)}, key=n, step=7) for n in (3, 5, 1)
    ]
    batch = collate(items, grid=4)
    assert batch.audio["clean"].shape == (3, 2, 8)
    assert batch.samples.tolist() == [3, 5, 1]
    assert (batch.ids, batch.keys, batch.step) == (["i3", "i5", "i1"], [3, 5, 1], 7)
    for row, n in zip(batch.audio["clean"], (3, 5, 1), strict=True):
        assert (row[:, :n] == n).all()
        assert (row[:, n:] == 0).all()


def test_to_moves_every_tensor():
    item = Item("a", {"clean": np.ones((4, 1), np.float32)}, key=1, step=2, time=0.5)
    batch = collate([item], grid=1)
    moved = batch.to("meta")
    assert moved.audio["clean"].is_meta
    assert moved.samples.is_meta
    assert moved.times.is_meta
    assert (moved.ids, moved.keys, moved.step) == (["a"], [1], 2)
    assert not batch.audio["clean"].is_meta
