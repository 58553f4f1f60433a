import io

import numpy as np
import pytest
import soundfile

from diffaudio.files import read_json
from diffaudio.log import Refusal


def noise(number):
    file = io.BytesIO()
    samples = 0.1 * np.random.default_rng(number).standard_normal(20000)
    soundfile.write(file, samples, 16000, format="WAV")
    return file.getvalue()


@pytest.fixture
def fetched(local, prompt_packages, tmp_path, monkeypatch):
    """Five languages and forty noises in twenty scenes instead of what apt would bring."""
    contents = {}
    for tongue, count in {"en": 30, "es": 30, "fr": 30, "it": 30, "ru": 12}.items():
        contents |= prompt_packages(tongue, 100.0 + 20 * np.arange(count) + len(contents))
    scenes = {f"s/Scene{chr(97 + i // 2)}{i}.wav": noise(i) for i in range(40)}
    contents["lincity-ng-data"] = scenes
    for name in contents:
        contents[name][f"./usr/share/doc/{name}/copyright"] = f"Credits of {name}".encode()
    files = {name: tmp_path / f"{name}_1_all.deb" for name in contents}
    monkeypatch.setattr(local.mini, "fetch", lambda *_: files)
    monkeypatch.setattr(local.mini, "read", lambda path, _: contents[path.name.split("_")[0]])


def test_too_few_noises_are_refused(local, fetched, tmp_path):
    with pytest.raises(Refusal, match="only 40 noises in lincity-ng-data"):
        local.mini.make(tmp_path / "mini", tmp_path)


def test_speakers_and_scenes_of_the_test_are_in_no_other_split(
    local, fetched, tmp_path, monkeypatch
):
    monkeypatch.setattr(local.mini, "FEWEST_NOISES", 40)
    local.mini.make(tmp_path / "mini", tmp_path)
    speakers, scenes = {}, {}
    for row in local.data.rows(tmp_path / "mini"):
        speakers.setdefault(row["split"], set()).add(row["speaker"])
        names = {name for name in row["noise"].split("+") if name.startswith("lincity")}
        scenes[row["split"]] = scenes.get(row["split"], set()) | names
    assert speakers == {
        "test": {"ivrvoice"},
        "valid": {"june"},
        "train": {"allison", "june", "carlo"},
    }
    assert scenes["test"]
    assert not scenes["test"] & (scenes["train"] | scenes["valid"])
    credits = (tmp_path / "mini" / "CREDITS.txt").read_text()
    assert "Credits of lincity-ng-data" in credits
    assert "asterisk-core-sounds-ru-g722_1_all.deb" in credits
    assert read_json(tmp_path / "mini" / "corpus.json")["valid"] == ["june_9"]
