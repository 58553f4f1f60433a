"""An environment for matcha-tts, and a process in it that is told what to do.

Its own packages come first, so that their pins hold; torch, numpy and what else both need are
ours, so that both compute with the same libraries. Its alignment search is compiled against them.
Its process keeps memory that is freed, as ours does (diffaudio/memory.py).
"""

from __future__ import annotations

import json
import os
import subprocess
import venv
from pathlib import Path
from typing import Any

import torch

from diffaudio.log import Refusal, log

__all__ = ["Peer", "environment"]

VERSION = "0.0.7.2"
TOOLS = ("cython==3.1.4", "wheel==0.45.1", "setuptools<81")
NEEDED = (
    "conformer==0.3.2",
    "diffusers==0.25.0",
    "einops==0.8.1",
    "gdown==5.2.0",
    "huggingface_hub==0.25.2",
    "hydra-core==1.3.2",
    "lightning==2.5.5",
    "matplotlib",
    "rich",
    "wget==3.2",
)
COMPILED = ("--no-cache-dir", "--no-deps", "--no-build-isolation")
FREED = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**40)}
DRIVER = Path(__file__).with_name("matcha_driver.py")


def environment(folder: Path) -> Path:
    """Make the environment, once, and return its Python.

    Raises:
        Refusal: pip fails; its last words are shown.
    """
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.is_file():
        log.info("%s: matcha-tts %s is installed, which takes minutes", folder, VERSION)
        venv.create(folder, with_pip=True, clear=True)
        (packages,) = folder.glob("lib/python*/site-packages")
        (packages / "ours.pth").write_text(f"{Path(torch.__file__).parents[1]}\n")
        _pip(python, *TOOLS, *NEEDED)
        _pip(
            python, "--no-cache-dir", "--no-deps", "--no-build-isolation", f"matcha-tts=={VERSION}"
        )
        ready.touch()
    return python


def _pip(python: Path, *words: str) -> None:
    command = [python, "-m", "pip", "install", "--no-input", "--quiet", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refusal(f"pip install {' '.join(words)}: {done.stderr[-2000:]}")


class Peer:
    """A process that drives Matcha-TTS: `peer.ask("train", steps=...)`.

    Args:
        python: of the environment.
        threads: it computes with.
        errors: file for what it says beside its answers.
    """

    def __init__(self, python: Path, *, threads: int, errors: Path) -> None:
        self.errors = errors
        with errors.open("w", encoding="utf-8") as said:
            self.process = subprocess.Popen(
                [python, "-I", DRIVER],  # isolated: nothing of this folder or PYTHONPATH is found
                env={**os.environ, **FREED, "OMP_NUM_THREADS": str(threads)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )

    def ask(self, what: str, **arguments: Any) -> Any:
        """Have it do something, and return its answer.

        Raises:
            Refusal: it has ended; what it said last is shown.
        """
        assert self.process.stdin
        assert self.process.stdout
        try:
            self.process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            said = self.errors.read_text(encoding="utf-8")
            raise Refusal(f"matcha-tts ended at {what!r}: {said[-2000:]}")
        return json.loads(answer)

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        """Let it end."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()
