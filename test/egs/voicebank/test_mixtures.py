import numpy as np
import pytest
import soundfile

RATE = 16000


def tone(seconds, pitch=200.0, gain=0.3):
    return (gain * np.sin(2 * np.pi * pitch * np.arange(int(seconds * RATE)) / RATE)).astype("f4")


def prompts(count, seed, seconds=(0.5, 4.0)):
    random = np.random.default_rng(seed)
    lengths = random.uniform(*seconds, count)
    return [0.1 * random.standard_normal(int(n * RATE)).astype("f4") for n in lengths]


@pytest.fixture
def parts(local):
    voices = [
        local.mixtures.Voice("ann", "en", "train", prompts(60, 1)),
        local.mixtures.Voice("ann", "es", "train", prompts(60, 2)),
        local.mixtures.Voice("bob", "fr", "valid", prompts(60, 3)),
        local.mixtures.Voice("eve", "ru", "test", prompts(200, 4, (2.0, 2.5))),
    ]
    noises = [
        local.mixtures.Noise(f"{source}-s{i}", f"{source}-s{i // 2}", i % 3 == 0, tone(1.5, 90 + i))
        for source in ("park", "mill")
        for i in range(60)
    ]
    return local.mixtures.deal(voices, noises)


def test_nothing_is_in_two_parts(parts):
    for kind in ("speech", "scenes", "talkers"):
        seen = []
        for part in parts.values():
            held = getattr(part, kind)
            if kind == "scenes":
                seen.append({noise.scene for noise in held})
            elif kind == "talkers":
                seen.append({x.tobytes() for voice in held.values() for x in voice})
            else:
                seen.append(set(held))
        assert all(seen)
        assert not seen[0] & seen[1]
        assert not seen[0] & seen[2]
        assert not seen[1] & seen[2]


def test_the_test_speaker_is_in_no_other_part(parts):
    speakers = {name: {key.split("_")[0] for key in part.speech} for name, part in parts.items()}
    assert speakers == {"train": {"ann", "bob"}, "valid": {"bob"}, "test": {"eve"}}
    assert all("eve" not in part.talkers for part in parts.values())
    assert len(parts["test"].speech) == 128
    assert all(name.startswith("bob_9") for name in parts["valid"].speech)
    assert not any(name.startswith("bob_9") for name in parts["train"].speech)


def test_scenes_are_dealt_one_in_five_and_one_in_ten(parts):
    counts = {name: len({n.scene for n in part.scenes}) for name, part in parts.items()}
    assert counts == {"train": 42, "valid": 6, "test": 12}


def test_utterances_are_cut_at_pauses_and_joined(local):
    long = tone(13.0)
    long[7 * RATE : 7 * RATE + RATE // 5] = 0.0
    short = [tone(0.9), tone(1.2), tone(0.5)]
    cut, rest, joined = local.mixtures.utterances([long, *short])
    assert 7.0 <= len(cut) / RATE <= 7.2
    assert len(cut) + len(rest) == len(long)
    assert len(joined) == int(0.9 * RATE) + RATE // 4 + int(1.2 * RATE)


def test_utterances_lose_no_long_prompt(local):
    source = prompts(30, 7, (2.0, 40.0))
    made = list(local.mixtures.utterances(source))
    assert sum(map(len, made)) == pytest.approx(sum(map(len, source)), rel=0.02)
    assert all(2.0 <= len(x) / RATE <= 12.0 for x in made)


def test_the_level_leaves_pauses_out(local):
    speech = np.concatenate([tone(1.0), np.zeros(3 * RATE, "f4")])
    assert local.mixtures.level(speech) == pytest.approx(0.3**2 / 2, rel=1e-3)


@pytest.mark.parametrize("snr", [0.0, 2.5, 17.5])
def test_the_mixture_has_the_snr_and_is_the_sum(local, snr):
    noise = np.random.default_rng(0).standard_normal(2 * RATE)
    clean, noisy = local.mixtures.mix(tone(2.0), noise, snr)
    added = noisy - clean
    assert 10 * np.log10((clean**2).mean() / (added**2).mean()) == pytest.approx(snr, abs=1e-3)
    assert np.corrcoef(added, noise)[0, 1] == pytest.approx(1.0)


def test_a_loud_mixture_is_scaled_with_its_clean_speech(local):
    loud = tone(2.0, gain=0.9)
    clean, noisy = local.mixtures.mix(loud, np.random.default_rng(0).standard_normal(2 * RATE), 0.0)
    assert np.abs(noisy).max() == pytest.approx(0.98)
    ratio = clean[1:100] / loud[1:100]
    assert ratio == pytest.approx(ratio[0])
    assert ratio[0] < 1


@pytest.mark.parametrize("kind", ["babble", "ssn", "scene+babble", "scene+ssn", "scene+wide"])
def test_the_noise_belongs_to_the_name(local, parts, kind):
    label, first = local.mixtures.noise_for(parts["test"], "eve_001", kind, 3 * RATE)
    again = local.mixtures.noise_for(parts["test"], "eve_001", kind, 3 * RATE)
    _, other = local.mixtures.noise_for(parts["test"], "eve_002", kind, 3 * RATE)
    assert again[0] == label
    assert np.array_equal(first, again[1])
    assert not np.array_equal(first, other)
    assert label.count("+") == kind.count("+")


def test_the_second_scene_is_wide(local, parts):
    wide = {noise.name for noise in parts["train"].scenes if noise.wide}
    for number in range(20):
        label, _ = local.mixtures.noise_for(parts["train"], f"ann_{number}", "scene+wide", RATE)
        assert label.split("+")[1] in wide


def test_speech_shaped_noise_has_the_spectrum_of_speech(local):
    part = local.mixtures.Part((0.0,), talkers={"a": [tone(2.0, 440.0)] * 20})
    _, noise = local.mixtures.noise_for(part, "b_1", "ssn", 4 * RATE)
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    peak = np.fft.rfftfreq(len(noise), 1 / RATE)[spectrum.argmax()]
    assert peak == pytest.approx(440, abs=40)


def test_a_loop_has_no_click(local):
    samples = tone(0.5, 217.3)  # its ends do not meet
    looped = local.mixtures._loop(samples, 5 * RATE, np.random.default_rng(0))
    assert len(looped) == 5 * RATE
    assert np.abs(np.diff(looped)).max() < 1.6 * np.abs(np.diff(samples)).max()


def test_the_corpus_on_disk(local, parts, tmp_path):
    for part in parts.values():
        part.speech = dict(list(part.speech.items())[:9])
    local.mixtures.write(parts, tmp_path / "a")
    local.mixtures.write(parts, tmp_path / "b")
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 2 * sum(len(part.speech) for part in parts.values()) + 2
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    logged = (tmp_path / "a" / "log_testset.txt").read_text().split("\n")[:5]
    assert [line.split(" ")[2] for line in logged] == ["2.5", "7.5", "12.5", "17.5", "2.5"]
    assert [line.split(" ")[1] for line in logged] == [*(4 * ["babble"]), "ssn"]
    clean, rate = soundfile.read(tmp_path / "a" / "clean_testset_wav" / "eve_002.wav")
    noisy, _ = soundfile.read(tmp_path / "a" / "noisy_testset_wav" / "eve_002.wav")
    assert rate == RATE
    ratio = local.mixtures.level(clean) / ((noisy - clean) ** 2).mean()
    assert 10 * np.log10(ratio) == pytest.approx(7.5, abs=0.05)
