"""DPM-Solver++(2M) against the paper's own formula, and what it remembers."""

import torch

from diffaudio.process import OUVE, VE, RectifiedFlow
from diffaudio.solve import DDIM, DPMpp2M


def no_noise():
    raise AssertionError("a deterministic step draws nothing")


def test_two_steps_are_the_published_ones():
    """Lu et al., 2022, algorithm 2: x' = (S / sigma) x - A (exp(-h) - 1) D_bent."""
    torch.manual_seed(0)
    z = torch.randn(1, 1, 2, 5, dtype=torch.float64)
    answers = [torch.randn_like(z), torch.randn_like(z)]
    for path in (VE(), OUVE(), RectifiedFlow()):
        queue, memory, ours = list(answers), (), z
        knots = path.at(torch.tensor([0.9, 0.5, 0.2], dtype=torch.float64)).knots()
        for now, then in zip(knots, knots[1:], strict=False):
            ours, memory = DPMpp2M().step(
                lambda z, t, queue=queue: queue.pop(0), ours, now, then, memory, no_noise
            )
        a, b, c = knots
        h1, h2 = b.log_snr - a.log_snr, c.log_snr - b.log_snr
        r = h1 / h2
        first = b.sigma / a.sigma * z - b.alpha * torch.expm1(-h1) * answers[0]
        bent = (1 + 1 / (2 * r)) * answers[1] - 1 / (2 * r) * answers[0]
        second = c.sigma / b.sigma * first - c.alpha * torch.expm1(-h2) * bent
        torch.testing.assert_close(ours, second, rtol=0, atol=1e-12)


def test_first_step_and_a_step_after_pure_noise_are_ddim():
    path = RectifiedFlow()  # alpha = 0 at t = 1: half-log-SNR -inf
    knots = path.at(torch.tensor([1.0, 0.6, 0.3], dtype=torch.float64)).knots()
    z, memory, plain = torch.ones(1, 1, 1, 3, dtype=torch.float64), (), None
    plain = z
    for now, then in zip(knots, knots[1:], strict=False):
        z, memory = DPMpp2M().step(lambda z, t: z * t, z, now, then, memory, no_noise)
        plain, _ = DDIM().step(lambda z, t: z * t, plain, now, then, (), no_noise)
        torch.testing.assert_close(z, plain)


def test_it_remembers_the_last_estimate_only():
    now, then = VE().at(torch.tensor([2.0, 1.0], dtype=torch.float64)).knots()
    z = torch.ones(1, 1, 1, 3, dtype=torch.float64)
    old = ((torch.tensor(-2.0).double(), 5 * z),)
    _, memory = DPMpp2M().step(lambda z, t: 0.5 * z, z, now, then, old, no_noise)
    ((log_snr, estimate),) = memory
    assert log_snr == now.log_snr
    torch.testing.assert_close(estimate, 0.5 * z)  # the network's own, not the bent one
