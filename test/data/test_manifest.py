import json

import pytest

from diffaudio.data import manifest
from diffaudio.files import write_json
from diffaudio.log import Refusal


def rows(*names):
    return [{"id": name, "audio": {"clean": f"{name}.wav"}} for name in names]


def test_rows_come_back_in_the_order_of_their_ids(tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "_RUN", 3)  # several runs are merged
    names = [f"{number * 7919 % 100:02d}-{number}" for number in range(50)]
    manifest.write(tmp_path / "a.jsonl", rows(*names))
    assert [row["id"] for row in manifest.read(tmp_path / "a.jsonl")] == sorted(names)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def test_the_order_is_that_of_the_ids_not_of_the_lines(tmp_path):
    manifest.write(tmp_path / "a.jsonl", rows("a_1", "a-1", "a", "B", "aa", "1"))
    order = [row["id"] for row in manifest.read(tmp_path / "a.jsonl")]
    assert order == ["1", "B", "a", "a-1", "a_1", "aa"]


def test_the_file_does_not_depend_on_the_order_of_the_rows(tmp_path):
    manifest.write(tmp_path / "a.jsonl", rows("x", "y", "z"))
    manifest.write(tmp_path / "b.jsonl", rows("z", "x", "y"))
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_text_is_utf8_and_any_file_name_survives(tmp_path):
    row = {"id": "a", "audio": {"clean": "a \"b\" $(c)\n'🎵'.wav"}, "text": "Prüfung"}
    manifest.write(tmp_path / "a.jsonl", [row])
    assert list(manifest.read(tmp_path / "a.jsonl")) == [row]
    assert "Prüfung".encode() in (tmp_path / "a.jsonl").read_bytes()


def test_the_line_begins_with_the_id():
    assert manifest.encode({"audio": {}, "id": "x"}).startswith(b'{"id": "x"')


def test_a_generator_that_fails_leaves_the_old_manifest(tmp_path):
    manifest.write(tmp_path / "a.jsonl", rows("old"))

    def broken():
        yield from rows("new")
        raise KeyError("half way")

    with pytest.raises(KeyError):
        manifest.write(tmp_path / "a.jsonl", broken())
    assert [row["id"] for row in manifest.read(tmp_path / "a.jsonl")] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b'{"id": "b", "audio": ', "not JSON"),
        (b'{"id": "b\xff", "audio": {}}', "not JSON"),
        (b'["b"]', "not an object"),
        (b'{"audio": {}}', "not an object"),
        (b'{"id": 3, "audio": {}}', "not an object"),
        (b"", "not JSON"),
    ],
)
def test_a_bad_line_is_named_by_its_number(tmp_path, line, what):
    good = json.dumps({"id": "a", "audio": {}}).encode()
    (tmp_path / "a.jsonl").write_bytes(good + b"\n" + line + b"\n")
    with pytest.raises(Refusal, match=rf"a\.jsonl, line 2: {what}"):
        list(manifest.read(tmp_path / "a.jsonl"))


def test_no_manifest(tmp_path):
    with pytest.raises(Refusal, match="no such manifest") as caught:
        list(manifest.read(tmp_path / "a.jsonl"))
    assert "diffaudio manifest" in caught.value.mend


def test_the_root_is_in_corpus_json(tmp_path):
    write_json(tmp_path / "corpus.json", {"root": "/somewhere"})
    assert str(manifest.root(tmp_path)) == "/somewhere"
    write_json(tmp_path / "corpus.json", {"root": "../corpus"})
    assert manifest.root(tmp_path) == tmp_path.parent / "corpus"
    for other in ({}, [], 3):
        write_json(tmp_path / "corpus.json", other)
        with pytest.raises(Refusal, match=r"corpus\.json: has no root"):
            manifest.root(tmp_path)
