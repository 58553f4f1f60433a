import io

import numpy as np
import pytest
import soundfile

from diffaudio.data import merge, mix, shards

RATE = 8000


def flac(x):
    file = io.BytesIO()
    soundfile.write(file, x, RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue()


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A data set of 30 items in 4 shards, 0.05 to 0.5 s; returns its folder and what it holds."""
    folder = tmp_path_factory.mktemp("small")
    random = np.random.default_rng(0)
    truth = {}
    for number in range(30):
        shape = (int(random.integers(400, 4000)), 1)
        clean, noise = random.normal(0, 2000, shape), random.normal(0, 300 + 20 * number, shape)
        truth[f"item-{number:02d}"] = {
            "clean": clean.astype(np.int16),
            "noisy": (clean + noise).astype(np.int16),
        }
    items = list(truth.items())
    paths = []
    for first in range(0, 30, 8):
        paths.append(folder / f"{first:06d}.tar")
        with shards.create(paths[-1]) as shard:
            for name, audio in items[first : first + 8]:
                float_audio = [audio[role] / np.float32(32768) for role in ("clean", "noisy")]
                shard.write(
                    name,
                    {f"{role}.flac": flac(x) for role, x in audio.items()},
                    {"id": name, "speaker": "s", "powers": mix.powers(*float_audio)},
                    samples=len(audio["clean"]),
                )
    merge.build(folder, paths, rate=RATE)
    return folder, truth
