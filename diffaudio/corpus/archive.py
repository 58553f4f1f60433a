"""A published archive, unpacked: what is asked for, under names of ours, whole or not at all."""

from __future__ import annotations

import shutil
import tarfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from diffaudio.corpus.download import BLOCK
from diffaudio.files import fsync_dir
from diffaudio.log import Refusal

__all__ = ["unpack_tar"]


def unpack_tar(
    archive: Path,
    folder: Path,
    place: Callable[[tarfile.TarInfo], str],
    *,
    mode: Literal["r:gz", "r|bz2"],
    folders: Sequence[str],
    needed: Sequence[str] = (),
) -> None:
    """Unpack files of an archive below `folder`, where they replace what is there.

    Args:
        archive: a tar file.
        folder: of the corpus.
        place: from a member to the path below `folder` that it goes to; "" leaves it out. No member
            chooses its own path.
        mode: how it is packed; bzip2 cannot seek and is read from front to back.
        folders: that files go to.
        needed: files that it must have.

    Raises:
        Refusal: the archive is damaged, or is another one.
    """
    temporary = folder / ".unpacking"
    shutil.rmtree(temporary, ignore_errors=True)
    for name in folders:
        (temporary / name).mkdir(parents=True)
    try:
        with tarfile.open(archive, mode) as packed:
            _extract(packed, temporary, place)
        for name in needed:
            if not (temporary / name).is_file():
                raise tarfile.ReadError(f"it has no {name}")
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        shutil.rmtree(temporary)
        raise Refusal(
            f"{archive}: cannot be unpacked ({error})", mend="delete it and run again"
        ) from error
    for path in sorted(temporary.iterdir()):
        if (folder / path.name).is_dir():
            shutil.rmtree(folder / path.name)
        path.rename(folder / path.name)
    temporary.rmdir()
    fsync_dir(folder)


def _extract(
    packed: tarfile.TarFile, folder: Path, place: Callable[[tarfile.TarInfo], str]
) -> None:
    for member in packed:
        target = place(member) if member.isfile() else ""
        source = packed.extractfile(member) if target else None
        if target and source:
            with source, (folder / target).open("xb") as file:
                shutil.copyfileobj(source, file, BLOCK)
