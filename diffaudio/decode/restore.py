"""Measured audio back to what it was before, with a trained model as the prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch

from diffaudio.decode.trained import Trained
from diffaudio.inverse import Measurement, Restoration
from diffaudio.log import Refusal
from diffaudio.shapes import Audio
from diffaudio.solve import KeyedNoise

__all__ = ["restore"]


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
        Refusal: the model is given audio, or the method cannot undo what happened.
    """
    model, sampler = trained.model, trained.spec.sampler
    if model.has_given:
        raise Refusal(
            "the model turns given audio into other audio; it cannot tell what is likely by itself",
            mend="use a model that was trained with model.given: none and audio.given: null",
        )
    samples, codec, measured = measured.shape[-1], model.codec, measured.to(trained.device)
    frames = codec.frames(torch.full((len(measured),), samples)).tolist()
    noise = KeyedNoise(keys, (codec.channels, codec.bins), frames, trained.device)
    decode, deviation = partial(codec.decode, samples=samples), model.target.sigma_data
    with trained.metered(len(keys)):
        known = Measurement(how.operator, measured, decode, codec.encode, how.noise, deviation)
        prior = model.denoiser(None, None, fields or {}, sampler, trained.weaker)
        made = decode(how.method.run(sampler, prior, model.path, known, noise)).float()
        agreed = made if how.noise else how.operator.nearest(made, known.measured)
        return agreed.cpu()
