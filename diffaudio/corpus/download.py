"""Files of a server: continued where they stopped, held against a checksum, whole or absent."""

from __future__ import annotations

import hashlib
import shutil
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from tqdm import tqdm

from diffaudio.files import fsync_dir, write_text
from diffaudio.log import Refusal

__all__ = ["BLOCK", "check_room", "download"]

BLOCK = 1 << 20


def check_room(folder: Path, needed: float) -> None:
    """Refuse to begin when the disk of `folder` has less than `needed` bytes free.

    Raises:
        Refusal: it has.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise Refusal(
            f"{folder}: {needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free",
            mend="free some space, or choose another folder with --downloads",
        )


def download(url: str, path: Path, *, checksum: str = "") -> Path:
    """Return `path`, downloaded from `url` unless it is there, and checked either way.

    Args:
        url: where it comes from.
        path: where it is kept; it may be put there by hand.
        checksum: as published, `md5:...` or `sha256:...`. Empty: the SHA-256 of the first download
            is kept beside the file and held against every later one.

    Raises:
        Refusal: the server cannot be reached, or the file is not the published one.
    """
    if path.is_file():
        _check(path, checksum, path)
        return path
    part = path.with_suffix(".part")
    try:
        _fetch(url, part)
    except (urllib.error.URLError, HTTPException, OSError) as error:
        raise Refusal(
            f"{url}: {error}",
            mend=f"run again, it continues where it stopped; or bring {path} by other means",
        ) from error
    _check(part, checksum, path)
    part.rename(path)
    fsync_dir(path.parent)
    return path


def _fetch(url: str, part: Path) -> None:
    """Append to `part` what it lacks of the file at `url`."""
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer: HTTPResponse = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing lies behind what we have
            return
        raise
    with answer:
        have = have if answer.status == 206 else 0  # 200: the server sends it from the start
        total = have + int(answer.headers.get("Content-Length") or 0)
        bar = tqdm(total=total or None, initial=have, unit="B", unit_scale=True, desc=part.stem)
        with bar, part.open("ab" if have else "wb") as file:
            while block := answer.read(BLOCK):
                file.write(block)
                bar.update(len(block))
    if total > have and part.stat().st_size != total:
        raise HTTPException(f"cut off after {part.stat().st_size} of {total} bytes")


def _check(file: Path, checksum: str, path: Path) -> None:
    """Hold a file against the published checksum, or against that of the first download.

    Raises:
        Refusal: they differ; a download is deleted.
    """
    record = path.with_suffix(".sha256")
    name, _, published = (checksum or "sha256:").partition(":")
    total = hashlib.new(name, usedforsecurity=False)
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            total.update(block)
    found = total.hexdigest()
    wanted = published or (record.read_text(encoding="ascii").strip() if record.is_file() else "")
    if not wanted:
        write_text(record, f"{found}\n")
    elif found != wanted:
        if file != path:
            file.unlink()
        source = "the published one" if published else f"that of the first download, {record}"
        raise Refusal(
            f"{file}: {name} {found}, expected {wanted} ({source})",
            mend=f"delete {path} if it is there and run again; a damaged download is common",
        )
