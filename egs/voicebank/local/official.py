"""The official corpus: downloaded with resume, checked, unpacked without trusting any path.

VoiceBank-DEMAND, 28 speakers, 48 kHz: Valentini-Botinhao, "Noisy speech database for training
speech enhancement algorithms and TTS models", University of Edinburgh 2017, CC BY 4.0,
https://doi.org/10.7488/ds/2117 (DataShare 10283/2791).
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from diffaudio.corpus.download import BLOCK, check_room, download
from diffaudio.files import fsync_dir, write_json
from diffaudio.log import Refusal, log

__all__ = ["ARCHIVES", "SERVER", "Archive", "make", "unpack"]

SERVER = "https://datashare.ed.ac.uk/server/api/core/bitstreams/{}/content"
LABEL = "VoiceBank-DEMAND"
UNPACKED = 1.3  # bytes of the files to bytes of their archive, roughly


@dataclass(frozen=True)
class Archive:
    """A file of the repository.

    Args:
        name: of the archive, and of the folder that its recordings go to.
        place: what identifies it on the server.
        size: in bytes, roughly; the exact one comes with the download.
        checksum: as the repository publishes it; see `download`.
        optional: whether the corpus can do without it.
    """

    name: str
    place: str
    size: float
    checksum: str = ""
    optional: bool = False


ARCHIVES = (
    Archive(
        "clean_trainset_28spk_wav",
        "245452b6-6235-44b6-a6f9-e7eb19797769",
        2.49e9,
        "md5:d2d5a45ec32f8fcbf201bde0447e20ba",
    ),
    Archive(
        "noisy_trainset_28spk_wav",
        "ecb5a102-bb00-46d3-8af5-40c79823b837",
        2.83e9,
        "md5:1fca9e8bafb8cd069f6653c6d92f9e9c",
    ),
    Archive(
        "clean_testset_wav",
        "dec213d3-bf57-4777-9663-c24bdce92d5e",
        0.154e9,
        "md5:34eb1c0ba7ef667e9b966866c542fc16",
    ),
    Archive(
        "noisy_testset_wav",
        "13c1bfbf-14a6-41db-9b41-8f7310f01ad5",
        0.171e9,
        "md5:fb1b86caa31e8ba5b506c0c64da9aab5",
    ),
    Archive("logfiles", "11185dc8-9cf1-405b-b858-35bd6a04aedd", 0.0001e9, optional=True),
)


def make(
    folder: Path,
    downloads: Path,
    *,
    archives: Sequence[Archive] = ARCHIVES,
    server: str = SERVER,
) -> None:
    """Download what is not there yet, unpack it, and describe the corpus in corpus.json.

    Args:
        folder: the corpus.
        downloads: the archives are kept in its folder `archives`; they may be put there by hand.
        archives: what to fetch.
        server: address with {} for an archive's place.

    Raises:
        Refusal: no room, no connection, or an archive that is not the published one.
    """
    kept = downloads / "archives"
    for each in (folder, kept):
        each.mkdir(parents=True, exist_ok=True)
    wanted = [archive for archive in archives if not (folder / archive.name).is_dir()]
    absent = [archive for archive in wanted if not (kept / f"{archive.name}.zip").is_file()]
    needed = UNPACKED * sum(a.size for a in wanted) + sum(a.size for a in absent)
    check_room(folder, needed)
    for archive in wanted:
        url, path = server.format(archive.place), kept / f"{archive.name}.zip"
        try:
            download(url, path, checksum=archive.checksum)
        except Refusal as refusal:
            if not archive.optional:
                raise
            log.warning("%s\nThe corpus does without it: rows name no noise and SNR.", refusal)
            continue
        log.info("%s: unpacking", path)
        unpack(path, folder / archive.name)
    for file in (folder / "logfiles").glob("log_*.txt"):
        shutil.copyfile(file, folder / file.name)
    write_json(folder / "corpus.json", {"label": LABEL, "comparable": True})


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the recordings and texts of an archive into one flat folder, whole or not at all.

    Only the last part of a member's name is used, so none can be written elsewhere.

    Raises:
        Refusal: the archive is damaged.
    """
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        with zipfile.ZipFile(archive) as packed:
            for member in _wanted(packed):
                target = temporary / PurePosixPath(member.filename).name
                with packed.open(member) as source, target.open("xb") as file:
                    shutil.copyfileobj(source, file, BLOCK)
    except (zipfile.BadZipFile, FileExistsError, EOFError) as error:
        shutil.rmtree(temporary)
        raise Refusal(
            f"{archive}: cannot be unpacked ({error})", mend="delete it and run again"
        ) from error
    temporary.rename(folder)
    fsync_dir(folder.parent)


def _wanted(packed: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    for member in packed.infolist():
        path = PurePosixPath(member.filename)
        junk = path.name.startswith(".") or "__MACOSX" in path.parts
        if path.suffix in {".wav", ".txt"} and not junk and not member.is_dir():
            yield member
