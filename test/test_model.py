"""The model: loss and generation do not depend on the batch; perfect answers give no loss."""

from dataclasses import replace

import pytest
import torch

from diffaudio.codec import CompressedSTFT, Waveform
from diffaudio.data.audio import AudioSpec
from diffaudio.data.batch import Batch
from diffaudio.data.plan import key
from diffaudio.log import Refusal
from diffaudio.model import Model
from diffaudio.nets import Net, UNet2d
from diffaudio.process import (
    EDM,
    OUVE,
    VE,
    X0,
    AtEnd,
    Consistency,
    Epsilon,
    FlowSE,
    LogNormal,
    MeanFlow,
    Objective,
    RectifiedFlow,
    SchroedingerBridgeVE,
    Uniform,
    Velocity,
)
from diffaudio.solve import DDIM, KeyedNoise, PredictorCorrector, Sampler, UniformGrid

LENGTHS = [3000, 4321, 1700, 4000]


def tiny(inputs, outputs, bins):
    return UNet2d(inputs, outputs, bins, widths=(8, 16), strides=((2, 2),), depth=1)


def build(path=None, target=None, **options):
    torch.manual_seed(0)
    options = {"given": "beside", "level": "rms", **options}
    aims = ("times", "weight", "audio_loss", "consistency", "coupled")
    objective = {name: options.pop(name) for name in aims if name in options}
    net = options.pop("net", tiny)
    codec = options.pop("codec", CompressedSTFT(n_fft=128, hop=32))
    aim = Objective(**{"times": Uniform(), **objective})
    model = Model(codec, path or SchroedingerBridgeVE(), target or X0(), net, aim, **options)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return model.eval()


def batch(rows, longest=4321, given=True):
    clean, noisy = torch.zeros(len(rows), 1, longest), torch.zeros(len(rows), 1, longest)
    for i, row in enumerate(rows):
        random = torch.Generator().manual_seed(row)
        clean[i, :, : LENGTHS[row]] = 0.1 * torch.randn(1, LENGTHS[row], generator=random)
        noise = 0.05 * torch.randn(1, LENGTHS[row], generator=random)
        noisy[i, :, : LENGTHS[row]] = clean[i, :, : LENGTHS[row]] + noise
    audio = {"clean": clean, "noisy": noisy} if given else {"clean": clean}
    samples = torch.tensor([LENGTHS[row] for row in rows])
    return Batch([str(row) for row in rows], audio, samples, [100 + row for row in rows], 0)


FORMULATIONS = {
    "bridge": {},
    "bridge-residual": {"given": "residual", "audio_loss": 1.0},
    "regression": {"times": AtEnd(), "given": "residual"},
    "flowse": {"path": FlowSE(), "target": Velocity()},
    "ouve": {"path": OUVE(), "target": Epsilon(), "level": "peak"},
    "edm": {"path": VE(), "target": EDM(), "times": LogNormal(), "level": "none"},
    "flow-wave": {"path": RectifiedFlow(), "target": Velocity(), "codec": Waveform()},
}


@pytest.mark.parametrize("name", FORMULATIONS)
def test_loss_of_an_item_is_its_own(name):
    """Alone, or beside others and padded: the same loss, in every part."""
    model = build(**FORMULATIONS[name])
    together, parts = model(batch([0, 1, 2, 3]))
    for row in range(4):
        alone, _ = model(batch([row], LENGTHS[row]))
        torch.testing.assert_close(together[row : row + 1], alone, rtol=1e-4, atol=1e-5)
    assert set(parts) == {"state"} | ({"audio"} if model.objective.audio_loss else set())
    assert torch.isfinite(together).all()


@pytest.mark.parametrize("name", FORMULATIONS)
def test_output_of_an_item_is_its_own(name):
    model = build(**FORMULATIONS[name])
    pc = name == "ouve"
    solver = PredictorCorrector() if pc else DDIM(eta=0.0 if name == "bridge" else 1.0)
    sampler = Sampler(solver, UniformGrid(), 4)

    def run(rows, longest):
        one = batch(rows, longest)
        return model.generate(one.given, one.samples, one.keys, sampler)

    together = run([2, 0, 3, 1], 4321)
    for place, row in enumerate([2, 0, 3, 1]):
        alone = run([row], LENGTHS[row])[0]
        torch.testing.assert_close(
            together[place][:, : LENGTHS[row]], alone, atol=1e-5 * alone.abs().max(), rtol=1e-4
        )


