"""The prior of a text: its alignment, its plan, and that an item is its own in any batch."""

from dataclasses import replace

import pytest
import torch

from diffaudio.codec import LogMel, MelSpec
from diffaudio.data.batch import Batch
from diffaudio.log import Refusal
from diffaudio.model import Model
from diffaudio.nets import UNet2d
from diffaudio.prior import TextPrior, cut_segment
from diffaudio.process import ClassifierFree, Objective, RectifiedFlow, Uniform, Velocity
from diffaudio.solve import DDIM, Sampler, UniformGrid
from diffaudio.text import Characters, FrontEnd

TEXTS = ["abca", "cab", "bacabacab"]


LETTERS = FrontEnd(Characters("abc"), normalise="none")


def prior(bins=6):
    torch.manual_seed(0)
    made = TextPrior(bins, front_end=LETTERS, width=16, depth=2, heads=2)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return made.eval()


def spoken(made, texts, repeats):
    """States whose frames are the prior's own means, each symbol so many frames long."""
    with torch.no_grad():
        ids, tokens = made._numbered(made._read({"text": texts}))
        means, _ = made._encoded(ids, tokens)
    rows = [
        mean[:, :n].repeat_interleave(repeats, 1) for mean, n in zip(means, tokens, strict=True)
    ]
    frames = torch.tensor([row.shape[1] for row in rows])
    state = torch.zeros(len(rows), 1, means.shape[1], int(frames.max()))
    for item, row in zip(state, rows, strict=True):
        item[0, :, : row.shape[1]] = row
    return state, frames


def test_frames_that_are_the_means_are_aligned_as_they_were_laid_out():
    made = prior()
    state, frames = spoken(made, TEXTS, 4)
    plan, losses = made({"text": TEXTS}, state, frames)
    assert losses["prior"].max() < 1e-8
    torch.testing.assert_close(plan.y, state, atol=1e-5, rtol=1e-5)
    for row, text in zip(plan.durations, TEXTS, strict=True):
        assert row[: len(text)].sum() == 4 * len(text)
        assert row[len(text) :].sum() == 0


def test_durations_are_learned_as_logarithms_of_frames():
    made = prior()
    state, frames = spoken(made, TEXTS, 5)
    with torch.no_grad():
        made.duration.last.weight.zero_()
        made.duration.last.bias.fill_(torch.log(torch.tensor(5.0)))
    plan, losses = made({"text": TEXTS}, state, frames)
    wanted = [
        (row[row > 0].log() - torch.log(torch.tensor(5.0))).square().mean().item()
        for row in plan.durations.double()
    ]
    assert losses["duration"].tolist() == pytest.approx(wanted, abs=1e-5)
    plan = made.plan({"text": TEXTS})
    assert plan.frames.tolist() == [5 * len(text) for text in TEXTS]
    slower = made.plan({"text": TEXTS}, length_scale=2.0)
    assert slower.frames.tolist() == [10 * len(text) for text in TEXTS]


def test_an_item_is_its_own_in_any_batch():
    made = prior()
    state, frames = spoken(made, TEXTS, 3)
    together, losses = made({"text": TEXTS}, state, frames)
    planned = made.plan({"text": TEXTS})
    for row, text in enumerate(TEXTS):
        n = int(frames[row])
        alone, own = made({"text": [text]}, state[row : row + 1, ..., :n], frames[row : row + 1])
        torch.testing.assert_close(alone.y[0], together.y[row, ..., :n], atol=1e-5, rtol=1e-4)
        for name in own:
            torch.testing.assert_close(own[name][0], losses[name][row], atol=1e-6, rtol=1e-4)
        alone = made.plan({"text": [text]})
        assert alone.frames[0] == planned.frames[row]
        torch.testing.assert_close(
            alone.y[0], planned.y[row, ..., : alone.frames[0]], atol=1e-5, rtol=1e-4
        )


def test_durations_do_not_bend_the_encoder():
    made = prior()
    state, frames = spoken(made, TEXTS, 3)
    _, losses = made({"text": TEXTS}, state, frames)
    losses["duration"].sum().backward()
    assert made.duration.last.weight.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in made.encoder.parameters())


def model(segment=None, drop=0.0, states=0):
    torch.manual_seed(0)
    mel = MelSpec(rate=8000, n_fft=256, hop=80, bands=8)

    def net(inputs, outputs, bins):
        return UNet2d(inputs, outputs, bins, widths=(8, 16), strides=((2, 2),), depth=1)

    made = Model(
        LogMel(mel),
        RectifiedFlow(),
        Velocity(),
        net,
        Objective(times=Uniform(), segment=segment),
        given="beside",
        prior=lambda bins: TextPrior(
            bins, front_end=LETTERS, width=16, depth=1, drop=drop, states=states
        ),
    )
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return made.eval()


def batch(texts, samples=(4000, 3000, 6000)):
    audio = torch.zeros(len(texts), 1, max(samples))
    for row, n in enumerate(samples):
        audio[row, :, :n] = 0.1 * torch.randn(n, generator=torch.Generator().manual_seed(n))
    lengths = torch.tensor(samples)
    keys = [100 + n for n in samples]
    names = [str(n) for n in samples]
    return Batch(names, {"speech": audio}, lengths, keys, 0, {"text": list(texts)})


