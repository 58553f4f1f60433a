"""A hub on this machine that answers as the real one does: downloaded once, kept, or refused."""

import hashlib

import pytest
from huggingface_hub import constants

from diffaudio.decode.hub import FILES, downloaded
from diffaudio.log import Refusal


def named(content):
    """Return what the hub calls a commit or a content: 40 hexadecimal digits."""
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def hub(server, tmp_path, monkeypatch):
    """Return the server, with a repository in it, as the hub; what is downloaded goes below it."""

    def do_HEAD(self):
        body = self.files.get(self.path)
        self.send_response(404 if body is None else 200)
        if body is None:
            self.send_header("X-Error-Code", "EntryNotFound")
        else:
            self.send_header("X-Repo-Commit", named(self.path.split("/")[4].encode()))
            self.send_header("ETag", f'"{named(body)}"')
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()

    server.do_HEAD = do_HEAD
    for name in FILES:
        server.files[f"/owner/voice/resolve/main/{name}"] = name.encode()
        server.files[f"/owner/voice/resolve/v2/{name}"] = b"second " + name.encode()
    address = server.address.format("").rstrip("/")
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return server


def test_a_vocoder_is_downloaded_once_and_then_kept(hub):
    folder = downloaded("hf://owner/voice")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        name: name.encode() for name in FILES
    }
    asked = len(hub.asked)
    hub.files.clear()
    assert downloaded("hf://owner/voice") == folder
    assert len(hub.asked) == asked


def test_a_revision_is_another_one(hub):
    first, second = downloaded("hf://owner/voice"), downloaded("hf://owner/voice@v2")
    assert (second / FILES[0]).read_bytes() == b"second " + (first / FILES[0]).read_bytes()


def test_what_the_hub_does_not_have_is_refused(hub):
    for address in ("hf://owner/none", "hf://owner/voice@v3", "hf://voice/of/nobody", "hf://"):
        with pytest.raises(Refusal, match=f"{address}: cannot be had") as told:
            downloaded(address)
        assert "name their folder" in told.value.mend


def test_no_connection_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(Refusal, match="hf://owner/voice: cannot be had") as told:
        downloaded("hf://owner/voice")
    assert "config.yaml and pytorch_model.bin of owner/voice" in told.value.mend
