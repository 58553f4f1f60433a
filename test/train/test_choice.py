from dataclasses import replace

import pytest

from diffaudio.data.audio import AudioSpec
from diffaudio.log import Refusal
from diffaudio.metrics import METRICS
from diffaudio.train import choice


def audio(rate=16000, given="noisy"):
    return AudioSpec(rate=rate, target="clean", given=given)


@pytest.fixture(autouse=True)
def absent(monkeypatch):
    """Let every metric be installed, and return a function that takes some away."""

    def need(packages, names):
        for name in names:
            monkeypatch.setitem(METRICS, name, replace(METRICS[name], packages=packages))

    need((), METRICS)
    return lambda *names: need(("no_such_package",), names)


def test_the_chosen_one_is_measured_beside_the_usual_ones_if_the_rate_fits():
    def names(*asked):
        return [metric.name for metric in choice.measured(*asked)]

    assert names("SI-SDR", audio(8000)) == ["SI-SDR", "ESTOI"]
    assert names(choice.LOSS, audio()) == ["SI-SDR", "PESQ", "ESTOI"]
    assert names("DNSMOS", audio())[-1] == "DNSMOS"


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("PSEQ", "did you mean PESQ?"),
        ("Loss", "did you mean loss?"),
        ("si_sdr", "did you mean SI-SDR?"),
        ("quality", "one of: CER, DNSMOS,"),
    ],
)
def test_a_misspelt_one_is_refused_with_what_was_meant(name, mend):
    with pytest.raises(Refusal, match=f"train.valid_metric: no metric '{name}'") as caught:
        choice.check(name, audio())
    assert mend in caught.value.mend


@pytest.mark.parametrize("name", ["WER", "MCD"])
def test_one_of_what_is_said_cannot_choose(name):
    with pytest.raises(Refusal, match=f"{name} is of what is said"):
        choice.check(name, audio())


def test_one_that_cannot_be_computed_is_refused_only_if_it_chooses(absent):
    absent("PESQ", "ESTOI")
    with pytest.raises(Refusal, match="PESQ cannot be computed here\n") as caught:
        choice.check("PESQ", audio())
    assert caught.value.mend == "choose SI-SDR or loss, or pip install pesq"
    with pytest.raises(Refusal, match=r"it needs 16000 Hz, audio.rate is 8000\)"):
        choice.measured("PESQ", audio(8000))
    assert [metric.name for metric in choice.measured("SI-SDR", audio())] == ["SI-SDR"]


def test_what_is_generated_from_nothing_has_no_reference():
    assert choice.measured(choice.LOSS, audio(given=None)) == []
    with pytest.raises(Refusal, match="SI-SDR compares with a reference, but nothing is given"):
        choice.check("SI-SDR", audio(given=None))
