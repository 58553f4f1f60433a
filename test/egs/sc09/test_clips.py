import numpy as np
import pytest
import soundfile

from diffaudio.data.plan import generator
from diffaudio.files import read_json

RATE = 16000


def word(seconds, before=0.0, after=0.0, seed=0):
    """Return noise of a word's length between silences."""
    x = 0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE))
    return np.concatenate([np.zeros(int(before * RATE)), x, np.zeros(int(after * RATE))])


def placed(made):
    """Return where the word of a clip begins and ends, in samples."""
    loud = np.flatnonzero(np.abs(made) > 5 * 2e-4)
    return loud[0], loud[-1] + 1


def test_a_word_is_trimmed_and_lies_anywhere_in_its_second(local):
    made = [
        local.clips.clip(word(0.5, before=0.7, after=0.4), generator("clip", n)) for n in range(60)
    ]
    assert {len(x) for x in made} == {RATE}
    starts, lengths = zip(*[(a, b - a) for a, b in map(placed, made)], strict=True)
    assert max(lengths) <= int(0.5 * RATE) + 2 * local.clips.MARGIN
    assert min(lengths) > 0.49 * RATE
    assert min(starts) < 0.1 * RATE
    assert max(starts) > 0.35 * RATE


def test_levels_are_those_that_were_asked_for_and_silence_is_faint_noise(local):
    levels, quiet = [], []
    for number in range(60):
        made = local.clips.clip(word(0.5, before=0.5), generator("clip", number))
        start, end = placed(made)
        levels.append(20 * np.log10(made[start:end].std()))
        quiet += [made[: max(start - 400, 0)], made[end + 400 :]]
    assert -26.5 < min(levels) < -25
    assert -19 < max(levels) < -17.4
    assert np.concatenate(quiet).std() == pytest.approx(local.clips.FLOOR, rel=0.03)


def test_of_a_long_recording_the_loudest_second_is_kept(local):
    long = np.concatenate([0.2 * word(1.0), word(1.0, seed=1), 0.2 * word(1.0, seed=2)])
    made = local.clips.clip(long, generator("clip"))
    kept = long[RATE : 2 * RATE]
    assert np.corrcoef(made, kept)[0, 1] > 0.99


def test_peaks_stay_below_full_scale(local):
    click = np.concatenate([[0.9], 1e-2 * word(0.5)])
    assert np.abs(local.clips.clip(click, generator("clip"))).max() < 1.0


def test_layout_lists_and_speakers_on_disk(local, tmp_path):
    clips = local.clips
    ann = clips.Speaker("ann", "train", "synthetic")
    eve = clips.Speaker("eve", "test", "real")
    digits = [
        clips.Digit(ann, "one", word(0.3)),
        clips.Digit(ann, "one", word(0.3, seed=1)),
        clips.Digit(eve, "nine", word(0.3)),
    ]
    for folder in (tmp_path / "a", tmp_path / "b"):
        clips.write(digits, folder)
    names = [f"one/{ann.code}_nohash_0.wav", f"one/{ann.code}_nohash_1.wav"]
    names.append(f"nine/{eve.code}_nohash_0.wav")
    found = {str(path.relative_to(tmp_path / "a")) for path in (tmp_path / "a").rglob("*.wav")}
    assert found == set(names)
    assert len(ann.code) == 8
    assert soundfile.info(tmp_path / "a" / names[0]).samplerate == RATE
    assert (tmp_path / "a" / "testing_list.txt").read_text() == f"{names[2]}\n"
    assert (tmp_path / "a" / "validation_list.txt").read_text() == ""
    assert read_json(tmp_path / "a" / "speakers.json")[eve.code] == {
        "source": "real",
        "voice": "eve",
    }
    same = [(tmp_path / one / name).read_bytes() for name in names for one in "ab"]
    assert same[::2] == same[1::2]  # made twice, the same bytes
    assert len(set(same)) == 3
