"""Conditions in a model: every network call sees them, for every solver and every guidance."""

import pytest
import torch
from oracle import SOLVERS
from test_model import batch, build, tiny

from diffaudio.denoiser import Surroundings
from diffaudio.log import Refusal
from diffaudio.nets import BandTransformer, Characters, Labels, Net
from diffaudio.process import (
    VE,
    X0,
    Autoguidance,
    CFGPlusPlus,
    ClassifierFree,
    Composed,
)
from diffaudio.solve import DDIM, LogSNRGrid, Sampler, UniformGrid

NAMES = ["zero", "one", "two"]
GUIDANCE = {
    "none": (None, 1),
    "classifier-free": (ClassifierFree(2.0), 2),
    "interval": (ClassifierFree(2.0, low=0.1, high=10.0), None),
    "rescaled": (ClassifierFree(2.0, rescale=0.7), 2),
    "negative": (ClassifierFree(2.0, negative={"label": "one"}), 2),
    "composed": (Composed(1.0, [{"label": "one"}], [0.5]), 3),
    "autoguidance": (Autoguidance(2.0), 1),
}
ROWS = {  # the vectors of which names each answer must be told; 3 is that of nothing
    "classifier-free": [2, 0, 3, 3],
    "rescaled": [2, 0, 3, 3],
    "negative": [2, 0, 1, 1],
    "composed": [2, 0, 3, 3, 1, 1],
}


class Watching(Net):
    """Remembers the conditions of every call."""

    def __init__(self, inputs, outputs, bins):
        super().__init__()
        self.embedding, self.seen = 4, []
        self.gain = torch.nn.Parameter(torch.tensor(0.5))

    def forward(self, x, c_noise, mask=None, condition=None):
        self.seen.append(condition.vector)
        return self.gain * x


def labels(size):
    return Labels(size, field="label", names=NAMES)


def watched(path=None):
    options = {"given": "none", "level": "none", "net": Watching, "condition": labels}
    model = build(path or VE(), X0(), **options)
    model.denoiser.condition.vectors.weight.data = torch.eye(4)
    return model


def run(model, sampler, labels=("two", "zero"), **options):
    one = batch([0, 2], 3000, given=False)
    fields = {"label": list(labels)}
    return model.generate(None, one.samples, one.keys, sampler, fields=fields, **options)


@pytest.mark.parametrize("name", GUIDANCE)
@pytest.mark.parametrize("solver", SOLVERS, ids=str)
def test_conditions_seen_are_calls_made_are_calls_asked_for(solver, name):
    guidance, answers = GUIDANCE[name]
    model, weaker = watched(), watched()
    calls = 6 if solver.plan(6) else 7
    sampler = Sampler(solver, LogSNRGrid(), calls, guidance)
    run(model, sampler, weaker=weaker if name == "autoguidance" else None)
    assert len(model.denoiser.net.seen) == calls
    assert all(condition is not None for condition in model.denoiser.net.seen)
    for condition in model.denoiser.net.seen:
        rows = condition.argmax(1).tolist()
        assert rows[:2] == [2, 0]
        assert answers is None or len(rows) == 2 * answers
        assert rows == ROWS.get(name, rows)
    if name == "autoguidance":
        assert [seen.argmax(1).tolist() for seen in weaker.denoiser.net.seen] == [[2, 0]] * calls
    if name == "interval":
        assert {len(condition) for condition in model.denoiser.net.seen} == {2, 4}


def test_cfg_plus_plus_asks_for_nothing_at_every_call():
    model = watched()
    run(model, Sampler(DDIM(), LogSNRGrid(), 5, CFGPlusPlus(0.5)))
    assert [seen.argmax(1).tolist() for seen in model.denoiser.net.seen] == [[2, 0, 3, 3]] * 5


