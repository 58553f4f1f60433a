"""The record of a stage; what `provenance` makes of it is tested there."""

import pytest

from diffaudio import records
from diffaudio.files import digest, write_json
from diffaudio.log import Refusal

KEYS, INPUTS = {"audio.rate": 16000}, {"corpus": "ab"}


def test_the_identity_is_of_keys_inputs_and_version_alone(tmp_path):
    one = records.begun(tmp_path, "shard", 1, KEYS, INPUTS)
    assert records.identity({**one, "finished": "today"}) == records.identity(one)
    others = [
        records.begun(tmp_path, "score", 1, KEYS, INPUTS),
        records.begun(tmp_path, "shard", 2, KEYS, INPUTS),
        records.begun(tmp_path, "shard", 1, {"audio.rate": 8000}, INPUTS),
        records.begun(tmp_path, "shard", 1, KEYS, {"corpus": "cd"}),
    ]
    found = {records.identity(record) for record in (one, *others)}
    assert len(found) == 5


def test_only_what_is_finished_has_a_fingerprint(tmp_path):
    assert records.fingerprint(tmp_path) == ""
    record = records.begun(tmp_path, "shard", 1, KEYS, INPUTS)
    write_json(tmp_path / records.RECORD, record)
    assert records.fingerprint(tmp_path) == ""
    write_json(tmp_path / records.RECORD, {**record, "finished": "today"})
    assert records.fingerprint(tmp_path) == records.identity(record)


def test_what_an_input_was_made_from_is_looked_at_too(tmp_path):
    shards, features = tmp_path / "shards", tmp_path / "features"
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("one")
    made = records.begun(shards, "shard", 1, KEYS, {str(corpus): digest(corpus)})
    write_json(shards / records.RECORD, {**made, "finished": "today"})
    above = {str(shards): records.fingerprint(shards)}
    record = records.begun(features, "extract", 1, KEYS, above)
    assert list(records.moved(features, record, deep=True)) == []
    corpus.write_text("two")
    assert list(records.moved(features, record, deep=False)) == []
    (reason,) = records.moved(features, record, deep=True)
    assert "corpus.txt" in reason
    assert "(input of " in reason


def test_a_file_that_is_no_record_is_refused(tmp_path):
    write_json(tmp_path / records.RECORD, {"stage": "shard"})
    with pytest.raises(Refusal, match="is not the record of a stage"):
        records.read(tmp_path)