class Oracle(Net):
    """Knows the clean state and nothing else: it works out its answer from what it is shown.

    So whatever the model does to state, time, given sound and answer must be right, or it fails.
    All formulas are written out here.
    """

    embedding = 4

    def __init__(self, *sizes):
        super().__init__()
        self.change = self.y = self.path = self.target = None
        self.noises, self.times, self.off = [], [], 0.0

    def forward(self, x, c_noise, mask=None, condition=None):
        t = torch.exp(4 * c_noise) if isinstance(self.path, VE) else c_noise
        t = t[:, None, None, None].double()
        alpha, sigma = self.path.alpha(t), self.path.sigma(t)
        channels, sd = self.change.shape[1], self.target.sigma_data
        if self.y is not None:
            torch.testing.assert_close(x[:, channels:] * sd, self.y)
        level = (alpha * sd) ** 2 if isinstance(self.target, EDM) else sd**2
        z = x[:, :channels] * (level + sigma**2).sqrt()
        eps = (z - alpha * self.change) / sigma
        self.noises.append(eps)
        self.times.append(t.flatten())
        return (self.says(t, alpha, sigma, eps) + self.off).to(x)

    def says(self, t, alpha, sigma, eps):
        if isinstance(self.target, X0):
            return self.change
        if isinstance(self.target, Epsilon):
            return eps
        if isinstance(self.target, Velocity):
            h = 1e-5
            slopes = [(f(t + h) - f(t - h)) / (2 * h) for f in (self.path.alpha, self.path.sigma)]
            return slopes[0] * self.change + slopes[1] * eps
        sd = self.target.sigma_data
        scale = ((alpha * sd) ** 2 + sigma**2).sqrt()
        return sigma / (sd * scale) * self.change - alpha * sd / scale * eps


def with_oracle(name, **options):
    """Return a model of one utterance whose network knows the answer, and the utterance."""
    model, one = build(net=Oracle, **{**FORMULATIONS[name], **options}), batch([1])
    net, level = model.denoiser.net, 1.0
    if model.level != "none":
        x = one.given
        level = x.abs().max() if model.level == "peak" else x.square().mean().sqrt()
    if model.has_given:
        net.y = model.codec.encode(one.given / level)
    else:
        one.audio.pop("noisy")
    net.change = model.codec.encode(one.target / level) - (net.y if model.denoiser.residual else 0)
    net.path, net.target = model.denoiser.path, model.denoiser.target
    return model, one, level


def unit_noise(eps):
    """Whether this is standard normal noise: its mean square, and its mean."""
    return 0.95 < eps.square().mean() < 1.05 and abs(eps.mean()) < 0.03


@pytest.mark.parametrize("name", FORMULATIONS)
def test_an_oracle_has_no_loss(name):
    model, one, _ = with_oracle(name, audio_loss=0.5)
    loss, parts = model(one)
    assert loss.item() < 1e-6
    assert parts["audio"].item() < 1e-4
    assert (
        unit_noise(model.denoiser.net.noises[0]) or name == "regression"
    )  # that one sees no noise


@pytest.mark.parametrize("name", FORMULATIONS)
def test_an_answer_that_is_off_costs_its_square_and_the_weighted_distance_of_waveforms(name):
    model, one, level = with_oracle(name, audio_loss=0.5)
    model.denoiser.net.off = 0.1
    loss, parts = model(one)
    assert parts["state"].item() == pytest.approx(0.01, rel=1e-3)
    at = model.denoiser.path.at(model.denoiser.net.times[0])
    _, c_out = model.denoiser.target.coefficients(at)
    clean = model.codec.encode(one.target / level)
    estimate = model.codec.decode(clean + c_out.float().item() * 0.1, one.target.shape[-1])
    distance = (estimate - one.target / level).abs().mean().item()
    assert parts["audio"].item() == pytest.approx(distance, rel=1e-2)
    assert loss.item() == pytest.approx(0.01 + 0.5 * distance, rel=1e-2)


@pytest.mark.parametrize("name", FORMULATIONS)
def test_with_an_oracle_generation_gives_the_target(name):
    model, one, _ = with_oracle(name)
    path, calls = model.denoiser.path, 4
    grid = UniformGrid(t_last=max(0.2, path.t_min))
    out = model.generate(one.given, one.samples, one.keys, Sampler(DDIM(), grid, calls))
    torch.testing.assert_close(out, one.target, atol=1e-4, rtol=1e-3)
    times = torch.cat(model.denoiser.net.times)
    torch.testing.assert_close(times, grid.times(path, calls), rtol=1e-5, atol=1e-6)
    *_, before, last = model.denoiser.net.noises  # of the first call a bridge knows nothing yet
    torch.testing.assert_close(before, last, rtol=1e-3, atol=1e-3)
    assert unit_noise(last)


