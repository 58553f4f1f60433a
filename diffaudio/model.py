"""A model: codec, path, target, network and training times in one hand; loss and generation.

Everything is per utterance: level, noise and training time of an item come from its own key and
samples, so neither batch, order nor number of devices changes what becomes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import nn
from torch.nn import functional

from diffaudio.codec import Codec
from diffaudio.data.batch import Batch
from diffaudio.data.plan import generator
from diffaudio.log import Refusal
from diffaudio.nets import Net
from diffaudio.process import Marginal, Path, Target, Times, check_pair
from diffaudio.shapes import Audio, Lengths, Mask, Scalar, State, Tensor
from diffaudio.solve import Denoise, KeyedNoise, Sampler

__all__ = ["Model"]

Given = Literal["none", "beside", "residual"]
Level = Literal["none", "peak", "rms"]
FLOOR = 1e-4  # the level of silence: -80 dB full scale


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
        given: how given audio (the noisy speech, the mixture) enters: not at all; beside the
            state, as the network's input; or beside it and as its centre, so that the process
            describes the difference between target and given, and the network starts from there.
        level: what is scaled to 1 before the codec and restored after it: the peak or the root
            mean square of the given audio (of the target where nothing is given), or nothing.
        audio_loss: weight of an added L1 distance of waveforms; 0 leaves it out.
    """

    def __init__(
        self,
        codec: Codec,
        path: Path,
        target: Target,
        net: Callable[[int, int, int], Net],
        times: Times,
        *,
        given: Given = "none",
        level: Level = "none",
        audio_loss: float = 0.0,
    ) -> None:
        super().__init__()
        if path.uses_given and given == "none":
            raise Refusal(
                f"model.given: none, but {type(path).__name__} leads to what is given",
                mend="set model.given to beside or residual, or choose a path without y",
            )
        check_pair(path, target)
        self.codec, self.path, self.target, self.times = codec, path, target, times
        self.given, self.level, self.audio_loss = given != "none", level, audio_loss
        self.residual = given == "residual"
        self.net = net(codec.channels * (2 if self.given else 1), codec.channels, codec.bins)

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return each item's loss (b,) and its parts, each (b,) and without gradient.

        The main part is the mean square of the network's error in its own output, unit weight.
        """
        audio, level = self._levelled(batch.target, batch.given, batch.samples)
        x0, y, mask = self._states(audio, batch.given, level, batch.samples)
        centre = y if self.residual and y is not None else torch.zeros_like(x0)
        u = torch.tensor([generator(key, "time").random() for key in batch.keys])
        m = self.path.at(self.times(u.to(x0), self.path)[:, None, None, None])
        frames = self.codec.frames(batch.samples)
        eps = KeyedNoise(batch.keys, x0.shape[1:3], frames.tolist(), x0.device)()
        eps = functional.pad(eps, (0, x0.shape[-1] - eps.shape[-1]))
        z = m.z(x0 - centre, eps)
        answer = self._answer(z, m, y, mask)
        wanted = self.target.of(x0 - centre, eps, m)
        parts = {"state": masked_mean((answer - wanted).square(), mask)}
        total = parts["state"]
        if self.audio_loss:
            estimate = self.target.x0(z, answer, m) + centre
            decoded = self.codec.decode(estimate, audio.shape[-1])
            inside = torch.arange(audio.shape[-1], device=x0.device) < batch.samples[:, None]
            parts["audio"] = masked_mean((decoded - audio).abs(), inside[:, None].float())
            total = total + self.audio_loss * parts["audio"]
        return total, {name: part.detach() for name, part in parts.items()}

    @torch.no_grad()
    def generate(
        self, given: Audio | None, samples: Lengths, keys: Sequence[int], sampler: Sampler
    ) -> Audio:
        """Run the sampler from noise to audio (b, a, n).

        Args:
            given: (b, a, n), zero-padded; None for a model that is given nothing.
            samples: length of each utterance.
            keys: one a utterance; its noise is a function of its key and length alone.
            sampler: solver, grid and number of network calls.

        Raises:
            Refusal: the model needs given audio and there is none.
        """
        if self.given != (given is not None):
            raise Refusal(f"the model is given {'audio' if self.given else 'nothing'}")
        longest = int(samples.max())
        given = None if given is None else given[..., :longest]
        audio = torch.zeros(len(keys), 1, longest, device=samples.device)
        audio, level = self._levelled(audio if given is None else given, given, samples)
        blank, y, mask = self._states(audio, given, level, samples)
        frames = self.codec.frames(samples).tolist()
        noise = KeyedNoise(keys, blank.shape[1:3], frames, blank.device)
        denoise = self.denoiser(y, mask)
        state = sampler(denoise, self.path, None if self.residual else y, noise)
        if self.residual and y is not None:
            state = state + y
        return self.codec.decode(state, longest) * level

    def denoiser(self, y: State | None, mask: Mask | None) -> Denoise:
        """Bind what is given to the network: denoise(z, t) -> x0 estimate, all that solvers see."""

        def denoise(z: State, t: Scalar) -> State:
            m = self.path.at(t.to(z).expand(z.shape[0])[:, None, None, None])
            x0 = self.target.x0(z, self._answer(z, m, y, mask), m)
            return x0 if mask is None else x0 * mask

        return denoise

    def _answer(self, z: State, m: Marginal, y: State | None, mask: Mask | None) -> State:
        """Run the network on the scaled noisy state, the given state beside it."""
        x = z * self.target.c_in(m)
        if y is not None:
            x = torch.cat([x, y / self.target.sigma_data], 1)
        answer = self.net(x, self.path.clock(m.t.flatten()), mask).float()
        return answer if mask is None else answer * mask

    def _levelled(
        self, target: Audio, given: Audio | None, samples: Lengths
    ) -> tuple[Audio, Tensor]:
        """Divide by the level of what is given: the audio, and the level (b, 1, 1)."""
        source = target if given is None else given
        if self.level == "none":
            level = torch.ones_like(source[:, :1, :1])
        elif self.level == "peak":
            level = source.abs().amax((1, 2), keepdim=True).clamp_min(FLOOR)
        else:
            values = samples[:, None, None] * source.shape[1]
            level = (source.square().sum((1, 2), keepdim=True) / values).sqrt().clamp_min(FLOOR)
        return target / level, level

    def _states(
        self, audio: Audio, given: Audio | None, level: Tensor, samples: Lengths
    ) -> tuple[State, State | None, Mask | None]:
        """Encode the audio and what is given, and mask their padding."""
        x = self.codec.encode(audio)
        mask = frame_mask(self.codec.frames(samples), x.shape[-1])
        y = None if given is None else self.codec.encode(given / level)
        if mask is not None:
            x, y = x * mask, None if y is None else y * mask
        return x, y, mask
