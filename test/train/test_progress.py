"""Names of checkpoints."""

from diffaudio.train.progress import Progress


def test_names_sort_as_steps_do():
    names = [Progress(step).name for step in (0, 9, 10, 999, 36_000, 1_000_000)]
    assert names == sorted(set(names))
