from __future__ import annotations

from dataclasses import replace

from diffaudio.files import digest
from diffaudio.score.request import configuration, trained


def test_the_configuration_is_that_of_decoding_or_else_of_training(request_):
    assert configuration(request_) == "train: {seed: 5}\n"
    (request_.wavs / "config.yaml").write_text("decode: {}\n")
    assert configuration(request_) == "decode: {}\n"
    nowhere = replace(request_, wavs=request_.exp / "none", exp=request_.exp / "none")
    assert configuration(nowhere) == "not recorded"


def test_training_is_an_input_where_it_is_known(request_):
    path = request_.exp / "config.yaml"
    assert trained(request_) == {str(path): digest(path)}
    path.unlink()
    assert trained(request_) == {}
