"""Multistep solvers against the papers' own formulas, and what they remember."""

import math

import pytest
import torch

from diffaudio.log import Refusal
from diffaudio.process import OUVE, VE, RectifiedFlow
from diffaudio.solve import LMS, DPMSolverMultistep, Past, Problem, UniPC


def no_noise():
    raise AssertionError("a deterministic step draws nothing")


def problem_of(path, denoise, noise=no_noise):
    return Problem(denoise, path, noise, 99)


def run(solver, path, times, answers, z):
    """Return all states of a run whose network gives these answers in turn."""
    queue, memory, states = list(answers), (), [z]
    knots = path.at(torch.tensor(times, dtype=torch.float64)).knots()
    problem = problem_of(path, lambda z, at: queue.pop(0))
    for now, then in zip(knots, knots[1:], strict=False):
        z, memory = solver.step(problem, z, now, then, memory)
        states.append(z)
    return states, knots


def draws(n):
    torch.manual_seed(0)
    return torch.randn(n, 1, 1, 2, 5, dtype=torch.float64)


@pytest.mark.parametrize("path", [VE(), OUVE(), RectifiedFlow()], ids=str)
def test_2m_is_the_published_one_with_all_of_the_weight(path):
    """x' = (S / s) x - A (e^-h - 1) D + A ((e^-h - 1) / h + 1) (D - D') / r, r = h' / h.

    Lu et al., DPM-Solver++, 2022, the expansion before algorithm 2 drops terms of h^3.
    """
    z, *answers = draws(3)
    (_, first, second), (a, b, c) = run(DPMSolverMultistep(), path, [0.9, 0.5, 0.2], answers, z)
    h1, h2 = b.log_snr - a.log_snr, c.log_snr - b.log_snr
    published = b.sigma / a.sigma * z - b.alpha * torch.expm1(-h1) * answers[0]
    torch.testing.assert_close(first, published, rtol=0, atol=1e-12)
    slope = (answers[1] - answers[0]) / (h1 / h2)
    published = c.sigma / b.sigma * first - c.alpha * torch.expm1(-h2) * answers[1]
    published = published + c.alpha * (torch.expm1(-h2) / h2 + 1) * slope
    torch.testing.assert_close(second, published, rtol=0, atol=1e-12)


def test_2m_sde_is_the_published_one():
    """k-diffusion's 2M SDE of type heun, eta = 1, on VE: the solution of the reverse diffusion."""
    z, one, two, noise = draws(4)
    a, b, c = VE().at(torch.tensor([0.9, 0.5, 0.2], dtype=torch.float64)).knots()
    problem = problem_of(VE(), lambda z, at: two, lambda: noise)
    memory = (Past(a, z, one),)
    ours, _ = DPMSolverMultistep(2, eta=1.0).step(problem, z, b, c, memory)
    h, r = c.log_snr - b.log_snr, (b.log_snr - a.log_snr) / (c.log_snr - b.log_snr)
    published = c.sigma / b.sigma * torch.exp(-h) * z - torch.expm1(-2 * h) * two
    published = published + (torch.expm1(-2 * h) / (2 * h) + 1) * (two - one) / r
    published = published + c.sigma * torch.sqrt(-torch.expm1(-2 * h)) * noise
    torch.testing.assert_close(ours, published, rtol=0, atol=1e-12)


def test_lms_on_equal_steps_is_adams_bashforth():
    """On VE z moves by the noise: weights 23, -16, 5 over 12, whatever the noise level."""
    z, *answers = draws(4)
    states, knots = run(LMS(3), VE(), [0.9, 0.7, 0.5, 0.3], answers, z)
    eps = [knot.eps(state, x0) for knot, state, x0 in zip(knots, states, answers, strict=False)]
    published = states[2] - 0.2 * (23 * eps[2] - 16 * eps[1] + 5 * eps[0]) / 12
    torch.testing.assert_close(states[3], published, rtol=0, atol=1e-12)


def test_unipc_corrects_with_the_answer_at_the_predicted_state():
    """UniC-1 with all of the weight, written out; the next prediction starts from it."""
    path = VE()
    z, *answers = draws(3)
    (_, first, second), (a, b, c) = run(UniPC(1, over="log_snr"), path, [0.9, 0.5, 0.2], answers, z)
    h = (b.log_snr - a.log_snr).item()
    ddim = b.sigma / a.sigma * z - b.alpha * math.expm1(-h) * answers[0]
    torch.testing.assert_close(first, ddim)
    corrected = ddim + b.alpha * (math.expm1(-h) / h + 1) * (answers[1] - answers[0])
    h = (c.log_snr - b.log_snr).item()
    published = c.sigma / b.sigma * corrected - c.alpha * math.expm1(-h) * answers[1]
    torch.testing.assert_close(second, published, rtol=0, atol=1e-12)


def test_more_calls_have_more_answers_unless_their_number_is_given():
    assert UniPC().plan(10) == (UniPC(2),) * 9
    assert UniPC().plan(11) == (UniPC(3),) * 10
    assert UniPC(1).plan(11) == (UniPC(1),) * 10


def test_pure_noise_is_remembered_at_alpha_over_sigma_0():
    """There z / sigma moves by D d(alpha / sigma): two steps of Adams and Bashforth."""
    z, *answers = draws(3)
    states, knots = run(DPMSolverMultistep(), RectifiedFlow(), [1.0, 0.6, 0.3], answers, z)
    s = [(1 - t) / t for t in (1.0, 0.6, 0.3)]
    torch.testing.assert_close(states[1] / 0.6, z + s[1] * answers[0])
    bent = answers[1] + (answers[1] - answers[0]) * (s[2] - s[1]) / (2 * s[1])
    torch.testing.assert_close(states[2] / 0.3, states[1] / 0.6 + (s[2] - s[1]) * bent)
    assert knots[0].log_snr == -math.inf


def test_the_network_s_own_answers_are_remembered_and_no_more_than_needed():
    z, *answers = draws(5)
    memory, path = (), VE()
    knots = path.at(torch.tensor([3.0, 2.0, 1.0, 0.5], dtype=torch.float64)).knots()
    problem = problem_of(path, lambda z, at, queue=answers: queue[knots.index(at)])
    for now, then in zip(knots, knots[1:], strict=False):
        z, memory = DPMSolverMultistep(2).step(problem, z, now, then, memory)
    assert [past.at for past in memory] == knots[2:0:-1]
    torch.testing.assert_close(memory[0].answer, answers[2])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: DPMSolverMultistep(4),
        lambda: DPMSolverMultistep(eta=1.5),
        lambda: DPMSolverMultistep(predict="eps", eta=0.5),
        lambda: UniPC(0),
        lambda: UniPC(2, "eps", "flow"),
        lambda: LMS(5),
    ],
)
def test_what_is_not_offered_is_refused(wrong):
    with pytest.raises(Refusal, match="order|eta|over"):
        wrong()
