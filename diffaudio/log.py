"""One logger, one kind of refusal, and what machine and versions a run had."""

from __future__ import annotations

import logging
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["Refusal", "environment", "log", "setup_log"]

log = logging.getLogger("diffaudio")


class Refusal(Exception):
    """What a user can mend: one sentence with the file and the value, one with the mend.

    Args:
        message: what is wrong, naming the file (or key) and the value.
        mend: what to do about it.
        code: the exit status of the command.
    """

    def __init__(self, message: str, *, mend: str = "", code: int = 1) -> None:
        super().__init__(message)
        self.message, self.mend, self.code = message, mend, code

    def __reduce__(self) -> tuple[Any, ...]:  # keyword arguments survive a trip between processes
        return _refusal, (self.message, self.mend, self.code)

    def __str__(self) -> str:
        return self.message + (f"\n  mend: {self.mend}" if self.mend else "")


def _refusal(message: str, mend: str, code: int) -> Refusal:
    return Refusal(message, mend=mend, code=code)


class _StandardError(logging.StreamHandler[Any]):
    """Writes to what is standard error at that moment, not to what it was at the start.

    It stays a stream's handler, so that progress bars know it and put its lines above them.
    """

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        """Return standard error."""
        return sys.stderr


def setup_log(level: int = logging.INFO) -> None:
    """Send messages to standard error as `2026-01-05T10:12:44 (shard) message`."""
    handler = _StandardError()
    handler.setFormatter(
        logging.Formatter("%(asctime)s (%(module)s) %(message)s", datefmt="%Y-%m-%dT%H:%M:%S")
    )
    log.handlers[:] = [handler]
    log.setLevel(level)
    log.propagate = False


def _commit() -> str:
    """Return the checkout's commit, `+` when it has changes, or `unknown` outside a checkout."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+" if changed else "")


def _processor() -> str:
    """Return the processor's name as the system reports it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), "cpu")


def environment() -> dict[str, str]:
    """Return commit, hardware and versions: recorded beside results, never compared."""
    versions = {}
    for name in ("torch", "torchaudio", "accelerate", "webdataset", "numpy"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "absent"
    hardware = f"{os.cpu_count()} cores of {_processor()}"
    if "torch" in sys.modules and sys.modules["torch"].cuda.is_available():
        hardware += f", {sys.modules['torch'].cuda.get_device_name()}"
    return {
        "commit": _commit(),
        "hardware": hardware,
        "python": platform.python_version(),
        **versions,
    }
