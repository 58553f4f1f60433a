"""The official corpus: downloaded with resume, checked, its digits unpacked, no path trusted.

Speech Commands v0.02, 16 kHz: Warden, "Speech Commands: A Dataset for Limited-Vocabulary Speech
Recognition", 2018 (https://arxiv.org/abs/1804.03209), CC BY 4.0. Size and SHA-256 are those that
TensorFlow Datasets (url_checksums/speech_commands.txt) and torchaudio publish.
"""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath

from data import LISTS, WORDS

from diffaudio.corpus.archive import unpack_tar
from diffaudio.corpus.download import check_room, download
from diffaudio.files import write_json
from diffaudio.log import log

__all__ = ["CHECKSUM", "LABEL", "URL", "make", "unpack"]

URL = "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz"
CHECKSUM = "sha256:af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58"
SIZE = 2428923189  # bytes
UNPACKED = 1.3e9  # bytes of the digits, roughly: some 39,000 clips of a second
LABEL = "Speech Commands v0.02, digits"
TEXTS = (*LISTS.values(), "README.md", "LICENSE")


def make(folder: Path, downloads: Path, *, url: str = URL, checksum: str = CHECKSUM) -> None:
    """Download the archive unless it is there, unpack its digits, describe them in corpus.json.

    Args:
        folder: the corpus.
        downloads: the archive is kept in its folder `archives`; it may be put there by hand.
        url: of the archive.
        checksum: of the archive.

    Raises:
        Refusal: no room, no connection, or an archive that is not the published one.
    """
    archive = downloads / "archives" / url.rsplit("/", 1)[-1]
    for each in (folder, archive.parent):
        each.mkdir(parents=True, exist_ok=True)
    check_room(folder, UNPACKED + (0 if archive.is_file() else SIZE))
    download(url, archive, checksum=checksum)
    log.info("%s: unpacking the digits", archive)
    unpack(archive, folder)
    write_json(folder / "corpus.json", {"label": LABEL, "comparable": True})


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the ten digits and the texts of the archive below `folder`, which are replaced.

    Only members `<digit>/<file>.wav` and the texts are taken, under names of ours, so none can be
    written elsewhere.

    Raises:
        Refusal: the archive is damaged, or is another one.
    """
    unpack_tar(archive, folder, _target, mode="r:gz", folders=WORDS)


def _target(member: tarfile.TarInfo) -> str:
    """Return the path below the corpus that a member of the archive goes to; "" for none."""
    *above, name = PurePosixPath(member.name).parts or ("",)
    where = "/".join(above)  # pathlib has taken the ./ away
    clip = where in WORDS and name.endswith(".wav") and not name.startswith(".")
    text = not where and name in TEXTS
    return str(PurePosixPath(where, name)) if member.isfile() and (clip or text) else ""
