"""What a slice holds; what becomes of it is tested with the whole stage in test_stage.py."""

import numpy as np
import pytest

from diffaudio import weights
from diffaudio.data.index import Index
from diffaudio.decode import slices
from diffaudio.decode.configuration import read_config
from diffaudio.files import write_json
from diffaudio.model import Model


@pytest.mark.parametrize("least", [1, 7, 100, 10**6])
def test_slices_hold_every_row_once_in_order(least):
    samples = np.random.default_rng(0).integers(1, 50, 200)
    parts = slices.slices(samples, least)
    assert [row for part in parts for row in part] == list(range(200))
    assert all(part for part in parts)
    assert slices.slices(samples[:0], least) == []


def test_a_model_that_is_given_nothing_makes_each_row_as_long_as_its_target(
    tiny_exp, tiny_dump, loaded, tmp_path
):
    text = (tiny_exp / "config.yaml").read_text()
    start, end = text.index("  path:"), text.index("  target:\n    class")
    text = text[:start] + "  path: {class_path: diffaudio.process.RectifiedFlow}\n" + text[end:]
    text = text.replace("  given: noisy\n", "").replace("given: beside", "given: none")
    (tmp_path / "config.yaml").write_text(text)
    config = read_config(tmp_path / "config.yaml")
    model = config.build(Model)
    files = {weights.MODEL: weights.write_weights(tmp_path / weights.MODEL, model.state_dict())}
    write_json(tmp_path / weights.STATE, {"files": files})
    index = Index.open(tiny_dump / "dump/test")
    found = slices._decoded(loaded(tmp_path), index, list(range(len(index))))
    made = {name: one.sound for name, one in found}
    assert {name: len(x) for name, x in made.items()} == {
        index.id(row): index.samples[row] for row in range(len(index))
    }
    assert np.abs(made["a"][:400] - made["d"][:400]).max() > 1e-3  # each id has its own noise
