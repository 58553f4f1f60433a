import hashlib
import io
import zipfile

import pytest

from diffaudio.files import read_json
from diffaudio.log import Refusal


def packed(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.fixture
def archives(local, server):
    """Return the archives of a fake corpus, which the server has."""
    found = []
    for name in (*local.data.FOLDERS, "logfiles"):
        members = {f"{name}/p232_{i}.wav": bytes([i]) * 5000 for i in range(3)}
        if name == "logfiles":
            members = {"log_testset.txt": b"p232_0 cafe 7.5\n", "log_readme.txt": b"read me"}
        body = packed(members)
        md5 = "" if name == "logfiles" else f"md5:{hashlib.md5(body).hexdigest()}"
        server.files[f"/{name}"] = body
        found.append(local.official.Archive(name, name, len(body), md5))
    return found


def make(local, server, archives, folder):
    local.official.make(folder / "official", folder, archives=archives, server=server.address)


def test_the_corpus_is_downloaded_and_unpacked(local, server, archives, tmp_path):
    make(local, server, archives, tmp_path)
    root = tmp_path / "official"
    for name in local.data.FOLDERS:
        assert (root / name / "p232_2.wav").read_bytes() == b"\2" * 5000
    assert read_json(root / "corpus.json") == {
        "label": "VoiceBank-DEMAND",
        "comparable": True,
    }
    assert (root / "log_testset.txt").read_text() == "p232_0 cafe 7.5\n"
    assert sorted(path.suffix for path in (tmp_path / "archives").iterdir()) == [
        ".sha256",
        *(5 * [".zip"]),
    ]
    asked = len(server.asked)
    make(local, server, archives, tmp_path)
    assert len(server.asked) == asked  # nothing is fetched twice


def test_an_archive_brought_by_hand_is_checked(local, server, archives, tmp_path):
    path = tmp_path / "archives" / f"{archives[0].name}.zip"
    path.parent.mkdir()
    path.write_bytes(b"not it")
    with pytest.raises(Refusal, match="md5"):
        make(local, server, archives, tmp_path)
    assert path.exists()  # what a user brought is not deleted
    path.write_bytes(server.files[f"/{archives[0].name}"])
    make(local, server, archives, tmp_path)
    assert (f"/{archives[0].name}", None) not in server.asked


def test_the_corpus_can_do_without_its_log_files(local, server, archives, tmp_path, caplog):
    del server.files["/logfiles"]
    archives[-1] = local.official.Archive("logfiles", "logfiles", 0, optional=True)
    make(local, server, archives, tmp_path)
    assert "rows name no noise and SNR" in caplog.text
    assert (tmp_path / "official" / "corpus.json").is_file()


def test_a_full_disk_is_foreseen(local, server, archives, tmp_path):
    huge = local.official.Archive("clean_testset_wav", "clean_testset_wav", 1e18)
    with pytest.raises(Refusal, match=r"GB are needed, .* GB are free"):
        make(local, server, [huge], tmp_path)
    assert server.asked == []


def test_no_member_is_written_outside_the_folder(local, tmp_path):
    bad = {
        "../../outside.wav": b"1",
        "/absolute.wav": b"2",
        "x/../inside.wav": b"3",
        "__MACOSX/._inside.wav": b"4",
        "run.sh": b"5",
    }
    (tmp_path / "bad.zip").write_bytes(packed(bad))
    folder = tmp_path / "deep" / "er" / "out"
    folder.parent.mkdir(parents=True)
    local.official.unpack(tmp_path / "bad.zip", folder)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {
        "bad.zip",
        "deep/er/out/outside.wav",
        "deep/er/out/absolute.wav",
        "deep/er/out/inside.wav",
    }


@pytest.mark.parametrize("keep", [20, 300, 700])
def test_a_damaged_archive_leaves_nothing(local, tmp_path, keep):
    whole = packed({"a.wav": b"1" * 500, "b.wav": b"2" * 500})
    (tmp_path / "a.zip").write_bytes(whole[:keep])
    with pytest.raises(Refusal, match=r"a\.zip: cannot be unpacked"):
        local.official.unpack(tmp_path / "a.zip", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_a_flipped_byte_in_a_recording_is_found(local, tmp_path):
    whole = bytearray(packed({"a.wav": b"1" * 500}))
    whole[200] ^= 1
    (tmp_path / "a.zip").write_bytes(whole)
    with pytest.raises(Refusal, match="Bad CRC-32"):
        local.official.unpack(tmp_path / "a.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_four_archives_have_published_checksums(local):
    published = {a.name: a.checksum for a in local.official.ARCHIVES}
    assert set(published) == {*local.data.FOLDERS, "logfiles"}
    assert all(len(published[name]) == len("md5:") + 32 for name in local.data.FOLDERS)
