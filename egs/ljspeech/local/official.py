"""The official corpus: downloaded with resume, checked, unpacked without trusting any path.

LJSpeech-1.1, 22.05 kHz, 24 hours, public domain: Keith Ito and Linda Johnson, "The LJ Speech
Dataset", 2017, https://keithito.com/LJ-Speech-Dataset/. The SHA-256 is the one that torchaudio
publishes (torchaudio/datasets/ljspeech.py); the server has none.
"""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath

from data import LISTS, TABLE, WAVS

from diffaudio.corpus.archive import unpack_tar
from diffaudio.corpus.download import check_room, download
from diffaudio.files import write_json
from diffaudio.log import log

__all__ = ["CHECKSUM", "LABEL", "URL", "make", "unpack"]

URL = "https://data.keithito.com/data/speech/LJSpeech-1.1.tar.bz2"
CHECKSUM = "sha256:be1a30453f28eb8dd26af4101ae40cbf2c50413b1bb21936cbcdc6fae3de8aa5"
SIZE = 2748572632  # bytes
UNPACKED = 3.9e9  # bytes, roughly: 13,100 recordings
LABEL = "LJSpeech-1.1"
TEXTS = (TABLE, "README")


def make(folder: Path, downloads: Path, *, url: str = URL, checksum: str = CHECKSUM) -> None:
    """Download the archive unless it is there, unpack it, describe the corpus in corpus.json.

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
    log.info("%s: unpacking", archive)
    unpack(archive, folder)
    write_json(folder / "corpus.json", {"label": LABEL, "comparable": [*LISTS.values()]})


def unpack(archive: Path, folder: Path) -> None:
    """Unpack recordings and texts of the archive below `folder`, which are replaced.

    Only members `<top>/wavs/<file>.wav` and `<top>/<text>` are taken, under names of ours, so none
    can be written elsewhere.

    Raises:
        Refusal: the archive is damaged, or is another one.
    """
    unpack_tar(archive, folder, _target, mode="r|bz2", folders=[WAVS], needed=[TABLE])


def _target(member: tarfile.TarInfo) -> str:
    """Return the path below the corpus that a member of the archive goes to; "" for none."""
    parts = PurePosixPath(member.name).parts
    if not member.isfile() or ".." in parts or member.name.startswith("/"):
        return ""
    recording = len(parts) == 3 and parts[1] == WAVS and parts[2].endswith(".wav")
    if recording and not parts[2].startswith("."):
        return f"{WAVS}/{parts[2]}"
    return parts[1] if len(parts) == 2 and parts[1] in TEXTS else ""
