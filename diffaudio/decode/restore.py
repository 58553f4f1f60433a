"""Measured audio back to what it was before, with a trained model as the prior."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffaudio.data import plan
from diffaudio.decode.stream import (
    Encoding,
    blocks,
    reading,
    refuse_same,
    resampled,
    shown,
    writing,
)
from diffaudio.decode.trained import Trained
from diffaudio.denoiser import Surroundings
from diffaudio.inverse import Measurement, Restoration, of_states, possible
from diffaudio.log import Refusal, log
from diffaudio.shapes import Audio
from diffaudio.solve import KeyedNoise

__all__ = ["restore", "restore_file"]


@torch.no_grad()  # and not inference mode: most methods ask for gradients
def restore(
    trained: Trained,
    measured: Audio,
    how: Restoration,
    keys: Sequence[int],
    fields: Mapping[str, Sequence[Any]] | None = None,
) -> Audio:
    """Return audio that the model finds likely and that agrees with what was measured of it.

    What was measured without noise is put into the result as it is, whatever the method.

    Args:
        trained: a model that is given no audio; its sampler makes exactly its calls.
        measured: (b, a, n), all of one length, since an operator sees the whole of each; as loud
            as what the model was trained on.
        how: what happened to the audio, and the method that undoes it.
        keys: one an item; its noise is a function of its key and length alone.
        fields: of the manifest, those that the model is conditioned on.

    Returns:
        (b, a, n) on the processor, in fp32.

    Raises:
        Refusal: the model is given audio, the method cannot undo what happened, or the codec loses
            a part of the audio and there is noise.
    """
    model = trained.model
    if model.hears:
        raise Refusal(
            "the model turns given audio into other audio; it cannot tell what is likely by itself",
            mend="use a model that was trained with model.given: none and audio.given: null",
        )
    if model.codec.invertible:
        return _restored(trained, measured, how, keys, fields or {})
    if how.noise:
        raise Refusal(
            f"noise {how.noise:g}: the model's {type(model.codec).__name__} holds a part of the "
            "audio only; what noise does to that is not known",
            mend="leave --noise at 0, or use a model with the codec CompressedSTFT or Waveform",
        )
    made = []
    for at in range(len(keys)):  # what is known of a state differs from item to item
        own = {name: [values[at]] for name, values in (fields or {}).items()}
        made.append(_restored(trained, measured[at : at + 1], how, [keys[at]], own))
    return torch.cat(made)


def _restored(
    trained: Trained,
    measured: Audio,
    how: Restoration,
    keys: Sequence[int],
    fields: Mapping[str, Sequence[Any]],
) -> Audio:
    """Run the method on a batch."""
    denoiser, sampler, codec = trained.model.denoiser, trained.spec.sampler, trained.model.codec
    samples, measured = measured.shape[-1], measured.to(trained.device)
    frames = codec.frames(torch.full((len(measured),), samples)).tolist()
    noise = KeyedNoise(keys, (codec.channels, codec.bins), frames, trained.device)
    decode, deviation = partial(codec.decode, samples=samples), denoiser.target.sigma_data
    with trained.metered(len(keys)):
        if codec.invertible:
            known = Measurement(how.operator, measured, decode, codec.encode, how.noise, deviation)
        else:
            known = of_states(how.operator, measured, codec.encode, deviation)
        weaker = trained.weaker.denoiser if trained.weaker else None
        prior = denoiser.bind(Surroundings(None, None), fields, sampler, weaker)
        state = how.method.run(sampler, prior, denoiser.path, known, noise)
        if how.noise:
            return decode(state).float().cpu()
        agree = partial(how.operator.nearest, measured=possible(how.operator, measured))
        return codec.complete(state, samples, agree).float().cpu()


def restore_file(
    trained: Trained,
    source: Path,
    target: Path,
    how: Callable[[Audio], Restoration],
    fields: Mapping[str, Any],
) -> None:
    """Restore one audio file into another, each channel by itself; it has the model's rate.

    Args:
        trained: the model.
        source: what was measured, no longer than a chunk: an operator sees the whole of it.
        target: the output; its suffix is its format, the input's sample format is kept.
        how: from what was measured (channels, 1, n), at the model's rate, to what is to be undone.
        fields: of the manifest, those that the model is conditioned on; none tell it nothing.

    Raises:
        Refusal: the input is too long or no usable audio, or the output cannot be written.
    """
    refuse_same(source, target)
    trained, fields = trained.told(fields)
    rate = trained.audio.rate
    with reading(source) as sound:
        encoding = Encoding.of(target, source, sound)
        if sound.frames > trained.spec.chunk_seconds * sound.samplerate:
            raise Refusal(
                f"{shown(source)}: {sound.frames / sound.samplerate:.1f} s, but a sound is "
                f"restored whole, up to {trained.spec.chunk_seconds:g} s",
                mend="cut it, or raise --decode.chunk_seconds as far as memory goes",
            )
        channels = sound.channels
        pieces = resampled(blocks(source, sound), sound.samplerate, rate, channels)
        measured = torch.from_numpy(np.concatenate(list(pieces)).T.copy())[:, None]
    keys = [plan.key(trained.spec.seed, 0)] * channels
    told = {name: [value] * channels for name, value in fields.items()}
    made = restore(trained, measured, how(measured), keys, told)
    with writing(target, rate, channels, encoding) as write:
        write(made[:, 0].T.numpy())
    log.info("%s: written, %.1f s at %d Hz", shown(target), made.shape[-1] / rate, rate)
