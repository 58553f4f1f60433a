"""Whether the parts of a model fit each other, and the audio: said before any of it is read."""

from __future__ import annotations

from typing import Literal

from diffaudio.codec import Codec
from diffaudio.data.audio import AudioSpec
from diffaudio.log import Refusal
from diffaudio.process import Path

__all__ = ["Given", "Level", "refuse_audio", "refuse_misfits"]

Given = Literal["none", "beside", "residual"]
Level = Literal["none", "peak", "rms"]


def refuse_misfits(
    codec: Codec, path: Path, through: Codec | None, *, given: Given, level: Level, reads: bool
) -> None:
    """Refuse parts that no model can be made of.

    Args:
        codec: audio to state and back.
        path: from clean to noise.
        through: the codec through which the target itself is given.
        given: how what is given enters.
        level: what is scaled to 1.
        reads: whether what is given is made of a text.

    Raises:
        Refusal: naming the keys, their values and the mend.
    """
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
    if reads and (given == "none" or level != "none" or codec.channels != 1):
        raise Refusal(
            f"model.prior: with given {given}, level {level}, {codec.channels} state channels",
            mend="set model.given to beside, model.level to none, model.codec to LogMel",
        )
    if through and (given != "beside" or level != "none" or reads or path.uses_given):
        raise Refusal(
            f"model.through: with given {given}, level {level} and {type(path).__name__}",
            mend="set model.given to beside, model.level to none, model.prior to null, and "
            "choose a path without y",
        )
    if through and (through.bins, through.hop) != (codec.bins, codec.hop):
        raise Refusal(
            f"model.through: {through.bins} bins with a hop of {through.hop}, "
            f"model.codec: {codec.bins} with {codec.hop}",
            mend="give both the same n_fft and hop",
        )


def refuse_audio(audio: AudioSpec, codec: Codec, *, has_given: bool) -> None:
    """Refuse audio that a model cannot take.

    Args:
        audio: rate, roles and channels.
        codec: audio to state and back.
        has_given: whether audio besides the target is given to the model.

    Raises:
        Refusal: `audio.given` and `model.given` disagree, the codec is made for another rate, or
            there are several channels.
    """
    if has_given != (audio.given is not None):
        raise Refusal(
            f"audio.given: {audio.given}, but model.given says that "
            f"{'audio' if has_given else 'nothing'} is given",
            mend="set both or neither",
        )
    if codec.rate not in (None, audio.rate):
        raise Refusal(
            f"audio.rate: {audio.rate} Hz, but the codec is made for {codec.rate} Hz",
            mend="set both to the rate of the audio",
        )
    if audio.channels != 1:
        raise Refusal(
            f"audio.channels: {audio.channels}, but models take one channel so far",
            mend="set audio.channels to 1: several channels are then enhanced one by one",
        )
