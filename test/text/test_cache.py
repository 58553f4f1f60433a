import pytest

from diffaudio.log import Refusal
from diffaudio.text import Cache, Characters, FrontEnd

TEXTS = ["It cost $5.", "Press 1.", "It cost $5.", "Why?"]


class Counting:
    """A front end that counts what it is asked to read."""

    def __init__(self, front_end):
        self.inner, self.asked = front_end, []
        self.units, self.digest = front_end.units, front_end.digest

    def read(self, text, *, place="text"):
        self.asked.append(text)
        return self.inner.read(text, place=place)


def read_all(path, units=None):
    counting = Counting(FrontEnd(units or Characters()))
    with Cache(path, counting) as cache:
        found = [cache.read(text) for text in TEXTS]
    return found, counting.asked


def test_a_text_is_read_once_and_the_reading_is_the_same(tmp_path):
    path = tmp_path / "readings.jsonl"
    first, asked = read_all(path)
    again, nothing = read_all(path)
    assert asked == ["It cost $5.", "Press 1.", "Why?"]
    assert nothing == []
    assert first == again == [FrontEnd(Characters()).read(text) for text in TEXTS]


def test_another_front_end_reads_anew_and_both_stay(tmp_path):
    path = tmp_path / "readings.jsonl"
    read_all(path)
    with_blanks, asked = read_all(path, Characters(blank=True))
    assert len(asked) == 3
    assert with_blanks[0].symbols[0] == "<blank>"
    assert read_all(path)[1] == read_all(path, Characters(blank=True))[1] == []


@pytest.mark.parametrize("damage", ["cut", "turned", "emptied", "other"])
def test_a_damaged_file_is_noticed_and_made_again(tmp_path, caplog, damage):
    path = tmp_path / "readings.jsonl"
    first, asked = read_all(path)
    whole = path.read_bytes()
    harmed = {
        "cut": whole[:-40],
        "turned": whole.replace(b"five", b"nine", 1),
        "emptied": b"",
        "other": b"[1, 2]\n{}\n",
    }
    path.write_bytes(harmed[damage])
    found, again = read_all(path)
    assert (found, again) == (first, asked)
    assert "damaged; its readings are made again" in caplog.text
    assert path.read_bytes() == whole


def test_what_was_read_before_a_fault_is_kept_and_the_fault_is_not(tmp_path):
    path = tmp_path / "readings.jsonl"

    def read():
        with Cache(path, FrontEnd(Characters())) as cache:
            cache.read("Why?", place="a1")
            cache.read("😀", place="a2")

    with pytest.raises(Refusal, match="a2: Characters have no '😀'"):
        read()
    with Cache(path, FrontEnd(Characters())) as cache:
        cache.read("Why?")
        assert (cache.found, cache.made) == (1, 0)


def test_nothing_new_writes_nothing(tmp_path):
    path = tmp_path / "readings.jsonl"
    read_all(path)
    before = path.stat().st_ino
    read_all(path)
    assert path.stat().st_ino == before
    assert [file.name for file in tmp_path.iterdir()] == ["readings.jsonl"]
