import io
import json
import multiprocessing
import os
import pickle
import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from diffaudio.data import columns, convert, merge, shards
from diffaudio.data.index import Index, Window
from diffaudio.data.shards import ShardError
from diffaudio.log import Refusal


@pytest.fixture
def copied(small, tmp_path):
    """A copy of the small data set that a test may damage."""
    shutil.copytree(small[0], tmp_path / "copy")
    return tmp_path / "copy"


def pcm(x):
    return (x * 32768).astype(np.int16)


def test_every_item_is_read_back(small):
    folder, truth = small
    index = Index.open(folder)
    assert len(index) == len(truth)
    assert index.roles == ("clean", "noisy")
    assert [index.id(i) for i in range(len(index))] == list(truth)
    for i, (name, audio) in enumerate(truth.items()):
        assert index.find(name) == i
        assert index.samples[i] == len(audio["clean"])
        assert index.row(i)["speaker"] == "s"
        for role in ("clean", "noisy"):
            x = index.read(i, role)
            assert x.dtype == np.float32
            np.testing.assert_array_equal(pcm(x), audio[role])


def test_crops_are_exact(small):
    folder, truth = small
    index, random = Index.open(folder), np.random.default_rng(1)
    for i, audio in enumerate(truth.values()):
        samples = len(audio["noisy"])
        start = int(random.integers(samples))
        frames = int(random.integers(samples - start + 1))
        crop = pcm(index.read(i, "noisy", start, frames))
        np.testing.assert_array_equal(crop, audio["noisy"][start : start + frames])
        np.testing.assert_array_equal(pcm(index.read(i, "noisy", start)), audio["noisy"][start:])