def test_sampling_starts_at_what_is_given_with_the_path_s_noise():
    """OUVE at t_max: (alpha + mean) y + sigma eps, not the clean state's share."""
    path = OUVE()
    model, one, _ = with_oracle("ouve")
    model.generate(one.given, one.samples, one.keys, Sampler(DDIM(), UniformGrid(), 1))
    (seen,) = model.denoiser.net.noises  # (z - alpha x_0) / sigma, z = alpha y + sigma eps
    end = torch.tensor(path.t_max)
    eps = seen - path.alpha(end) / path.sigma(end) * (
        model.denoiser.net.y - model.denoiser.net.change
    )
    frames = model.codec.frames(one.samples).tolist()
    drawn = KeyedNoise(one.keys, eps.shape[1:3], frames)()
    torch.testing.assert_close(eps.float(), drawn, rtol=1e-3, atol=1e-3)


def test_residual_model_starts_from_what_is_given():
    """An untrained network says 0, so one call of a residual bridge returns the noisy audio."""
    path, codec = SchroedingerBridgeVE(), CompressedSTFT()
    model = Model(codec, path, X0(), tiny, Objective(Uniform()), given="residual")
    one = batch([0, 1])
    out = model.generate(one.given, one.samples, one.keys, Sampler(DDIM(), UniformGrid(), 1))
    torch.testing.assert_close(out, one.given, atol=1e-5, rtol=1e-4)


def test_training_times_and_noise_come_from_the_keys():
    model = build()
    one = batch([0, 1])
    first, second = model(one)[0], model(one)[0]
    assert torch.equal(first, second)
    one.keys = [7, 8]
    assert not torch.isclose(model(one)[0], first).any()


def test_training_times_are_those_of_the_step_where_it_has_some():
    model, one, _ = with_oracle("flow-wave")
    one.times = torch.tensor([0.25])
    model(one)
    end = model.denoiser.path.t_min + 0.25 * (model.denoiser.path.t_max - model.denoiser.path.t_min)
    assert model.denoiser.net.times[0].item() == pytest.approx(end)
    loss = build()(replace(batch([0, 1]), times=torch.tensor([0.25, 0.5])))[0]
    swapped = build()(replace(batch([0, 1]), times=torch.tensor([0.5, 0.25])))[0]
    assert not torch.isclose(loss, swapped).any()


def test_audio_padded_beyond_the_longest_item():
    """A loader pads to its grid; neither loss nor output sees that."""
    model = build(audio_loss=1.0)
    tight, wide = batch([0, 2], 3000), batch([0, 2], 4000)
    torch.testing.assert_close(model(wide)[0], model(tight)[0], rtol=1e-4, atol=1e-5)
    sampler = Sampler(DDIM(), UniformGrid(), 2)
    out = [model.generate(one.given, one.samples, one.keys, sampler) for one in (tight, wide)]
    torch.testing.assert_close(out[1], out[0])


def test_silence_is_scaled_like_the_least_level():
    """No division by zero, and no roar where the sound has a gap."""
    model, zeros = build(given="residual"), torch.zeros(1, 1, 3000)
    sampler = Sampler(DDIM(), UniformGrid(), 2)
    out = model.generate(zeros, torch.tensor([3000]), [1], sampler)
    normal = model.generate(zeros + 1.0, torch.tensor([3000]), [1], sampler)
    assert torch.isfinite(out).all()
    assert out.abs().max() < 2e-3 * normal.abs().max()


def test_audio_that_does_not_fit_is_refused_before_it_is_read():
    spec = AudioSpec(rate=16000, target="clean", given="noisy")
    build().check(spec)
    build(RectifiedFlow(), Velocity(), given="none", level="none").check(replace(spec, given=None))
    with pytest.raises(Refusal, match="audio.given: None, but model.given says that audio"):
        build().check(replace(spec, given=None))
    with pytest.raises(Refusal, match="audio.channels: 2"):
        build().check(replace(spec, channels=2))


def test_what_does_not_fit_is_refused():
    with pytest.raises(Refusal, match="model.level: rms, but nothing is given"):
        build(RectifiedFlow(), Velocity(), given="none", level="rms")
    with pytest.raises(Refusal, match="FlowSE leads to what is given"):
        build(FlowSE(), Velocity(), given="none")
    with pytest.raises(Refusal, match="given audio"):
        build().generate(None, torch.tensor([10]), [1], Sampler(DDIM(), UniformGrid(), 1))


