"""Debian packages as a source of recordings: fetched by apt, read in place, never installed.

Everything happens in a folder of ours (package lists included), so no root is needed and the
system stays as it was. apt checks every package against the signed lists before it is kept.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from diffaudio.log import Refusal, log

__all__ = ["CREDITS", "credits_of", "fetch", "read", "unpack"]

CREDITS = r"/usr/share/doc/[^/]+/(copyright|authors\.txt|readme\.txt\.gz)$"
FALLBACK = "use --corpus synthetic, which needs no Debian packages, or give a corpus folder"


def fetch(required: Sequence[str], optional: Sequence[str], folder: Path) -> dict[str, Path]:
    """Bring packages into `folder` and return their files by package name.

    Args:
        required: packages without which there is no corpus.
        optional: packages of which some may be absent from the distribution; each absent one is
            named in the log.
        folder: where the .deb files are kept; those already there are used again.

    Raises:
        Refusal: apt is not there, or cannot reach its servers, or lacks a required package.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise Refusal("apt-get and dpkg-deb are not on this machine", mend=FALLBACK)
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in (*required, *optional) if _file(folder, name) is None]
    if missing:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".apt.") as state:
            _download(missing, required, folder, Path(state))
    found = {name: _file(folder, name) for name in (*required, *optional)}
    return {name: path for name, path in found.items() if path is not None}


def _download(names: Sequence[str], required: Sequence[str], folder: Path, state: Path) -> None:
    update = _apt(state, "apt-get", "update", "-q")
    known = set(_apt(state, "apt-cache", "pkgnames").stdout.split())
    for name in names:
        if name not in known and name in required:
            said = _complaints(update)
            raise Refusal(
                f"apt knows no package {name}" + (f"; {said}" if said else ""), mend=FALLBACK
            )
        if name not in known:
            log.warning("apt knows no package %s: its recordings are left out", name)
    wanted = [name for name in names if name in known]
    log.info("downloading %d packages", len(wanted))
    download = _apt(state, "apt-get", "download", "-q", *wanted, cwd=folder)
    if download.returncode != 0:
        raise Refusal(f"apt-get download: {_complaints(download)}", mend=FALLBACK)


def _apt(state: Path, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run an apt command on package lists and caches in the folder `state`."""
    lists, cache = state.resolve() / "lists", state.resolve() / "cache"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    (cache / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    options = {"Dir::State::Lists": lists, "Dir::Cache": cache, "Debug::NoLocking": 1}
    if os.geteuid() == 0:  # the user that apt would change to may not enter our folder
        options["APT::Sandbox::User"] = "root"
    command = [words[0], *(f"-o{key}={value}" for key, value in options.items()), *words[1:]]
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment)


def _complaints(done: subprocess.CompletedProcess[str]) -> str:
    """Return apt's first errors and warnings."""
    lines = [line for line in done.stderr.splitlines() if line.startswith(("E:", "W:", "Err:"))]
    return " ".join(lines[:3])


def _file(folder: Path, name: str) -> Path | None:
    """Return the newest .deb of package `name` in `folder`."""
    return max(folder.glob(f"{name}_*.deb"), default=None)


def read(package: Path, pattern: str) -> dict[str, bytes]:
    """Return path and content of a package's files that match `pattern`, and of its credits.

    Nothing is written to disk, so no path inside the package can do harm.

    Raises:
        Refusal: the package is damaged.
    """
    wanted = re.compile(f"{pattern}|{CREDITS}")
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
                found = {
                    member.name: tar.extractfile(member).read()  # type: ignore[union-attr]
                    for member in tar
                    if member.isfile() and wanted.search(member.name)
                }
            process.stdout.read()  # the padding after the last member, so that dpkg-deb can end
            message = process.stderr.read().decode(errors="replace").strip()
        except tarfile.TarError as error:
            process.kill()
            message = str(error)
    if process.returncode != 0:
        raise _damaged(package, message)
    return found


def unpack(package: Path, folder: Path) -> None:
    """Unpack a package below `folder`, as for a program that is to be run from there.

    Raises:
        Refusal: the package is damaged.
    """
    command = ["dpkg-deb", "-x", str(package), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        raise _damaged(package, done.stderr.strip())


def _damaged(package: Path, message: str) -> Refusal:
    return Refusal(
        f"{package}: the package is damaged ({message})",
        mend="delete the file and run again: it is downloaded anew",
    )


def credits_of(packages: Mapping[str, Mapping[str, bytes]]) -> Iterable[str]:
    """Yield authors and licences as each package states them.

    Args:
        packages: name to path and content, as `read` returns them.
    """
    for name in sorted(packages):
        for path, content in sorted(packages[name].items()):
            if re.search(CREDITS, path):
                text = gzip.decompress(content) if path.endswith(".gz") else content
                yield f"{'=' * 72}\n{path}\n\n{text.decode('utf-8', 'replace')}"
