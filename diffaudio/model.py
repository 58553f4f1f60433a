"""A model: a denoiser, on audio: codec, levels, the loss of a batch, and generation.

Everything is per utterance: level, noise and training time of an item come from its own samples,
key and place in the step, so neither batch, order nor number of devices changes what becomes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from diffaudio.codec import Codec
from diffaudio.data.audio import AudioSpec
from diffaudio.data.batch import Batch
from diffaudio.denoiser import Denoiser, Surroundings
from diffaudio.lesson import Lesson
from diffaudio.log import Refusal
from diffaudio.nets import Conditioner, Net
from diffaudio.nets.layers import frame_mask, masked, masked_mean
from diffaudio.parts import Given, Level, refuse_audio, refuse_misfits
from diffaudio.prior import Plan, Prior, cut_segment
from diffaudio.process import Objective, Path, Target, Unit, check_pair
from diffaudio.shapes import Audio, Lengths, Mask, State, Tensor
from diffaudio.solve import KeyedNoise, Sampler

__all__ = ["Model"]

FLOOR = 1e-3  # the least level, -60 dB full scale: near silence is not blown up


class Model(nn.Module):
    """Learns to turn noise, beside what is given, into the target's audio.

    Args:
        codec: audio to state and back.
        path: the forward process, alpha(t) and sigma(t), from clean to noise.
        target: what the network predicts: x0, noise (epsilon), velocity (flow), v or EDM's F.
        net: builds the network from input channels, output channels and bins.
        objective: what the network is trained for.
        given: how given audio (the noisy speech, the mixture) enters: not at all; beside the
            state, concatenated to the network's input channels; or, residual, beside it and
            subtracted from the target, so that the process describes their difference.
        level: what is scaled to 1 before the codec and restored after it: the peak or the root
            mean square of the given audio, or nothing.
        condition: builds what tells the network of labels and the like from the width of its noise
            embedding.
        prior: builds what makes the given state out of a text, from the codec's bins: encoder,
            aligner and duration predictor; then no audio is given.
        through: the codec through which the target itself is given, in the place of other audio:
            SpreadMel, its mels, makes a vocoder.
    """

    def __init__(  # noqa: PLR0913  a part each
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
        prior: Callable[[int], Prior] | None = None,
        through: Codec | None = None,
    ) -> None:
        super().__init__()
        refuse_misfits(codec, path, through, given=given, level=level, reads=prior is not None)
        check_pair(path, target)
        if objective.segment is not None and prior is None:
            raise Refusal(
                f"model.objective.segment: {objective.segment:g}, but no text is aligned",
                mend="set it to null; train.crop_seconds cuts what a model without prior is told",
            )
        self.through = through
        self.codec, self.objective, self.level = codec, objective, level
        self.has_given = given != "none" and not (prior or through)
        self.weight = objective.weight or Unit()  # here, since it may have parameters
        beside = (through or codec).channels if given != "none" else 0
        made = net(codec.channels + beside, codec.channels, codec.bins)
        told = condition(made.embedding) if condition else None
        few = objective.consistency
        jumps = few is not None and few.mean_flow is not None
        residual = given == "residual"
        self.prior = prior(codec.bins) if prior else None
        self.denoiser = Denoiser(
            path,
            target,
            made,
            told,
            residual=residual,
            jumps=jumps,
            hides=self.prior is not None and self.prior.drop > 0,
        )

    @property
    def fields(self) -> tuple[str, ...]:
        """The manifest's fields that the model is conditioned on."""
        told = (self.denoiser.condition, self.prior)
        return tuple(name for one in told if one is not None for name in one.fields)

    @property
    def hears(self) -> bool:
        """Whether audio is given to it, be it the target's own."""
        return self.has_given or self.through is not None

    def check(self, audio: AudioSpec) -> None:
        """Refuse audio that this model cannot take, before any of it is read: see `parts.py`."""
        refuse_audio(audio, self.codec, has_given=self.has_given)

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return each item's loss (b,) and its parts, each (b,) and without gradient.

        The main part is the mean square of the network's error in its own output, as weighted.
        """
        samples, given = batch.samples, batch.given if self.has_given else None
        given = batch.target if self.through else given
        level, frames = self._level(given, samples), self.codec.frames(samples)
        audio = batch.target / level
        x0 = self.codec.encode(audio)
        mask = frame_mask(frames, x0.shape[-1])
        y, losses = self._given(given, level, mask), {}
        size = self._expected(y)
        x0 = masked(x0 / size, mask)
        if self.prior is not None:
            plan, losses = self.prior(batch.fields, x0, frames)
            x0, y, frames = cut_segment(batch.keys, x0, plan, self._most())
        change = x0 - y if self.denoiser.residual and y is not None else x0
        drop = self.prior.drop if self.prior else 0.0
        lesson = Lesson(self.denoiser, self.objective, self.weight, drop)
        total, error, estimate = lesson(change, y, frames, batch, size)
        parts = {"state": error, **losses}
        total = sum(losses.values(), total)
        if self.objective.audio_loss:
            decoded = self.codec.decode((x0 - change + estimate) * size, audio.shape[-1])
            inside = torch.arange(audio.shape[-1], device=x0.device) < samples[:, None]
            parts["audio"] = masked_mean((decoded - audio).abs(), inside[:, None].float())
            total = total + self.objective.audio_loss * parts["audio"]
        return total, {name: part.detach() for name, part in parts.items()}

    def _most(self) -> int | None:
        """Return how many frames of an item the denoiser is trained on; None for all."""
        seconds = self.objective.segment
        if seconds is None:
            return None
        return max(round(seconds * (self.codec.rate or 1) / self.codec.hop), 1)

    @torch.no_grad()
    def plan(self, fields: Mapping[str, Sequence[Any]], *, length_scale: float = 1.0) -> Plan:
        """Return what is known of the audio, and its length, from what is told alone.

        Args:
            fields: of the manifest, those of `self.fields`.
            length_scale: factor on all durations; above 1 is slower.

        Raises:
            Refusal: the model makes nothing of a text.
        """
        if self.prior is None:
            raise Refusal("the model was not trained to read", mend="train with model.prior")
        return self.prior.plan(fields, length_scale=length_scale)

    @torch.no_grad()
    def generate(
        self,
        given: Audio | Plan | None,
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
            given: (b, a, n), zero-padded; the plan of a model with a prior; None for one that is
                given nothing.
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
        state = self.sample(
            given, samples, keys, sampler, fields=fields, weaker=weaker, guess=guess
        )
        y = self._seen(given, samples) if self.through else None
        return self.decode(state, samples, y) * self._level(_heard(given, samples), samples)

    @torch.no_grad()
    def sample(
        self,
        given: Audio | Plan | None,
        samples: Lengths,
        keys: Sequence[int],
        sampler: Sampler,
        *,
        fields: Mapping[str, Sequence[Any]] | None = None,
        weaker: Model | None = None,
        guess: Audio | None = None,
    ) -> State:
        """Run the sampler as `generate` does, and return what it decodes: a state (b, c, f, l)."""
        if self.prior and not isinstance(given, Plan):
            mend = "`diffaudio say`, or .say() in Python, speaks a text with it"
            raise Refusal("the model is a voice: it is given a text", mend=mend)
        if not self.prior and self.hears == (given is None):
            verb, wanted = ("enhance", "audio") if self.hears else ("generate", "nothing")
            mend = f"`diffaudio {verb}`, or .{verb}() in Python, is for it"
            raise Refusal(f"the model is given {wanted}", mend=mend)
        y, frames = self._seen(given, samples), self.codec.frames(samples)
        mask = frame_mask(frames, int(frames.max()))
        shape = self.codec.channels, self.codec.bins
        noise = KeyedNoise(keys, shape, frames.tolist(), samples.device)
        first = y
        if guess is not None:
            level = self._level(_heard(given, samples), samples)
            first = self._given(_heard(guess, samples), level, mask)
        beside, guide = Surroundings(y, mask), weaker.denoiser if weaker else None
        denoise = self.denoiser.bind(beside, fields or {}, sampler, guide)
        return sampler(denoise, self.denoiser.path, first, noise) * self._expected(y)

    def decode(self, state: State, samples: Lengths, y: State | None = None) -> Audio:
        """Decode each item from its own frames alone: its sound depends on no padding.

        Args:
            state: (b, c, f, l).
            samples: length of each item.
            y: what `through` has given of the target, which the sound then is fitted to.
        """
        audio = state.new_zeros(len(state), 1, int(samples.max()), dtype=torch.float32)
        counts = self.codec.frames(samples).tolist()
        for item, (length, count) in enumerate(zip(samples.tolist(), counts, strict=True)):
            own = slice(item, item + 1), ..., slice(count)
            sound = self.codec.decode(state[own], length)
            if self.through is not None and y is not None:
                sound = self.through.fitted(sound, y[own])
            audio[item, :, :length] = sound
        return audio

    def _level(self, given: Audio | None, samples: Lengths) -> Tensor:
        """Return the level of what is given, (b, 1, 1); ones where levels are left alone."""
        if given is None or self.level == "none":
            return torch.ones(len(samples), 1, 1, device=samples.device)
        if self.level == "peak":
            return given.abs().amax((1, 2), keepdim=True).clamp_min(FLOOR)
        values = samples[:, None, None] * given.shape[1]
        return (given.square().sum((1, 2), keepdim=True) / values).sqrt().clamp_min(FLOOR)

    def _expected(self, y: State | None) -> State | float:
        """Return how large states are expected to be, by what is given: they are divided by it."""
        size = self.through.expected(y) if self.through and y is not None else None
        return 1.0 if size is None else size

    def _seen(self, given: Audio | Plan | None, samples: Lengths) -> State | None:
        """Return y, what is known of the state: that of a plan, or of the audio that is given."""
        if isinstance(given, Plan):
            return given.y
        audio, frames = _heard(given, samples), self.codec.frames(samples)
        mask = frame_mask(frames, int(frames.max()))
        return self._given(audio, self._level(audio, samples), mask)

    def _given(self, given: Audio | None, level: Tensor, mask: Mask | None) -> State | None:
        """Encode what is given, or guessed, its padding masked."""
        codec = self.through or self.codec
        return None if given is None else masked(codec.encode(given / level), mask)


def _heard(given: Audio | Plan | None, samples: Lengths) -> Audio | None:
    """Return the audio that is given, as long as the longest utterance; None for a plan."""
    return None if given is None or isinstance(given, Plan) else given[..., : int(samples.max())]
