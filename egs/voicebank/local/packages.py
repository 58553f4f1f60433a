"""Debian packages as a source of recordings: fetched by apt, read in place, never installed.

Everything happens in a folder of ours (package lists included), so no root is needed and the
system stays as it was. apt checks every package against the signed lists before it is kept.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from diffaudio.log import Refusal, log

__all__ = ["CREDITS", "fetch", "read"]

CREDITS = r"/usr/share/doc/[^/]+/(copyright|authors\.txt|readme\.txt\.gz)$"
FALLBACK = "use --corpus synthetic, which needs no Debian packages, or give a corpus folder"


def _apt(folder: Path, *words: str, cwd: Path | None = None) -> str:
    """Run an apt command on lists and caches inside `folder`; return what it printed."""
    state, cache = folder / "apt" / "lists", folder / "apt" / "cache"
    (state / "partial").mkdir(parents=True, exist_ok=True)
    (cache / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    options = {
        "Dir::State::Lists": state.resolve(),
        "Dir::Cache": cache.resolve(),
        "Debug::NoLocking": 1,
        "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
    }
    command = [words[0], *(f"-o{key}={value}" for key, value in options.items()), *words[1:]]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env={**os.environ, "LC_ALL": "C"}
    )
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("E:")]
        raise Refusal(f"{' '.join(words[:2])}: {' '.join(errors) or done.stderr}", mend=FALLBACK)
    return done.stdout


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
        _apt(folder, "apt-get", "update", "-q", "--error-on=any")
        known = set(_apt(folder, "apt-cache", "pkgnames").split())
        if lost := [name for name in missing if name in required and name not in known]:
            raise Refusal(f"apt knows no package {', '.join(lost)}", mend=FALLBACK)
        for name in missing:
            if name not in known:
                log.warning("apt knows no package %s: its recordings are left out", name)
        wanted = [name for name in missing if name in known]
        log.info("downloading %d packages", len(wanted))
        _apt(folder, "apt-get", "download", "-q", *wanted, cwd=folder)
        shutil.rmtree(folder / "apt")
    found = {name: _file(folder, name) for name in (*required, *optional)}
    return {name: path for name, path in found.items() if path is not None}


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
        raise Refusal(
            f"{package}: the package is damaged ({message})",
            mend="delete the file and run again: it is downloaded anew",
        )
    return found
