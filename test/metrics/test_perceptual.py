from __future__ import annotations

import numpy as np
import pytest

from diffaudio.metrics import METRICS, Unmeasurable

RATE = 16000


def speech_like(seconds: float) -> np.ndarray:
    """Bursts of harmonics with pauses: enough for PESQ and ESTOI to find utterances."""
    t = np.arange(int(seconds * RATE)) / RATE
    voice = sum(np.sin(2 * np.pi * 140 * k * t + k) / k for k in range(1, 25))
    return (0.05 * voice * (np.sin(2 * np.pi * 1.3 * t) > -0.5)).astype(np.float32)


@pytest.fixture
def pair():
    clean = speech_like(2.0)
    rng = np.random.default_rng(0)
    return clean + 0.02 * rng.standard_normal(len(clean)).astype(np.float32), clean


def test_pesq_is_the_wheels_value(pair):
    pesq = pytest.importorskip("pesq")
    assert METRICS["PESQ"].measure(*pair, RATE) == pesq.pesq(RATE, pair[1], pair[0], "wb")


@pytest.mark.parametrize(
    ("estimate", "reference", "reason"),
    [
        (speech_like(2), np.zeros(2 * RATE, np.float32), "No utterances"),
        (np.zeros(2 * RATE, np.float32), speech_like(2), "estimate is silent"),
        (speech_like(0.2), speech_like(0.2), "1/4 of a second"),
    ],
)
def test_pesq_says_why_it_has_no_value(estimate, reference, reason):
    pytest.importorskip("pesq")
    with pytest.raises(Unmeasurable, match=reason):
        METRICS["PESQ"].measure(estimate, reference, RATE)


def test_estoi_is_the_wheels_value_and_repeats_on_silence(pair):
    pystoi = pytest.importorskip("pystoi")
    metric = METRICS["ESTOI"]
    expected = pystoi.stoi(pair[1], pair[0], RATE, extended=True)
    assert metric.measure(*pair, RATE) == pytest.approx(expected, abs=1e-9)
    assert metric.measure(pair[1], pair[1], RATE) == pytest.approx(1.0, abs=1e-6)
    silence = np.zeros_like(pair[1])
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    assert metric.measure(silence, pair[1], RATE) == metric.measure(silence, pair[1], RATE)
    assert (np.random.get_state()[1] == before).all()  # nobody else's draws are touched


def test_estoi_needs_speech():
    pytest.importorskip("pystoi")
    short = speech_like(0.3)
    with pytest.raises(Unmeasurable, match="less than 0.4 s of speech"):
        METRICS["ESTOI"].measure(short, short, RATE)


def test_dnsmos_prefers_the_clean_one_and_takes_loud_input(pair):
    pytest.importorskip("onnxruntime")
    metric = METRICS["DNSMOS-P808"]
    first, second = (np.tile(x, 5)[: int(9.2 * RATE)] for x in pair)  # one look each
    noisy, clean = (metric.measure(x, x, RATE) for x in (first, second))
    assert 1 < noisy < clean < 5
    loud = second * np.float32(3 / np.abs(second).max())
    full = loud / np.abs(loud).max()
    assert metric.measure(loud, loud, RATE) == pytest.approx(metric.measure(full, full, RATE))


@pytest.mark.slow  # the package's own features need 20 s to import
@pytest.mark.parametrize("seconds", [1.7, 9.5, 14.2])
def test_dnsmos_is_the_packages_value(seconds):
    dnsmos = pytest.importorskip("speechmos.dnsmos")
    clean = speech_like(seconds)
    noise = np.random.default_rng(0).standard_normal(len(clean)).astype(np.float32)
    estimate = clean + np.float32(0.01) * noise
    expected = dnsmos.run(estimate, RATE)
    for name, column in (
        ("DNSMOS", "ovrl_mos"),
        ("DNSMOS-SIG", "sig_mos"),
        ("DNSMOS-BAK", "bak_mos"),
        ("DNSMOS-P808", "p808_mos"),
    ):
        measured = METRICS[name].measure(estimate, clean, RATE)
        assert measured == pytest.approx(float(expected[column]), abs=1e-5), name


@pytest.mark.slow
def test_distillmos_is_the_packages_value_and_prints_nothing(pair, capsys):
    package = pytest.importorskip("distillmos")
    torch = pytest.importorskip("torch")
    measured = METRICS["DistillMOS"].measure(pair[0], pair[1], RATE)
    assert capsys.readouterr().out == ""
    with torch.no_grad():
        net = package.ConvTransformerSQAModel().eval()
        expected = float(net(torch.from_numpy(pair[0])[None]))
    assert measured == pytest.approx(expected, abs=1e-6)
    assert 1 < measured < 5