@pytest.mark.parametrize(("segment", "states"), [(None, 0), (0.2, 2)])
def test_loss_of_an_item_is_its_own_and_reaches_every_parameter(segment, states):
    made = model(segment, states=states)
    together, parts = made(batch(TEXTS))
    assert set(parts) == {"state", "prior", "duration", *(["aligner"] * (states > 0))}
    for row, (text, samples) in enumerate(zip(TEXTS, (4000, 3000, 6000), strict=True)):
        alone, _ = made(batch([text], (samples,)))
        torch.testing.assert_close(alone[0], together[row], rtol=1e-4, atol=1e-5)
    together.sum().backward()
    missed = [name for name, one in made.named_parameters() if one.grad is None]
    assert not missed


def test_a_segment_is_a_part_of_each_item_and_moves_with_its_key():
    made, one = model(), batch(TEXTS)
    x0 = torch.arange(100.0).expand(3, 1, 8, 100)
    plan = made.plan({"text": TEXTS})._replace(y=-x0, frames=torch.tensor([100, 60, 5]))
    cut, y, frames = cut_segment(one.keys, x0, plan, 20)
    assert frames.tolist() == [20, 20, 5]
    assert torch.equal(cut, -y)
    firsts = cut[:, 0, 0, 0].tolist()
    assert firsts[2] == 0
    assert 0 <= firsts[1] <= 40
    assert torch.equal(cut[0, 0, 0], firsts[0] + torch.arange(20.0))
    moved, _, _ = cut_segment([7, 8, 9], x0, plan, 20)
    assert moved[:, 0, 0, 0].tolist() != firsts


def test_a_text_becomes_audio_as_long_as_its_plan():
    made = model()
    plan = made.plan({"text": TEXTS})
    samples = made.codec.samples(plan.frames)
    assert torch.equal(made.codec.frames(samples), plan.frames)
    sampler = Sampler(DDIM(), UniformGrid(), 2)
    with torch.no_grad():
        audio = made.generate(plan, samples, [1, 2, 3], sampler, fields={"text": TEXTS})
        alone_plan = made.plan({"text": TEXTS[1:2]})
        alone = made.generate(alone_plan, samples[1:2], [2], sampler, fields={"text": TEXTS[1:2]})
    assert audio.shape == (3, 1, samples.max())
    torch.testing.assert_close(alone[0], audio[1, :, : samples[1]], atol=1e-4, rtol=1e-3)


def test_without_a_plan_or_a_place_for_it_is_refused():
    with pytest.raises(Refusal, match="a voice: it is given a text"):
        model().generate(None, torch.tensor([800]), [1], Sampler(DDIM(), UniformGrid(), 1))
    with pytest.raises(Refusal, match=r"model\.prior: with given none"):
        Model(
            LogMel(MelSpec(rate=8000)),
            RectifiedFlow(),
            Velocity(),
            UNet2d,
            Objective(times=Uniform()),
            prior=lambda bins: TextPrior(bins, front_end=LETTERS),
        )


def shown(made):
    """What the denoiser's network is shown beside the state, call by call."""
    seen = []
    made.denoiser.net.register_forward_pre_hook(lambda _, args: seen.append(args[0][:, 1:]))
    return seen


def test_a_share_of_training_items_is_shown_no_means_and_those_that_are_scored_all():
    made, one = model(drop=0.2).train(), batch(TEXTS)
    seen = shown(made)
    for step in range(40):
        one.keys = [3 * step, 3 * step + 1, 3 * step + 2]
        with torch.no_grad():
            made(one)
    hidden = sum((y.abs().amax((1, 2, 3)) == 0).sum().item() for y in seen)
    assert 12 <= hidden <= 36  # 24 of 120, deviation 4.4
    seen.clear()
    made.eval()(one)
    assert all((y.abs().amax((1, 2, 3)) > 0).all() for y in seen)


def test_guidance_leads_away_from_the_answer_to_no_means():
    made, sampler = model(drop=0.2), Sampler(DDIM(), UniformGrid(), 1)
    plan = made.plan({"text": TEXTS})
    samples = made.codec.samples(plan.frames)
    seen = shown(made)

    def run(plan, guidance=None):
        return made.sample(plan, samples, [1, 2, 3], replace(sampler, guidance=guidance))

    told, nothing = run(plan), run(plan._replace(y=torch.zeros_like(plan.y)))
    torch.testing.assert_close(run(plan, ClassifierFree(3.0)), nothing + 3.0 * (told - nothing))
    assert seen[-1].shape[0] == 6
    assert seen[-1][3:].abs().max() == 0
    with pytest.raises(Refusal, match=r"model\.prior\.init_args\.drop above 0"):
        model().generate(plan, samples, [1, 2, 3], replace(sampler, guidance=ClassifierFree(3.0)))


def test_a_segment_is_of_what_a_text_is_aligned_with():
    objective = Objective(times=Uniform(), segment=0.5)
    with pytest.raises(Refusal, match="objective.segment: 0.5, but no text is aligned"):
        Model(LogMel(MelSpec(rate=8000)), RectifiedFlow(), Velocity(), UNet2d, objective)


def test_dropout_leaves_out_in_training_alone():
    torch.manual_seed(0)
    made = TextPrior(6, front_end=LETTERS, width=16, depth=2, heads=2, dropout=0.3)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    ids, tokens = made._numbered(made._read({"text": TEXTS}))
    one, other = (made.train()._encoded(ids, tokens) for _ in range(2))
    assert not torch.equal(one[0], other[0])
    assert not torch.equal(one[1], other[1])
    one, other = (made.eval()._encoded(ids, tokens) for _ in range(2))
    assert torch.equal(one[0], other[0])
    plain = TextPrior(6, front_end=LETTERS, width=16, depth=2, heads=2)
    plain.load_state_dict(made.state_dict())
    assert torch.equal(plain.train()._encoded(ids, tokens)[0], one[0])
