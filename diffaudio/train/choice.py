"""What validation measures, and which of it chooses the best checkpoint: `train.valid_metric`."""

from __future__ import annotations

from diffaudio.data.audio import AudioSpec
from diffaudio.log import Refusal
from diffaudio.metrics import METRICS, Metric, available
from diffaudio.mistakes import suggest

__all__ = ["LOSS", "check", "measured"]

LOSS = "loss"  # reported beside the metrics, and may choose the best checkpoint; lower is better
_ALWAYS = ("SI-SDR", "PESQ", "ESTOI")  # beside the one that chooses


def check(choice: str, audio: AudioSpec) -> None:
    """Refuse a metric that cannot choose the best checkpoint here, of this audio.

    Args:
        choice: the key `train.valid_metric`.
        audio: what the model makes.

    Raises:
        Refusal: there is no such metric, it is not installed, needs another rate, or needs a
            reference, which what is generated from nothing has not, or a text.
    """
    if choice == LOSS:
        return
    if choice not in METRICS:
        mend = suggest(choice, [*METRICS, LOSS])
        raise Refusal(f"train.valid_metric: no metric {choice!r}", mend=mend)
    if METRICS[choice].needs_text or not METRICS[choice].same_length:
        raise Refusal(
            f"train.valid_metric: {choice} is of what is said, which validation does not know",
            mend=f"choose SI-SDR or {LOSS}",
        )
    if audio.given is None:
        raise Refusal(
            f"train.valid_metric: {choice} compares with a reference, but nothing is given",
            mend=f"choose {LOSS}",
        )
    rate, metric, mends = audio.rate, METRICS[choice], [f"choose SI-SDR or {LOSS}"]
    unfit, missing = metric.rate not in (None, rate), metric.missing()
    mends += [f"set audio.rate {metric.rate}"] * unfit + [metric.install] * bool(missing)
    if unfit or missing:
        raise Refusal(
            f"train.valid_metric: {choice} cannot be computed here"
            + (f" (it needs {metric.rate} Hz, audio.rate is {rate})" if unfit else ""),
            mend=", or ".join(mends),
        )


def measured(choice: str, audio: AudioSpec) -> list[Metric]:
    """Return the metrics of validation that can be computed here, of this audio.

    Where nothing is given there are none: what is generated has no reference.

    Raises:
        Refusal: as `check`.
    """
    check(choice, audio)
    if audio.given is None:
        return []
    names = dict.fromkeys([*_ALWAYS, *([choice] if choice != LOSS else [])])
    return [metric for metric in available(names) if metric.rate in (None, audio.rate)]
