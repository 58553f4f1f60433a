"""The stage: a folder of wavs and a test set in; tables, results and a report out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diffaudio import provenance
from diffaudio.data.audio import AudioSpec
from diffaudio.files import exclusive
from diffaudio.origins import Usual, none_usual
from diffaudio.score.request import Request, Work
from diffaudio.score.spec import VERSION, ScoreSpec
from diffaudio.score.utterances import utterances

__all__ = ["score"]


def score(
    request: Request,
    audio: AudioSpec,
    spec: ScoreSpec,
    *,
    keys: Mapping[str, Any],
    inputs: Mapping[str, str],
    nj: int,
    force: bool,
    usual: Usual = none_usual,
) -> None:
    """Score a folder of wavs, unless that is done.

    Args:
        request: what, and where to.
        audio: rate and roles; `target` is the reference, `given` the baseline.
        spec: metrics, intervals, report; with `sets`, who listens to what has no reference.
        keys: the flat configuration keys that scoring reads.
        inputs: name to digest of what the wavs are, or of what they were made from.
        nj: utterances scored at once.
        force: score again.
        usual: whether one of the keys has its default.

    Raises:
        Refusal: nothing can be measured, or wavs are missing, superfluous or do not fit.
    """
    work = _work(request, audio, spec, nj=nj, force=force)
    with exclusive(request.out):
        if provenance.begin(
            request.out,
            stage="score",
            version=VERSION,
            keys={**keys, **work.named},
            usual=usual,
            inputs={**inputs, **work.read},
            force=force,
            outputs=work.outputs,
        ):
            work.run()
            provenance.finish(request.out)


def _work(request: Request, audio: AudioSpec, spec: ScoreSpec, *, nj: int, force: bool) -> Work:
    """Return the kind of score that is asked for: by utterance, or by set."""
    if spec.sets is None:
        return utterances(request, audio, spec, nj=nj, force=force)
    from diffaudio.score.generated import generated  # the only one to import torch

    return generated(request, audio, spec, nj=nj, force=force)
