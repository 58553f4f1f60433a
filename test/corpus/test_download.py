import hashlib

import pytest

from diffaudio.corpus.download import check_room, download
from diffaudio.log import Refusal

BODY = bytes(range(256)) * 40
CHECKSUM = f"sha256:{hashlib.sha256(BODY).hexdigest()}"


@pytest.fixture
def url(server):
    server.files["/a"] = BODY
    return server.address.format("a")


def test_a_file_is_fetched_once(server, url, tmp_path):
    path = tmp_path / "a.zip"
    assert download(url, path, checksum=CHECKSUM) == path
    assert path.read_bytes() == BODY
    download(url, path, checksum=f"md5:{hashlib.md5(BODY).hexdigest()}")
    assert server.asked == [("/a", None)]
    assert list(tmp_path.iterdir()) == [path]


def test_a_download_that_was_cut_off_is_continued(server, url, tmp_path):
    server.most = 1000
    with pytest.raises(Refusal, match="cut off after 1000 of 10240 bytes") as caught:
        download(url, tmp_path / "a.zip", checksum=CHECKSUM)
    assert "it continues where it stopped" in caught.value.mend
    assert not (tmp_path / "a.zip").exists()
    server.most = 1 << 30
    download(url, tmp_path / "a.zip", checksum=CHECKSUM)
    assert server.asked[1:] == [("/a", "bytes=1000-")]
    assert (tmp_path / "a.zip").read_bytes() == BODY


def test_a_server_that_knows_no_ranges_sends_it_again(server, url, tmp_path):
    server.most, server.ranges = 1000, False
    with pytest.raises(Refusal):
        download(url, tmp_path / "a.zip", checksum=CHECKSUM)
    server.most = 1 << 30
    download(url, tmp_path / "a.zip", checksum=CHECKSUM)


def test_a_part_that_is_already_whole_is_used(url, tmp_path):
    (tmp_path / "a.part").write_bytes(BODY)
    download(url, tmp_path / "a.zip", checksum=CHECKSUM)
    assert (tmp_path / "a.zip").read_bytes() == BODY


def test_a_file_that_is_not_the_published_one_is_refused(server, url, tmp_path):
    server.files["/a"] = b"x" + BODY[1:]
    with pytest.raises(Refusal, match=r"a\.part: sha256 \w+, expected \w+") as caught:
        download(url, tmp_path / "a.zip", checksum=CHECKSUM)
    assert "the published one" in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_a_file_brought_by_hand_is_checked_and_kept(server, url, tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"not it")
    with pytest.raises(Refusal, match="sha256"):
        download(url, path, checksum=CHECKSUM)
    assert path.read_bytes() == b"not it"
    path.write_bytes(BODY)
    download(url, path, checksum=CHECKSUM)
    assert server.asked == []


def test_without_a_published_checksum_the_first_download_counts(server, url, tmp_path):
    path = tmp_path / "a.zip"
    download(url, path)
    assert (tmp_path / "a.sha256").read_text() == f"{CHECKSUM.removeprefix('sha256:')}\n"
    path.unlink()
    server.files["/a"] = b"something else"
    with pytest.raises(Refusal, match="that of the first download"):
        download(url, path)
    server.files["/a"] = BODY
    download(url, path)


def test_a_server_that_does_not_answer_is_named(server, tmp_path):
    with pytest.raises(Refusal, match="gone: HTTP Error 404"):
        download(server.address.format("gone"), tmp_path / "a.zip")
    with pytest.raises(Refusal, match="Connection refused"):
        download("http://127.0.0.1:9/a", tmp_path / "a.zip")


def test_a_full_disk_is_foreseen(tmp_path):
    check_room(tmp_path, 1.0)
    with pytest.raises(Refusal, match=r"1000000000\.0 GB are needed, .* GB are free"):
        check_room(tmp_path, 1e18)
