import gzip
import shutil
import subprocess

import pytest

from diffaudio.corpus import debian
from diffaudio.log import Refusal

needs_dpkg = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="no dpkg-deb here")


@pytest.fixture
def deb(tmp_path):
    """Return a maker of a Debian package from path and content."""

    def make(name, files):
        root = tmp_path / f"{name}-root"
        control = f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: x <x@y.z>\n"
        for path, content in {
            "DEBIAN/control": f"{control}Description: x\n".encode(),
            f"usr/share/doc/{name}/copyright": f"Credits of {name}".encode(),
            **files,
        }.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        target = tmp_path / "packages" / f"{name}_1.0_all.deb"
        target.parent.mkdir(exist_ok=True)
        command = ["dpkg-deb", "-Znone", "--root-owner-group", "-b", str(root), str(target)]
        subprocess.run(command, check=True, capture_output=True)
        return target

    return make


@needs_dpkg
def test_a_package_is_read_in_place(deb):
    path = deb("noises", {"usr/share/a.wav": b"1", "usr/share/b.ogg": b"2"})
    found = debian.read(path, r"\.wav$")
    assert found == {
        "./usr/share/a.wav": b"1",
        "./usr/share/doc/noises/copyright": b"Credits of noises",
    }


@needs_dpkg
@pytest.mark.parametrize("keep", [10, 500, 5000, 11000])
def test_a_damaged_package_is_refused(deb, keep):
    path = deb("noises", {"usr/share/a.wav": bytes(8000)})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(Refusal, match=r"noises_1\.0_all\.deb: the package is damaged"):
        debian.read(path, r"\.wav$")


@needs_dpkg
def test_a_package_is_unpacked_whole_or_refused(deb, tmp_path):
    path = deb("program", {"usr/bin/a": b"1"})
    debian.unpack(path, tmp_path / "root")
    assert (tmp_path / "root/usr/bin/a").read_bytes() == b"1"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(Refusal, match="the package is damaged"):
        debian.unpack(path, tmp_path / "other")


def test_credits_are_told_by_package(tmp_path):
    held = {
        "b": {"./usr/share/doc/b/copyright": b"MIT", "./usr/share/b.wav": b"1"},
        "a": {"./usr/share/doc/a/readme.txt.gz": gzip.compress("Grüße".encode())},
    }
    told = list(debian.credits_of(held))
    assert [text.split("\n", 1)[1] for text in told] == [
        "./usr/share/doc/a/readme.txt.gz\n\nGrüße",
        "./usr/share/doc/b/copyright\n\nMIT",
    ]


@pytest.fixture
def apt(monkeypatch):
    """Replace apt: `known` are the packages it has, `said` is what it complains of."""

    class Apt:
        known, said, status = ["speech", "noise"], "", 0

        def __init__(self):
            self.calls = []

        def __call__(self, state, *words, cwd=None):
            self.calls.append(words)
            for name in words[3:] if "download" in words and not self.status else ():
                (cwd / f"{name}_1_all.deb").touch()
            output = "\n".join(self.known)
            return subprocess.CompletedProcess(words, self.status, output, self.said)

    fake = Apt()
    monkeypatch.setattr(debian, "_apt", fake)
    monkeypatch.setattr(debian.shutil, "which", lambda name: f"/usr/bin/{name}")
    return fake


def test_packages_are_fetched_once(apt, tmp_path):
    found = debian.fetch(["speech"], ["noise"], tmp_path)
    assert {name: path.name for name, path in found.items()} == {
        "speech": "speech_1_all.deb",
        "noise": "noise_1_all.deb",
    }
    calls = len(apt.calls)
    assert debian.fetch(["speech"], ["noise"], tmp_path) == found
    assert len(apt.calls) == calls


def test_a_noise_package_may_be_unknown_but_a_speech_package_may_not(apt, tmp_path, caplog):
    assert set(debian.fetch(["speech"], ["noise", "gone"], tmp_path)) == {"speech", "noise"}
    assert "apt knows no package gone" in caplog.text
    with pytest.raises(Refusal, match="apt knows no package gone") as caught:
        debian.fetch(["gone"], [], tmp_path)
    assert "--corpus synthetic" in caught.value.mend


def test_without_apt_the_way_out_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(debian.shutil, "which", lambda _: None)
    with pytest.raises(Refusal, match="apt-get and dpkg-deb are not on this machine") as caught:
        debian.fetch(["speech"], [], tmp_path)
    assert "--corpus synthetic" in caught.value.mend


def test_what_apt_says_is_passed_on(apt, tmp_path):
    apt.known, apt.said = [], "Hit:1\nW: Failed to fetch http://x\n"
    with pytest.raises(Refusal, match="apt knows no package speech; W: Failed to fetch http://x"):
        debian.fetch(["speech"], [], tmp_path)
    apt.known, apt.said, apt.status = ["speech"], "E: Hash Sum mismatch\n", 100
    with pytest.raises(Refusal, match="apt-get download: E: Hash Sum mismatch"):
        debian.fetch(["speech"], [], tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not shutil.which("apt-get"), reason="no apt here")
def test_apt_keeps_to_its_own_folder(tmp_path):
    done = debian._apt(tmp_path, "apt-config", "dump")
    settings = done.stdout.lower()
    assert f'dir::state::lists "{tmp_path}/lists";'.lower() in settings
    assert f'dir::cache "{tmp_path}/cache";'.lower() in settings