@pytest.mark.parametrize("name", ["edm", "bridge-residual", "flow-wave"])
def test_consistency_asks_again_nearer_on_the_same_trajectory(name):
    """Two calls with the same noise; an oracle says the same clean state at both: no loss."""
    model, one, _ = with_oracle(name, consistency=Consistency(every=10, near=0.0))
    one.step = 30
    loss, _ = model(one)
    assert loss.item() < 1e-5
    (time, nearer), (eps, again) = model.denoiser.net.times, model.denoiser.net.noises
    torch.testing.assert_close(eps, again, atol=1e-3, rtol=1e-3)
    s = [torch.sigmoid(-model.denoiser.path.log_snr(t)) for t in (time, nearer)]
    torch.testing.assert_close(s[1] / s[0], torch.full_like(s[0], 7 / 8), rtol=1e-4, atol=0)
    one.step = 9
    model(one)
    assert len(model.denoiser.net.times) == 3  # the first stage is denoising: one call


def test_where_consistency_goes_all_of_the_way_the_clean_end_is_what_is_known():
    """At the first stage, near the clean end: the loss of plain denoising."""
    model, one, _ = with_oracle("edm", times=AtEnd(), consistency=Consistency(every=10))
    model.denoiser.path = VE(t_max=0.5)
    model.denoiser.net.off = torch.nn.Parameter(torch.tensor(0.1))
    one.step = 10
    near = model(one)[0].item()
    one.step = 0
    assert near == pytest.approx(model(one)[0].item(), rel=1e-6)


@pytest.mark.parametrize("name", ["edm", "flow-wave", "bridge-residual"])
def test_an_oracle_has_no_loss_of_mean_flow_wherever_its_jumps_end(name):
    """It says the clean state from everywhere; trajectories of one item are straight lines."""
    few = Consistency(every=10, near=0.0, mean_flow=MeanFlow(plain=0.3, clean=0.3))
    model, one, _ = with_oracle(name, consistency=few)
    one.step, met = 30, set()
    for own in range(10):
        one.keys, model.denoiser.net.times = [own], []
        loss, _ = model(one)
        assert loss.max().item() < 1e-4
        t, nearer = model.denoiser.net.times
        s = [torch.sigmoid(-model.denoiser.path.log_snr(time)) for time in (t, nearer)]
        jump = model._jumps(one)
        met.add(jump.item() if jump in (0, 1) else 0.5)
        if jump > 0:  # who stays has no second place to be asked at
            torch.testing.assert_close(1 - s[1] / s[0], jump / 8, rtol=1e-3, atol=1e-4)
    assert met == {0, 0.5, 1}


def test_the_loss_of_consistency_is_weighed_by_its_stage_and_moves_one_call_alone():
    model, one, _ = with_oracle("edm", consistency=Consistency(every=10, near=0.0))
    model.denoiser.net.off = torch.nn.Parameter(torch.tensor(0.1))
    losses = []
    for one.step in (10, 50):
        loss, parts = model(one)
        losses.append(loss.item() / parts["state"].item())
        (slope,) = torch.autograd.grad(loss.sum(), [model.denoiser.net.off])
        assert slope.item() != 0
    assert losses == pytest.approx([2.0, 32.0])


def test_coupled_noise_is_what_the_audio_was_generated_from():
    """Reflow: the draw of training is the draw of decoding, by seed and id."""
    model, one, _ = with_oracle("flow-wave", coupled=7)
    one.ids = ["clip-003"]
    model(one)
    frames = model.codec.frames(one.samples).tolist()
    drawn = KeyedNoise([key(7, "clip-003")], model.denoiser.net.change.shape[1:3], frames)()
    torch.testing.assert_close(model.denoiser.net.noises[0].float(), drawn, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("name", ["edm", "flowse", "bridge-residual"])
def test_a_guess_takes_the_place_of_what_is_given_where_sampling_starts(name):
    model, one = build(**FORMULATIONS[name]), batch([0, 1])
    sampler = Sampler(DDIM(), UniformGrid(), 3, start=0.5)

    def run(guess=None):
        return model.generate(one.given, one.samples, one.keys, sampler, guess=guess)

    assert torch.equal(run(), run(one.given))
    assert (run() - run(one.target)).abs().max() > 1e-4
