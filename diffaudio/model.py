"""A model: codec, path, target, network and training times in one hand; loss and generation.

Everything is per utterance: level, noise and training time of an item come from its own key and
samples, so neither batch, order nor number of devices changes what becomes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import torch
from torch import nn
from torch.nn import functional

from diffaudio.codec import Codec
from diffaudio.data.audio import AudioSpec
from diffaudio.data.batch import Batch
from diffaudio.data.plan import generator
from diffaudio.inverse import Measurement, Restoration
from diffaudio.log import Refusal
from diffaudio.nets import Net
from diffaudio.nets.layers import masked
from diffaudio.process import Marginal, Path, Target, Times, Unit, Weight, check_pair
from diffaudio.shapes import Audio, Lengths, Mask, State, Tensor
from diffaudio.solve import Denoise, KeyedNoise, Sampler

__all__ = ["Model"]

Given = Literal["none", "beside", "residual"]
Level = Literal["none", "peak", "rms"]
FLOOR = 1e-3  # the least level, -60 dB full scale: near silence is not blown up


def frame_mask(frames: Lengths, longest: int) -> Mask | None:
    """Return the mask of utterances of so many frames; None where nothing is padded."""
    if bool((frames == longest).all()):
        return None
    inside = torch.arange(longest, device=frames.device) < frames[:, None]
    return inside.float()[:, None, None]


def masked_mean(values: Tensor, mask: Tensor | None) -> Tensor:
    """Average (b, c, f, l) or (b, a, n) over all but the batch axis, padding left out: (b,)."""
    if mask is None:
        return values.flatten(1).mean(1)
    weight = mask.expand_as(values).flatten(1)
    return (values.flatten(1) * weight).sum(1) / weight.sum(1)


class Model(nn.Module):
    """Learns to turn noise, beside what is given, into the target's audio.

    Args:
        codec: audio to state and back.
        path: from clean to noise.
        target: what the network speaks.
        net: builds the network from input channels, output channels and bins.
        times: distribution of training times.
        weight: how much each noise level counts.
        given: how given audio (the noisy speech, the mixture) enters: not at all; beside the
            state, as the network's input; or beside it and as its centre, so that the process
            describes the difference between target and given, and the network starts from there.
        level: what is scaled to 1 before the codec and restored after it: the peak or the root
            mean square of the given audio, or nothing.
        audio_loss: weight of an added L1 distance of waveforms; 0 leaves it out.
    """

    def __init__(  # noqa: PLR0913  one parameter for each part of a model
        self,
        codec: Codec,
        path: Path,
        target: Target,
        net: Callable[[int, int, int], Net],
        times: Times,
        *,
        given: Given = "none",
        level: Level = "none",
        weight: Weight | None = None,
        audio_loss: float = 0.0,
    ) -> None:
        super().__init__()
        if path.uses_given and given == "none":
            raise Refusal(
                f"model.given: none, but {type(path).__name__} leads to what is given",
                mend="set model.given to beside or residual, or choose a path without y",
            )
        if level != "none" and given == "none":
            raise Refusal(
                f"model.level: {level}, but nothing is given whose level could be restored",
                mend="set model.level to none",
            )
        check_pair(path, target)
        self.codec, self.path, self.target, self.times = codec, path, target, times
        self.has_given, self.residual = given != "none", given == "residual"
        self.level, self.audio_loss, self.weight = level, audio_loss, weight or Unit()
        self.net = net(codec.channels * (1 + self.has_given), codec.channels, codec.bins)

    def check(self, audio: AudioSpec) -> None:
        """Refuse audio that this model cannot take, before any of it is read.

        Raises:
            Refusal: `audio.given` and `model.given` disagree, or there are several channels.
        """
        if self.has_given != (audio.given is not None):
            raise Refusal(
                f"audio.given: {audio.given}, but model.given says that "
                f"{'audio' if self.has_given else 'nothing'} is given",
                mend="set both or neither",
            )
        if audio.channels != 1:
            raise Refusal(
                f"audio.channels: {audio.channels}, but models take one channel so far",
                mend="set audio.channels to 1: several channels are then enhanced one by one",
            )

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return each item's loss (b,) and its parts, each (b,) and without gradient.

        The main part is the mean square of the network's error in its own output, as weighted.
        """
        samples, given = batch.samples, batch.given if self.has_given else None
        level = self._level(given, samples)
        audio, frames = batch.target / level, self.codec.frames(samples)
        x0 = self.codec.encode(audio)
        mask = frame_mask(frames, x0.shape[-1])
        x0, y = masked(x0, mask), self._given(given, level, mask)
        u = torch.tensor([generator(key, "time").random() for key in batch.keys])
        at = self.path.at(self.times(u.to(x0), self.path)[:, None, None, None])
        eps = KeyedNoise(batch.keys, x0.shape[1:3], frames.tolist(), x0.device)()
        eps = functional.pad(eps, (0, x0.shape[-1] - eps.shape[-1]))
        change = x0 - y if self.residual and y is not None else x0
        z = at.z(change, eps)
        answer = self._answer(z, at, y, mask)
        wanted = self.target.of(change, eps, at)
        parts = {"state": masked_mean((answer - wanted).square(), mask)}
        level_of = Marginal(*(field.flatten() for field in at))
        total = self.weight.weigh(parts["state"], level_of, self.target)
        if self.audio_loss:
            estimate = x0 - change + self.target.x0(z, answer, at)
            decoded = self.codec.decode(estimate, audio.shape[-1])
            inside = torch.arange(audio.shape[-1], device=x0.device) < samples[:, None]
            parts["audio"] = masked_mean((decoded - audio).abs(), inside[:, None].float())
            total = total + self.audio_loss * parts["audio"]
        return total, {name: part.detach() for name, part in parts.items()}

    @torch.no_grad()
    def generate(
        self,
        given: Audio | None,
        samples: Lengths,
        keys: Sequence[int],
        sampler: Sampler,
        *,
        guess: Audio | None = None,
    ) -> Audio:
        """Run the sampler from noise to audio (b, a, n).

        Args:
            given: (b, a, n), zero-padded; None for a model that is given nothing.
            samples: length of each utterance.
            keys: one a utterance; its noise is a function of its key and length alone.
            sampler: solver, grid and number of network calls.
            guess: what the audio is taken to be where the sampler starts, instead of what is given;
                the later `sampler.start`, the less is left of it.

        Raises:
            Refusal: the model needs given audio and there is none.
        """
        if self.has_given != (given is not None):
            raise Refusal(f"the model is given {'audio' if self.has_given else 'nothing'}")
        longest, frames = int(samples.max()), self.codec.frames(samples)
        given = None if given is None else given[..., :longest]
        level = self._level(given, samples)
        mask = frame_mask(frames, int(frames.max()))
        y = self._given(given, level, mask)
        shape = self.codec.channels, self.codec.bins
        noise = KeyedNoise(keys, shape, frames.tolist(), samples.device)
        first = y if guess is None else self._given(guess[..., :longest], level, mask)
        state = sampler(self.denoiser(y, mask), self.path, first, noise)
        return self.codec.decode(state, longest) * level

    @torch.no_grad()
    def restore(
        self, measured: Audio, how: Restoration, keys: Sequence[int], sampler: Sampler
    ) -> Audio:
        """Return likely audio that agrees with what was measured of it; not for inference mode.

        What was measured without noise is put into the result as it is, whatever the method.

        Args:
            measured: (b, a, n), all of one length, since an operator sees the whole of each.
            how: what happened to it, and the method that undoes it.
            keys: one an item; its noise is a function of its key and length alone.
            sampler: solver, grid and number of network calls.

        Raises:
            Refusal: the model is given audio, so it knows no audio by itself.
        """
        if self.has_given:
            raise Refusal(
                "the model turns given audio into other audio, but a prior is given nothing",
                mend="train a model with model.given: none and audio.given: null",
            )
        samples, codec = measured.shape[-1], self.codec
        decode, deviation = partial(codec.decode, samples=samples), self.target.sigma_data
        known = Measurement(how.operator, measured, decode, codec.encode, how.noise, deviation)
        frames = codec.frames(torch.full((len(measured),), samples)).tolist()
        noise = KeyedNoise(keys, (codec.channels, codec.bins), frames, measured.device)
        audio = decode(how.method.run(sampler, self.denoiser(None, None), self.path, known, noise))
        return audio if how.noise else how.operator.nearest(audio, known.measured)

    def denoiser(self, y: State | None, mask: Mask | None) -> Denoise:
        """Bind what is given to the network: denoise(z, at) -> x_0 estimate, all that solvers see.

        A residual model knows the path of x_0 - y alone, which z follows but for alpha y.
        """

        def denoise(z: State, at: Marginal) -> State:
            change = z - at.alpha * y if self.residual and y is not None else z
            x0 = self.target.x0(change, self._answer(change, at, y, mask), at)
            return masked(x0 + y if self.residual and y is not None else x0, mask)

        return denoise

    def _answer(self, z: State, at: Marginal, y: State | None, mask: Mask | None) -> State:
        """Run the network on the scaled noisy state, the given state beside it."""
        x = z * self.target.c_in(at)
        if y is not None:
            x = torch.cat([x, y / self.target.sigma_data], 1)
        clock = self.path.clock(at.t.flatten()).to(x)
        return masked(self.net(x, clock.expand(len(x)), mask).float(), mask)

    def _level(self, given: Audio | None, samples: Lengths) -> Tensor:
        """Return the level of what is given, (b, 1, 1); ones where levels are left alone."""
        if given is None or self.level == "none":
            return torch.ones(len(samples), 1, 1, device=samples.device)
        if self.level == "peak":
            return given.abs().amax((1, 2), keepdim=True).clamp_min(FLOOR)
        values = samples[:, None, None] * given.shape[1]
        return (given.square().sum((1, 2), keepdim=True) / values).sqrt().clamp_min(FLOOR)

    def _given(self, given: Audio | None, level: Tensor, mask: Mask | None) -> State | None:
        """Encode what is given, or guessed, its padding masked."""
        return None if given is None else masked(self.codec.encode(given / level), mask)