def test_stereo_crops_of_a_long_item_touch_few_bytes(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    x = random.normal(0, 3000, (8000 * 120, 2)).astype(np.int16)
    file = io.BytesIO()
    soundfile.write(file, x, 8000, format="FLAC", subtype="PCM_16")
    path = tmp_path / "0.tar"
    with shards.create(path) as shard:
        shard.write("long", {"mix.flac": file.getvalue()}, {}, samples=len(x))
    index = merge.build(tmp_path, [path], rate=8000)
    touched = []
    preadv = os.preadv
    monkeypatch.setattr(os, "preadv", lambda *a: (touched.append(preadv(*a)), touched[-1])[1])
    for start in (0, 123_457, len(x) - 12_000):
        touched.clear()
        np.testing.assert_array_equal(
            pcm(index.read(0, "mix", start, 12_000)), x[start : start + 12_000]
        )
        assert sum(touched) < path.stat().st_size / 4


@pytest.mark.parametrize(("start", "frames"), [(-1, 5), (0, 10_000), (399, -1), (10_000, None)])
def test_crops_outside_are_refused(small, start, frames):
    with pytest.raises(ValueError, match=r"item-00: samples .* of"):
        Index.open(small[0]).read(0, "clean", start, frames)


def test_unknown_names(small):
    index = Index.open(small[0])
    for name in ("", "item", "item-02x", "zzz"):
        with pytest.raises(KeyError):
            index.find(name)
    with pytest.raises(KeyError, match="there are clean"):
        index.read(0, "drums")


def test_more_shards_than_open_files(small, monkeypatch):
    monkeypatch.setattr("diffaudio.data.index._OPEN", 2)
    index = Index.open(small[0])
    before = len(os.listdir("/proc/self/fd"))
    for i in np.random.default_rng(0).permutation(len(index)):
        index.row(int(i))
    assert len(os.listdir("/proc/self/fd")) == before + 2


def test_pickled_it_opens_itself_again(small):
    index = Index.open(small[0])
    again = pickle.loads(pickle.dumps(index))
    assert again.sha256 == index.sha256
    np.testing.assert_array_equal(again.read(7, "clean"), index.read(7, "clean"))
    assert len(pickle.dumps(index)) < 500


def _read_all(index, queue):
    queue.put(sum(float(index.read(i, "clean").sum()) for i in range(len(index))))


def test_forked_readers_do_not_disturb_each_other(small):
    index = Index.open(small[0])
    index.read(0, "clean")  # a descriptor that the children inherit
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    children = [context.Process(target=_read_all, args=(index, queue)) for _ in range(3)]
    for child in children:
        child.start()
    _read_all(index, queue)
    sums = {queue.get(timeout=30) for _ in range(4)}
    for child in children:
        child.join()
    assert len(sums) == 1


def test_identity_changes_with_the_content(small, tmp_path):
    index = Index.open(small[0])
    paths = []
    for number, samples in enumerate((5, 6)):
        folder = tmp_path / str(number)
        paths.append(folder / "0.tar")
        with shards.create(paths[-1]) as shard:
            shard.write("a", {}, {}, samples=samples)
    first, second = (merge.build(path.parent, [path], rate=8000) for path in paths)
    assert len({index.sha256, first.sha256, second.sha256}) == 3


def test_a_missing_index(tmp_path):
    with pytest.raises(Refusal, match=r"index\.json: no such file"):
        Index.open(tmp_path)


@pytest.mark.parametrize("letter", [b"/", b".", b"\0", b"\n", b"\xff"])
def test_an_id_that_is_no_plain_name_is_refused(copied, letter):
    """An id becomes the name of a file: ../../escaped must not leave the folder."""
    about, held = columns.load(copied / "index")
    held = {name: np.array(column) for name, column in held.items()}
    held["ids"][5] = letter[0]
    columns.save(copied / "index", about, held)
    with pytest.raises(ShardError, match=r"ids\.npy: holds letters that no id may have"):
        Index.open(copied)


@pytest.mark.parametrize("shift", [7, -7, 300])
def test_ends_that_make_no_ids_are_refused(copied, shift):
    about, held = columns.load(copied / "index")
    held = {name: np.array(column) for name, column in held.items()}
    held["ends"][3] = (int(held["ends"][3]) + shift) % 2**32
    columns.save(copied / "index", about, held)
    with pytest.raises(ShardError, match=r"ends\.npy"):
        Index.open(copied)


def test_a_shard_elsewhere_is_refused(copied):
    about, held = columns.load(copied / "index")
    first, *others = about.shards
    moved = [(f"../{copied.name}/{first[0]}", *first[1:]), *others]
    columns.save(copied / "index", replace(about, shards=moved), held)
    with pytest.raises(ShardError, match="does not lie beside it"):
        Index.open(copied)


def test_replaced_missing_and_cut_shards_are_refused(copied):
    path, other = copied / "000008.tar", copied / "000016.tar"
    data = path.read_bytes()
    for changed in (other.read_bytes(), data[:-512], data[:-1] + b"\1"):
        path.write_bytes(changed)
        with pytest.raises(ShardError, match="000008"):
            Index.open(copied)
    path.unlink()
    with pytest.raises(ShardError, match="000008"):
        Index.open(copied)


def test_a_shard_of_other_content_and_the_same_size_is_refused(copied):
    path = copied / "000008.tar"
    entries, data, size = shards.read_index(path), path.read_bytes(), path.stat().st_size
    with shards.create(path) as shard:
        for entry in entries:
            fields = {
                name: data[field.offset : field.offset + field.size]
                for name, field in entry.fields.items()
            }
            meta = json.loads(fields.pop("json"))
            shard.write(entry.key, fields, {**meta, "speaker": "t"}, samples=entry.samples)
    assert path.stat().st_size == size
    with pytest.raises(ShardError, match=r"000008\.tar: is not the shard that was indexed"):
        Index.open(copied)


def one_item(folder, data, samples, rate):
    with shards.create(folder / "a.tar") as shard:
        shard.write("a", {"x.flac": data}, {}, samples=samples)
    return merge.build(folder, [folder / "a.tar"], rate=rate)


def test_audio_unlike_its_index_is_refused(tmp_path):
    data = convert.encode(np.ones((1000, 1), np.int16), 8000)
    assert len(one_item(tmp_path, data, 1000, 8000).read(0, "x")) == 1000
    for samples, rate in ((999, 8000), (1001, 8000), (1 << 31, 8000), (1000, 16000)):
        index = one_item(tmp_path, data, samples, rate)
        for read in ((0, None), (0, 5)):
            with pytest.raises(ShardError, match="header does not match"):
                index.read(0, "x", *read)


def test_audio_that_ends_before_its_header_says(tmp_path):
    """A FLAC header may claim any length; nothing may come back short or made up."""
    data = bytearray(convert.encode(np.ones((5000, 1), np.int16), 8000))
    data[22:26] = (1 << 20).to_bytes(4, "big")  # the low 32 bits of the number of samples
    index = one_item(tmp_path, bytes(data), 1 << 20, 8000)
    for read in ((0, None), (0, 6000), (4000, 2000), (1 << 19, 10)):
        with pytest.raises(ShardError, match="x.flac is damaged"):
            index.read(0, "x", *read)


def test_flipped_audio_is_rejected_whole_and_never_wrong_in_a_crop(copied, small):
    """CRC-32 guards whole items; FLAC's own checksums guard crops."""
    truth = small[1]["item-00"]["clean"]
    entry = shards.read_index(copied / "000000.tar")[0].fields["clean.flac"]
    data = (copied / "000000.tar").read_bytes()
    index = Index.open(copied)
    rejected = 0
    with (copied / "000000.tar").open("r+b", buffering=0) as file:
        for position in range(entry.offset, entry.offset + entry.size, 7):
            os.pwrite(file.fileno(), bytes([data[position] ^ 1 << position % 8]), position)
            with pytest.raises(ShardError, match="item-00.*CRC-32"):
                index.read(0, "clean")
            try:
                np.testing.assert_array_equal(pcm(index.read(0, "clean", 1, 300)), truth[1:301])
            except ShardError:
                rejected += 1
            os.pwrite(file.fileno(), data[position : position + 1], position)
    assert rejected > 10


def test_window_is_a_file_of_its_own(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(bytes(range(100)))
    with path.open("rb") as file:
        window = Window(file.fileno(), 10, 50)
        assert window.read(3) == bytes([10, 11, 12])
        assert window.seek(-2, os.SEEK_END) == 48
        assert window.read() == bytes([58, 59])
        assert window.read(1) == b""
        assert window.seek(1) == 1
        assert window.seek(2, os.SEEK_CUR) == window.tell() == 3
        assert window.seek(80) == 80
        assert window.read(1) == b""
        with pytest.raises(ValueError, match="before"):
            window.seek(-1)
        assert file.tell() == 0
