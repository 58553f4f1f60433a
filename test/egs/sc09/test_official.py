import hashlib
import io
import tarfile

import pytest

from diffaudio.files import read_json
from diffaudio.log import Refusal


def packed(members):
    """Return a .tar.gz of names and contents; a content that is a string is a link to it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
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
def members(local):
    """Return what the official archive holds, in small."""
    clips = {f"./{word}/0a7c2a8d_nohash_0.wav": word.encode() * 999 for word in local.data.WORDS}
    texts = {"./validation_list.txt": b"zero/a.wav\n", "./testing_list.txt": b"one/b.wav\n"}
    return {**texts, "./LICENSE": b"CC BY 4.0", **clips, "./marvin/a_nohash_0.wav": b"no digit"}


def make(local, tmp_path, content):
    """Make the corpus of an archive that was brought by hand, so nothing is downloaded."""
    kept = tmp_path / "archives" / local.official.URL.rsplit("/", 1)[-1]
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(content)
    checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
    local.official.make(tmp_path / "official", tmp_path, checksum=checksum)
    return tmp_path / "official"


def test_the_digits_are_unpacked_and_nothing_else(local, tmp_path, members):
    root = make(local, tmp_path, packed(members))
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    wanted = {name.removeprefix("./") for name in members if "marvin" not in name}
    assert found == wanted | {"corpus.json"}
    assert (root / "six/0a7c2a8d_nohash_0.wav").read_bytes() == b"six" * 999
    assert read_json(root / "corpus.json")["comparable"]
    again = make(local, tmp_path, packed(members))  # over one that is there
    assert {str(path.relative_to(again)) for path in again.rglob("*") if path.is_file()} == found


def test_no_member_is_written_elsewhere(local, tmp_path):
    bad = {
        "../zero/out.wav": b"1",
        "/zero/absolute.wav": b"2",
        "./zero/../../up.wav": b"3",
        "./zero/link.wav": "/etc/passwd",
        "./deep/zero/x.wav": b"4",
        "./zero/._x.wav": b"5",
        "./zero/run.sh": b"6",
        "./zero/good.wav": b"7",
    }
    (tmp_path / "bad.tar.gz").write_bytes(packed(bad))
    (tmp_path / "a" / "b").mkdir(parents=True)
    local.official.unpack(tmp_path / "bad.tar.gz", tmp_path / "a" / "b")
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"bad.tar.gz", "a/b/zero/good.wav"}


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.95])
def test_a_damaged_archive_leaves_nothing(local, tmp_path, members, keep):
    whole = packed(members)
    (tmp_path / "a.tar.gz").write_bytes(whole[: int(keep * len(whole))])
    (tmp_path / "out").mkdir()
    with pytest.raises(Refusal, match=r"a\.tar\.gz: cannot be unpacked"):
        local.official.unpack(tmp_path / "a.tar.gz", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_archive_that_is_not_the_published_one_is_refused(local, tmp_path, members):
    kept = tmp_path / "archives" / "speech_commands_v0.02.tar.gz"
    kept.parent.mkdir()
    kept.write_bytes(packed(members))
    with pytest.raises(Refusal, match=r"sha256 \w+, expected af14739e\w+ \(the published one\)"):
        local.official.make(tmp_path / "official", tmp_path)
