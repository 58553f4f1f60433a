"""A model: a denoiser, on audio: codec, levels, the loss of a batch, and generation.

Everything is per utterance: level, noise and training time of an item come from its own samples,
key and place in the step, so neither batch, order nor number of devices changes what becomes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import nn
from torch.nn import functional

from diffaudio.codec import Codec
from diffaudio.data.audio import AudioSpec
from diffaudio.data.batch import Batch
from diffaudio.data.plan import generator, key
from diffaudio.denoiser import Denoiser, Surroundings
from diffaudio.log import Refusal
from diffaudio.nets import Conditioner, Net
from diffaudio.nets.layers import frame_mask, masked, masked_mean
from diffaudio.process import Marginal, MeanFlow, Objective, Path, Target, Unit, check_pair
from diffaudio.shapes import Audio, Lengths, Mask, State, Tensor
from diffaudio.solve import KeyedNoise, Sampler

__all__ = ["Model"]

Given = Literal["none", "beside", "residual"]
Level = Literal["none", "peak", "rms"]
FLOOR = 1e-3  # the least level, -60 dB full scale: near silence is not blown up


class Model(nn.Module):
    """Learns to turn noise, beside what is given, into the target's audio.

    Args:
        codec: audio to state and back.
        path: from clean to noise.
        target: what the network speaks.
        net: builds the network from input channels, output channels and bins.
        objective: what the network is trained for.
        given: how given audio (the noisy speech, the mixture) enters: not at all; beside the
            state, as the network's input; or beside it and as its centre, so that the process
            describes the difference between target and given, and the network starts from there.
        level: what is scaled to 1 before the codec and restored after it: the peak or the root
            mean square of the given audio, or nothing.
        condition: builds what tells the network of labels and the like from the width of its noise
            embedding.
    """

    def __init__(
        self,
        codec: Codec,
        path: Path,
        target: Target,
        net: Callable[[int, int, int], Net],
        objective: Objective,
        *,
        given: Given = "none",
        level: Level = "none",
        condition: Callable[[int], Conditioner] | None = None,
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
        self.codec, self.objective, self.level = codec, objective, level
        self.has_given = given != "none"
        self.weight = objective.weight or Unit()  # here, since it may have parameters
        made = net(codec.channels * (1 + self.has_given), codec.channels, codec.bins)
        told = condition(made.embedding) if condition else None
        few = objective.consistency
        jumps = few is not None and few.mean_flow is not None
        residual = given == "residual"
        self.denoiser = Denoiser(path, target, made, told, residual=residual, jumps=jumps)

    @property
    def fields(self) -> tuple[str, ...]:
        """The manifest's fields that the model is conditioned on."""
        condition = self.denoiser.condition
        return condition.fields if condition else ()

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
        if self.codec.rate not in (None, audio.rate):
            raise Refusal(
                f"audio.rate: {audio.rate} Hz, but the codec is made for {self.codec.rate} Hz",
                mend="set both to the rate of the audio",
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
        level, denoiser = self._level(given, samples), self.denoiser
        audio, frames = batch.target / level, self.codec.frames(samples)
        x0 = self.codec.encode(audio)
        mask = frame_mask(frames, x0.shape[-1])
        x0, y = masked(x0, mask), self._given(given, level, mask)
        told = torch.tensor([not self._dropped(own) for own in batch.keys], device=x0.device)
        beside, jump = Surroundings(y, mask, denoiser.told(batch.fields, told)), self._jumps(batch)
        at = self._places(batch, x0)
        eps = KeyedNoise(self._noise_keys(batch), x0.shape[1:3], frames.tolist(), x0.device)()
        eps = functional.pad(eps, (0, x0.shape[-1] - eps.shape[-1]))
        change = x0 - y if denoiser.residual and y is not None else x0
        z = at.z(change, eps)
        answer = denoiser.answer(z, at, denoiser.aimed(beside, jump.to(x0)))
        wanted, urgency = self._wanted(change, eps, at, beside, batch)
        parts = {"state": masked_mean((answer - wanted).square(), mask)}
        level_of = Marginal(*(field.flatten() for field in at))
        total = urgency * self.weight.weigh(parts["state"], level_of, denoiser.target)
        if self.objective.audio_loss:
            estimate = x0 - change + denoiser.target.x0(z, answer, at)
            decoded = self.codec.decode(estimate, audio.shape[-1])
            inside = torch.arange(audio.shape[-1], device=x0.device) < samples[:, None]
            parts["audio"] = masked_mean((decoded - audio).abs(), inside[:, None].float())
            total = total + self.objective.audio_loss * parts["audio"]
        return total, {name: part.detach() for name, part in parts.items()}

    def _places(self, batch: Batch, like: State) -> Marginal:
        """Return the path at each item's training time, fields (b, 1, 1, 1)."""
        u, path = batch.times, self.denoiser.path
        if u is None:
            u = torch.tensor([generator(own, "time").random() for own in batch.keys])
        return path.at(self.objective.times(u.to(like), path)[:, None, None, None])

    def _jumps(self, batch: Batch) -> Tensor:
        """Return how far each item's estimate leads, (b,): to the clean end but for mean flow."""
        few = self.objective.consistency
        if few is None or few.mean_flow is None:
            return torch.ones(len(batch.keys))
        draws = [generator(own, "jump").random() for own in batch.keys]
        return few.mean_flow.jumps(torch.tensor(draws, dtype=torch.float64))

    def _wanted(
        self, x0: State, eps: State, at: Marginal, beside: Surroundings, batch: Batch
    ) -> tuple[State, Tensor | float]:
        """Return what the network should say at `at`, and how much that counts, (b,) or for all."""
        few, denoiser = self.objective.consistency, self.denoiser
        distance = None if few is None else few.distance(at, batch.step)
        if few is None or distance is None:
            return denoiser.target.of(x0, eps, at), 1.0
        jump = self._jumps(batch).to(distance).view_as(distance)
        distance = torch.where(jump > 0.0, distance, 1.0)  # who stays here has only the velocity
        nearer = denoiser.path.at(few.earlier(at, denoiser.path, distance * jump))
        rest = MeanFlow.rest(jump, distance).flatten().to(x0)
        with torch.no_grad():
            clean = denoiser.x0(nearer.z(x0, eps), nearer, denoiser.aimed(beside, rest))
        if few.mean_flow is not None:
            clean = MeanFlow.estimate(x0, eps, at, nearer, clean, distance).to(x0)
        # Where the distance is all of the way, the clean end itself is known.
        clean = torch.where(distance < 1.0, clean, x0)
        return denoiser.target.answer(at.z(x0, eps), clean, at), (1.0 / distance.flatten()).to(x0)

    @torch.no_grad()
    def generate(
        self,
        given: Audio | None,
        samples: Lengths,
        keys: Sequence[int],
        sampler: Sampler,
        *,
        fields: Mapping[str, Sequence[Any]] | None = None,
        weaker: Model | None = None,
        guess: Audio | None = None,
    ) -> Audio:
        """Run the sampler from noise to audio (b, a, n).

        Args:
            given: (b, a, n), zero-padded; None for a model that is given nothing.
            samples: length of each utterance.
            keys: one a utterance; its noise is a function of its key and length alone.
            sampler: solver, grid, number of network calls, guidance.
            fields: of the manifest, those of `self.fields`.
            weaker: the model that autoguidance leads away from.
            guess: what the audio is taken to be where the sampler starts, instead of what is given;
                the later `sampler.start`, the less is left of it.

        Raises:
            Refusal: the model needs given audio and there is none, or guidance needs a condition
                or a weaker model and there is none.
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
        beside, guide = Surroundings(y, mask), weaker.denoiser if weaker else None
        denoise = self.denoiser.bind(beside, fields or {}, sampler, guide)
        made = sampler(denoise, self.denoiser.path, first, noise)
        return self._decoded(made, samples, frames) * level

    def _decoded(self, made: State, samples: Lengths, frames: Lengths) -> Audio:
        """Decode each item from its own frames alone: its sound depends on no padding."""
        audio = made.new_zeros(len(made), 1, int(samples.max()), dtype=torch.float32)
        for item, (length, count) in enumerate(zip(samples.tolist(), frames.tolist(), strict=True)):
            audio[item, :, :length] = self.codec.decode(made[item : item + 1, ..., :count], length)
        return audio

    def _noise_keys(self, batch: Batch) -> list[int]:
        """Return what the noise of each item hangs on: itself, or what its audio was made from."""
        seed = self.objective.coupled
        return batch.keys if seed is None else [key(seed, name) for name in batch.ids]

    def _dropped(self, own: int) -> bool:
        """Say whether a training item is told nothing; one that is scored never is."""
        condition = self.denoiser.condition
        if condition is None or not self.training:
            return False
        return bool(generator(own, "drop").random() < condition.drop)

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
