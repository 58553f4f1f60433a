"""What a run shows: log.jsonl, a progress bar, TensorBoard's curves, status.json."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from diffaudio.files import write_json
from diffaudio.log import Refusal, log
from diffaudio.train.job import Scores
from diffaudio.train.progress import Progress

__all__ = ["Log", "Monitor", "status"]


class Log:
    """`log.jsonl`: one object per line, cut back to where a checkpoint left it.

    Args:
        path: the file.
        size: bytes that belong to the run so far; what follows came after the checkpoint.
    """

    def __init__(self, path: Path, size: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = path.open("ab")
        if path.stat().st_size < size:
            log.warning("%s: shorter than when the checkpoint was saved; some rows are lost", path)
        self._file.seek(self._file.truncate(min(size, path.stat().st_size)))

    def write(self, row: Mapping[str, Any]) -> None:
        """Append a row.

        Raises:
            Refusal: the disk is full.
        """
        try:
            self._file.write(json.dumps(row, allow_nan=False).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise Refusal(
                f"{self._file.name}: could not be written ({error.strerror})",
                mend="free some space and run again; it goes on from the last checkpoint",
            ) from error

    def sync(self) -> int:
        """Make what was written survive a power cut; return the number of bytes."""
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Close the file; what a full disk has refused before is not told again."""
        with contextlib.suppress(OSError):
            self._file.close()


class Monitor:
    """Shows a run to people; only the main rank has one.

    Args:
        exp: the experiment; log.jsonl and tensorboard/ are written there.
        steps: of the whole run.
        step: where it starts.
        every: steps between progress lines and points of curves.
        log_bytes: of log.jsonl at that step.
    """

    def __init__(self, exp: Path, *, steps: int, step: int, every: int, log_bytes: int) -> None:
        self.log = Log(exp / "log.jsonl", log_bytes)
        self._every = every
        self._curves = _curves(exp / "tensorboard", step)
        self._bar = tqdm(total=steps, initial=step, unit="step", disable=None, dynamic_ncols=True)
        self._stack = contextlib.ExitStack()
        self._stack.enter_context(logging_redirect_tqdm([log]))
        self._began, self._first = time.monotonic(), step
        self._recent: list[Mapping[str, Any]] = []

    def __enter__(self) -> Monitor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        self._bar.close()
        self.log.close()
        if self._curves is not None:
            self._curves.close()

    def step(self, row: Mapping[str, Any]) -> None:
        """Show one step: its row of log.jsonl."""
        self.log.write(row)
        self._bar.update()
        self._recent.append(row)
        if row["step"] % self._every == 0 or row["step"] == self._bar.total:
            self._report()

    def validated(self, step: int, scores: Scores) -> None:
        """Show the scores of a validation."""
        row = {"step": step, "valid": dict(scores.means), "n": dict(scores.counts)}
        self.log.write({**row, "broken": list(scores.broken)} if scores.broken else row)
        counted = [
            f"{name} {value:.4g} (n = {scores.counts[name]})"
            for name, value in scores.means.items()
        ]
        log.info("step %d, validation: %s", step, ", ".join(counted))
        if scores.broken:
            log.warning(
                "step %d cannot be the best: no usable output or loss for %s",
                *(step, ", ".join(scores.broken)),
            )
        self._plot({f"valid/{name}": value for name, value in scores.means.items()}, step)

    def _report(self) -> None:
        """Sum up the steps since the last report."""
        rows, self._recent = self._recent, []
        step, total = rows[-1]["step"], {n: sum(r[n] for r in rows) for n in ("seconds", "waited")}
        taken = [row for row in rows if "skipped" not in row]
        shown = {n: sum(r[n] for r in taken) / len(taken) for n in ("loss", "grad_norm") if taken}
        shown["lr"] = rows[-1]["lr"]
        speed = {
            "x real time": sum(row["audio"] for row in rows) / total["seconds"],
            "% waiting for data": 100 * total["waited"] / total["seconds"],
        }
        left = (self._bar.total - step) * (time.monotonic() - self._began) / (step - self._first)
        text = f"{_words(shown)}, " + ", ".join(f"{v:.3g} {name}" for name, v in speed.items())
        self._bar.set_postfix_str(text)
        if self._bar.disable:
            log.info(
                "step %d of %d, %s left: %s",
                step,
                self._bar.total,
                tqdm.format_interval(left),
                text,
            )
        self._plot({f"train/{name}": value for name, value in {**shown, **speed}.items()}, step)

    def _plot(self, values: Mapping[str, float], step: int) -> None:
        if self._curves is not None:
            for name, value in values.items():
                self._curves.add_scalar(name, value, step)


@contextlib.contextmanager
def status(exp: Path, progress: Progress) -> Iterator[dict[str, str]]:
    """Keep `status.json` true: "running" inside the block, "failed" if it raises.

    Yields:
        What to write at the end, beside the step; the block sets "state".
    """
    now = {"state": "running", "reason": f"process {os.getpid()} on {os.uname().nodename}"}
    write_json(exp / "status.json", {**now, "step": progress.step})
    try:
        yield now
    except BaseException as error:
        now |= {"state": "failed", "reason": f"{type(error).__name__}: {error}"}
        raise
    finally:
        write_json(exp / "status.json", {**now, "step": progress.step})


def _words(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())


def _curves(folder: Path, step: int) -> Any:
    """Return a writer of TensorBoard's files; None, said once, where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        log.info("no curves for TensorBoard; to have them: pip install tensorboard")
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)
