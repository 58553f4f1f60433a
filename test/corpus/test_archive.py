"""An archive, unpacked: what is asked for and nothing else, whole or not at all."""

import io
import tarfile

import pytest

from diffaudio.corpus.archive import unpack_tar
from diffaudio.log import Refusal


def packed(path, files, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return path


def place(member):
    return f"a/{member.name.split('/')[-1]}" if member.name.endswith(".wav") else ""


@pytest.mark.parametrize(("write", "read"), [("w:gz", "r:gz"), ("w:bz2", "r|bz2")])
def test_files_go_where_they_are_told_and_replace_what_is_there(tmp_path, write, read):
    files = {"top/x.wav": b"one", "../../y.wav": b"two", "z.txt": b"no"}
    archive, folder = packed(tmp_path / "x.tar", files, write), tmp_path / "corpus"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "old.wav").write_bytes(b"old")
    unpack_tar(archive, folder, place, mode=read, folders=["a"])
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}
    assert found == {"a/x.wav": b"one", "a/y.wav": b"two"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "x.tar"]


def test_what_lacks_a_file_or_is_cut_leaves_what_was_there(tmp_path):
    archive, folder = packed(tmp_path / "x.tar", {"x.wav": bytes(range(256)) * 99}), tmp_path / "c"
    folder.mkdir()
    (folder / "kept").write_bytes(b"kept")
    with pytest.raises(Refusal, match=r"it has no a/table"):
        unpack_tar(archive, folder, place, mode="r:gz", folders=["a"], needed=["a/table"])
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(Refusal, match="cannot be unpacked"):
        unpack_tar(archive, folder, place, mode="r:gz", folders=["a"])
    assert [path.name for path in folder.iterdir()] == ["kept"]
