"""Weights against losses written in x_0 and in the noise."""

import pytest
import torch

from diffaudio.process import (
    EDM,
    VE,
    X0,
    Cosine,
    EDMWeight,
    Epsilon,
    Learned,
    MinSNR,
    RectifiedFlow,
    Sigmoid,
    Unit,
    Velocity,
)

TARGETS = [X0(0.5), Epsilon(0.5), Velocity(0.5), EDM(0.5)]


def losses(path, target):
    """Return the path at some times, mean squares of an error in F, in x_0 and in the noise."""
    torch.manual_seed(0)
    x0, eps, off = torch.randn(3, 6, 1, 2, 8, dtype=torch.float64)
    t = torch.linspace(0.15, 0.85, 6, dtype=torch.float64) * path.t_max
    at = path.at(t[:, None, None, None])
    z = at.z(x0, eps)
    answer = target.of(x0, eps, at) + 0.1 * off
    estimate = target.x0(z, answer, at)
    mean = lambda x: x.square().mean((1, 2, 3))  # noqa: E731
    return path.at(t), mean(0.1 * off), mean(estimate - x0), mean(at.eps(z, estimate) - eps)


@pytest.mark.parametrize("path", [VE(t_max=3.0), Cosine(), RectifiedFlow()], ids=str)
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_each_weight_is_what_its_paper_states_whatever_the_network_speaks(path, target):
    at, own, clean, noise = losses(path, target)
    snr = (at.alpha / at.sigma) ** 2
    stated = {
        Unit(): own,
        EDMWeight(0.5): (at.sigma**2 + 0.25 * at.alpha**2) / (at.sigma * 0.5) ** 2 * clean,
        MinSNR(5.0): torch.minimum(torch.ones_like(snr), 5.0 / snr) * noise,
        MinSNR(1.0, soft=True): noise / (1 + snr),
        Sigmoid(0.0): noise / (1 + snr),
        Sigmoid(2.0): torch.sigmoid(2.0 - torch.log(snr)) * noise,
    }
    for weight, right in stated.items():
        torch.testing.assert_close(weight.weigh(own, at, target), right, msg=str(weight))


def test_the_edm_weight_is_unit_weight_of_its_target():
    at, own, *_ = losses(VE(t_max=3.0), EDM(0.5))
    torch.testing.assert_close(EDMWeight(0.5).weigh(own, at, EDM(0.5)), own)


def test_no_weight_is_lost_or_infinite_at_the_ends():
    """At the clean end SNR is infinite; where c_out = 0 x_0 is known and costs nothing."""
    at = RectifiedFlow().at(torch.tensor([0.0, 1.0], dtype=torch.float64))
    for target in (X0(), Velocity(), EDM()):
        for weight in (MinSNR(), MinSNR(soft=True), Sigmoid()):
            assert weight.weigh(torch.ones(2), at, target).isfinite().all()


def test_a_learned_weight_finds_what_is_usual_at_each_noise_level():
    """The minimum of loss exp(-u) + u is u = log(loss): then every level costs 1 + log(loss)."""
    torch.manual_seed(0)
    weight, path = Learned(), Cosine()
    at = path.at(torch.linspace(0.05, 0.95, 32))
    usual = torch.exp(at.log_snr.clamp(-2, 2))
    adam = torch.optim.Adam(weight.parameters(), 0.05)
    for _ in range(400):
        adam.zero_grad()
        weight.weigh(usual, at, X0()).mean().backward()
        adam.step()
    torch.testing.assert_close(
        weight.weigh(usual, at, X0()), 1 + torch.log(usual), rtol=0, atol=0.05
    )


def test_a_learned_weight_starts_as_unit_weight():
    at, own, *_ = losses(Cosine(), X0())
    torch.testing.assert_close(Learned().weigh(own.float(), at, X0()), own.float())