def test_guided_answers_are_those_of_separate_calls():
    """Side by side in a batch, or one after the other: the same estimate."""
    options = {"given": "none", "level": "none", "net": tiny, "condition": labels}
    model = build(VE(), X0(), **options)
    one = batch([0, 2], 3000, given=False)
    state = model.codec.encode(one.target)
    here = model.denoiser.path.at(torch.tensor([0.5], dtype=torch.float64)).knots()[0]

    def answers(labels, *others):
        found = model.denoiser.answers(Surroundings(None, None), {"label": labels}, others)
        return found(state, here, 1 + len(others))

    together = answers(["two", "zero"], None, {"label": "one"})
    torch.testing.assert_close(together[0], answers(["two", "zero"])[0])
    torch.testing.assert_close(together[1], answers(["one", "one"], None)[1])
    torch.testing.assert_close(together[2], answers(["one", "one"])[0])
    assert not torch.allclose(together[0], together[1])


def test_a_share_of_training_items_is_told_nothing():
    model = watched().train()
    one = batch([0, 2], 3000, given=False)
    nothing = 0
    for step in range(400):
        one.keys, one.fields = [2 * step, 2 * step + 1], {"label": ["two", "zero"]}
        model(one)
        rows = model.denoiser.net.seen[-1].argmax(1)
        assert all(row in (3, own) for row, own in zip(rows.tolist(), (2, 0), strict=True))
        nothing += (rows == 3).sum().item()
    assert 50 < nothing < 110  # 80 of 800, deviation 8.5


def test_what_is_scored_is_told_everything():
    model = watched().eval()
    one = batch([0, 2], 3000, given=False)
    for step in range(60):
        one.keys, one.fields = [2 * step, 2 * step + 1], {"label": ["two", "zero"]}
        model(one)
    assert all(seen.argmax(1).tolist() == [2, 0] for seen in model.denoiser.net.seen)


def test_mistakes_are_refused_with_what_is_known():
    model, sampler = watched(), Sampler(DDIM(), UniformGrid(), 2)
    with pytest.raises(Refusal, match="label: seven: the model knows zero, one, two"):
        run(model, sampler, labels=("seven", "zero"))
    with pytest.raises(Refusal, match="no weaker model"):
        run(model, Sampler(DDIM(), UniformGrid(), 2, Autoguidance(2.0)))
    lable = {"lable": "one"}
    for guidance in (ClassifierFree(2.0, negative=lable), Composed(1.0, [lable], [1.0])):
        with pytest.raises(Refusal, match="not conditioned on lable") as refused:
            run(model, Sampler(DDIM(), UniformGrid(), 2, guidance))
        assert refused.value.mend == "it is on label"
    plain = build(VE(), X0(), given="none", level="none")
    with pytest.raises(Refusal, match="no condition to be guided by"):
        run(plain, Sampler(DDIM(), UniformGrid(), 2, ClassifierFree(2.0)))
    with pytest.raises(Refusal, match="conditioned on label"):
        model.generate(None, torch.tensor([3000]), [1], sampler)
    with pytest.raises(ValueError, match="twice"):
        Labels(4, field="label", names=["a", "a"])


def test_text_is_attended_to_whatever_the_text_beside_it():
    """Guided by spelling; nothing is one token, so conditions of other lengths share a call."""

    def net(inputs, outputs, bins):
        return BandTransformer(
            inputs, outputs, bins, bands=4, width=16, depth=1, heads=2, cross_attention=True
        )

    def spelled(size):
        return Characters(size, field="label", characters="enorstvwz")

    torch.manual_seed(0)
    model = build(VE(), X0(), given="none", level="none", net=net, condition=spelled)
    for parameter in model.denoiser.net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    sampler = Sampler(DDIM(), LogSNRGrid(), 2, ClassifierFree(2.0))
    first, second = run(model, sampler, ("one", "seven")), run(model, sampler, ("one", "two"))
    torch.testing.assert_close(first[0], second[0], rtol=1e-4, atol=1e-5)
    assert (first[1] - second[1]).abs().max() > 1e-3
