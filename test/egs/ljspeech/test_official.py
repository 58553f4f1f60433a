"""The download and unpacking of the official archive, on a small one of the same shape."""

import hashlib
import io
import tarfile

import pytest

from diffaudio.files import read_json
from diffaudio.log import Refusal

NAME = "LJSpeech-1.1.tar.bz2"


def packed(members):
    """Return a .tar.bz2 of names and contents; a content that is a string is a link to it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:bz2") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


@pytest.fixture
def members(folder):
    """Return what the official archive holds, in small."""
    texts = {name: (folder / name).read_bytes() for name in ("metadata.csv",)}
    texts["README"] = b"The LJ Speech Dataset"
    sounds = {f"wavs/{path.name}": path.read_bytes() for path in (folder / "wavs").iterdir()}
    return {f"LJSpeech-1.1/{name}": content for name, content in {**sounds, **texts}.items()}


@pytest.fixture
def serve(server, members):
    """Put the archive on the server; return its address and checksum."""
    body = packed(members)
    server.files[f"/{NAME}"] = body
    checksum = f"sha256:{hashlib.sha256(body).hexdigest()}"
    return {"url": server.address.format(NAME), "checksum": checksum}


def test_the_corpus_is_downloaded_and_unpacked(local, server, serve, members, tmp_path):
    root = tmp_path / "official"
    local.official.make(root, tmp_path, **serve)
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    wanted = {name.removeprefix("LJSpeech-1.1/") for name in members}
    assert found == wanted | {"corpus.json"}
    assert (root / "README").read_bytes() == b"The LJ Speech Dataset"
    assert read_json(root / "corpus.json") == {
        "label": "LJSpeech-1.1",
        "comparable": ["test.txt", "valid.txt"],  # published lists, which are not in the archive
    }
    assert len(list(local.data.rows(root))) == 30
    asked = len(server.asked)
    local.official.make(root, tmp_path, **serve)  # over one that is there
    assert len(server.asked) == asked  # nothing is fetched twice


def test_a_download_that_broke_off_is_continued(local, server, serve, tmp_path):
    server.most = 1500
    with pytest.raises(Refusal, match="run again, it continues"):
        local.official.make(tmp_path / "official", tmp_path, **serve)
    server.most = 1 << 30
    local.official.make(tmp_path / "official", tmp_path, **serve)
    assert server.asked == [(f"/{NAME}", None), (f"/{NAME}", "bytes=1500-")]


def test_an_archive_that_is_not_the_published_one_is_refused(local, members, tmp_path):
    kept = tmp_path / "archives" / NAME
    kept.parent.mkdir()
    kept.write_bytes(packed(members))
    with pytest.raises(Refusal, match=r"sha256 \w+, expected be1a3045\w+ \(the published one\)"):
        local.official.make(tmp_path / "official", tmp_path)
    assert kept.is_file()  # what a user brought is not deleted


def test_no_member_is_written_elsewhere(local, tmp_path):
    bad = {
        "../wavs/out.wav": b"1",
        "/LJ/wavs/absolute.wav": b"2",
        "LJ/wavs/../../../up.wav": b"3",
        "LJ/wavs/link.wav": "/etc/passwd",
        "LJ/deep/wavs/x.wav": b"4",
        "LJ/wavs/._x.wav": b"5",
        "LJ/wavs/run.sh": b"6",
        "LJ/wavs/good.wav": b"7",
        "LJ/metadata.csv": b"8",
    }
    (tmp_path / "bad.tar.bz2").write_bytes(packed(bad))
    (tmp_path / "a" / "b").mkdir(parents=True)
    local.official.unpack(tmp_path / "bad.tar.bz2", tmp_path / "a" / "b")
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"bad.tar.bz2", "a/b/wavs/good.wav", "a/b/metadata.csv"}


@pytest.mark.parametrize("keep", [0.0, 0.1, 0.5, 0.95])
def test_a_damaged_archive_leaves_nothing(local, tmp_path, members, keep):
    whole = packed(members)
    (tmp_path / "a.tar.bz2").write_bytes(whole[: int(keep * len(whole))])
    (tmp_path / "out").mkdir()
    with pytest.raises(Refusal, match=r"a\.tar\.bz2: cannot be unpacked"):
        local.official.unpack(tmp_path / "a.tar.bz2", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_archive_of_something_else_is_refused(local, tmp_path):
    (tmp_path / "a.tar.bz2").write_bytes(packed({"x/wavs/a.wav": b"1"}))
    (tmp_path / "out").mkdir()
    with pytest.raises(Refusal, match=r"it has no metadata\.csv"):
        local.official.unpack(tmp_path / "a.tar.bz2", tmp_path / "out")
