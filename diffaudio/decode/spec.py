"""How a trained model is run: the YAML section `decode:`."""

from __future__ import annotations

from dataclasses import dataclass

from diffaudio.log import Refusal
from diffaudio.precision import Precision
from diffaudio.solve import Sampler

__all__ = ["DecodeSpec"]


@dataclass(frozen=True)
class DecodeSpec:
    """The sampler, the weights and the sizes of batches and chunks.

    Args:
        sampler: solver, grid and number of network calls.
        seed: of all noise; an utterance's noise depends on this and its id alone.
        checkpoint: `best`, `last` or a name such as `step_00000500`; one that `diffaudio ema` made
            is called `ema_0.12_step_00000500`.
        ema: the averaged weights rather than the last ones.
        precision: fp32; bf16 for matrix products and convolutions; auto is bf16 where the
            hardware has it, fp32 elsewhere.
        threads: processor threads of each worker. They change the last bits of the output.
        batch_seconds: audio in a batch, padding included: memory grows with it. An utterance of a
            set that alone is longer is cut into chunks.
        chunk_seconds: length of the chunks that files and long utterances are cut into.
        overlap_seconds: neighbouring chunks share this much and fade into each other there.
        repeat: how many outputs are made of each utterance, as <id>-000, <id>-001, ...; 1 is <id>.
        length_scale: factor on the durations that a model predicts from text; above 1 is slower.
        vocoder: what makes sound of a LogMel codec's mels: the folder of a model of our own, of a
            published HiFi-GAN or Vocos, or hf://OWNER/NAME; null is Griffin-Lim. It has its
            own sampler; precision and threads are those of here.
        weaker: an earlier checkpoint, step_00000500, that autoguidance leads away from.
    """

    sampler: Sampler
    seed: int = 0
    checkpoint: str = "best"
    ema: bool = True
    precision: Precision = "fp32"
    threads: int = 1
    batch_seconds: float = 20.0
    chunk_seconds: float = 8.0
    overlap_seconds: float = 0.5
    repeat: int = 1
    length_scale: float = 1.0
    vocoder: str | None = None
    weaker: str | None = None

    def __post_init__(self) -> None:
        """Refuse sizes that make no sense."""
        if not (self.threads >= 1 and self.batch_seconds > 0):
            raise Refusal(
                f"decode: threads {self.threads} and batch_seconds {self.batch_seconds} "
                "must be at least 1 and above 0"
            )
        if not self.length_scale > 0:
            raise Refusal(
                f"decode.length_scale: {self.length_scale:g} is not above 0",
                mend="1 is the usual pace, 1.2 is slower",
            )
        if self.repeat < 1:
            raise Refusal(f"decode.repeat: {self.repeat} is not at least 1")
        guidance = self.sampler.guidance
        if (guidance is not None and guidance.weaker) != (self.weaker is not None):
            raise Refusal(
                f"decode.weaker: {self.weaker}, with decode.sampler.guidance {guidance}",
                mend="give both Autoguidance and a checkpoint to lead away from, or neither",
            )
        if not 0 < self.overlap_seconds <= self.chunk_seconds / 2:
            raise Refusal(
                f"decode.overlap_seconds: {self.overlap_seconds} is not between 0 and half of "
                f"decode.chunk_seconds: {self.chunk_seconds}",
                mend="for example 0.5 and 8.0",
            )
