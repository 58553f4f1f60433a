"""The recipe's own modules, imported as its scripts import them: by name, from their folder."""

import numpy as np
import pytest
import soundfile
from recipe import modules_of

NAMES = ("alignment", "data", "heard", "layout", "mini", "official", "pauses", "sentences")
NAMES += ("spoken", "synthetic", "voice")
RATE = 16000


@pytest.fixture(scope="session")
def local():
    """Return the modules of egs/ljspeech/local by name."""
    return modules_of("ljspeech", NAMES)


def tone(seconds, pitch=300.0):
    return 0.3 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * RATE)) / RATE)


@pytest.fixture
def phrases():
    """Return a maker of a recording: (seconds of speech, seconds of the pause after it) each."""

    def make(*spans, before=0.3):
        random = np.random.default_rng(0)
        parts = [np.zeros(round(before * RATE))]
        for speech, pause in spans:
            parts += [tone(speech), np.zeros(round(pause * RATE))]
        sound = np.concatenate(parts)
        return (sound + 3e-5 * random.standard_normal(len(sound))).astype(np.float32)

    return make


@pytest.fixture
def folder(tmp_path):
    """Return a corpus in the official layout: 30 utterances, some texts in two columns."""
    root = tmp_path / "corpus"
    (root / "wavs").mkdir(parents=True)
    lines = []
    for number in range(30):
        name = f"LJ{1 + number // 10:03}-{number % 10:04}"
        soundfile.write(root / "wavs" / f"{name}.wav", tone(1.0 + number / 100), RATE)
        lines.append(f'{name}|He said "no" {number} times.|He said "no" n{"o" * number} times.\n')
    lines[3] = "LJ001-0003|Only as written.\n"
    lines[4] = "LJ001-0004|Without the last|\n"
    (root / "metadata.csv").write_text("".join(lines), encoding="utf-8")
    return root
