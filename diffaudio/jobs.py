"""Map stages as lists of independent tasks, run by Dask on this machine or on a cluster.

What a task is never depends on how many run at once, so results do not either. A killed worker
costs the task it was running, which is tried again. Workers import no torch unless a task does, and
they are daemons: a task starts no processes of its own.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import sys
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffaudio import cluster
from diffaudio.log import Refusal, log, setup_log
from diffaudio.memory import keep_freed

__all__ = ["Task", "check_jobs", "run_tasks"]

_TAIL = 15  # lines of a failed task's log that are shown


@dataclass(frozen=True)
class Task:
    """One piece of a stage: writes its output atomically, so that it can be tried again.

    Args:
        name: of the task and of its log file.
        function: importable by name; called as function(**arguments).
        arguments: small and picklable.
    """

    name: str
    function: Callable[..., Any]
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class _Outcome:
    """What became of one try: a value, or a problem.

    Args:
        value: what the task returned.
        problem: why there is no value.
        final: another try would end the same way.
        died: the worker did not survive the try.
    """

    value: Any = None
    problem: Refusal | None = None
    final: bool = False
    died: bool = False


def check_jobs(nj: int) -> None:
    """Check a number of jobs before anything is begun.

    Raises:
        Refusal: it is less than 1.
    """
    if nj < 1:
        raise Refusal(f"--nj {nj}: at least one job is needed", mend="give --nj 1 or more")


def run_tasks(
    tasks: Sequence[Task],
    *,
    nj: int,
    threads: int = 1,
    gpus: int = 0,
    log_dir: Path,
    title: str,
    tries: int = 3,
) -> list[Any]:
    """Run `tasks` and return their results in order.

    Args:
        tasks: independent of each other.
        nj: how many run at once; more than there are tasks is fine.
        threads: for BLAS and torch in each worker.
        gpus: GPUs of this machine to share out, one per worker; 0 leaves their choice to torch.
        log_dir: what a task prints or logs goes to log_dir/<name>.log.
        title: shown beside the progress bar.
        tries: how often a task may raise or lose its worker.

    Raises:
        Refusal: some task failed, after all others have been run; the first one is named, with
            the end of its log.
    """
    if not tasks:
        return []
    check_jobs(nj)
    logs = [log_dir.resolve() / f"{task.name}.log" for task in tasks]
    log_dir.mkdir(parents=True, exist_ok=True)
    width = min(nj, len(tasks), gpus or nj)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(gpus)))
    devices = visible.split(",")[:gpus]
    with cluster.connect(width, threads, log_dir) as client, _bar(title, len(tasks)) as bar:

        def submit(number: int, attempt: int) -> Any:
            job = (tasks[number], logs[number], attempt, devices)
            return client.submit(_attempt, *job, pure=False)

        outcomes = _drive([task.name for task in tasks], submit, width, tries, bar)
    lost = {n: outcome.problem for n, outcome in outcomes.items() if outcome.problem}
    if lost:
        raise _refusal(title, tasks, lost, logs)
    return [outcomes[number].value for number in range(len(tasks))]


def _drive(
    names: Sequence[str], submit: Callable[[int, int], Any], width: int, tries: int, bar: Any
) -> dict[int, _Outcome]:
    """Keep `width` tasks running; return what became of each.

    A dying worker may take with it a task that only waited there. So tasks that lost their worker
    are tried again alone, at the end: then it is certain whose fault it was, and one that ran out
    of memory has all of it.
    """
    from distributed import as_completed

    waiting, alone = deque(range(len(names))), deque[int]()
    tried, running = Counter[int](), dict[Any, int]()
    finished, outcomes = as_completed(), dict[int, _Outcome]()
    while waiting or alone or running:
        while (waiting and len(running) < width) or (alone and not running):
            number = (waiting or alone).popleft()
            tried[number] += 1
            future = submit(number, tried[number])
            running[future] = number
            finished.add(future)
        future = next(finished)
        number, outcome = running.pop(future), _outcome(future)
        if outcome.problem and not outcome.final and tried[number] < tries:
            log.warning("%s: %s; trying again", names[number], outcome.problem.message)
            (alone if outcome.died else waiting).append(number)
            continue
        outcomes[number] = outcome
        bar.update()
    return outcomes


def _attempt(task: Task, path: Path, attempt: int, devices: Sequence[str]) -> _Outcome:
    """Run one task in a worker, with everything it prints in its own file."""
    from distributed import get_worker

    name = str(get_worker().name)
    if devices and name.isdigit():  # a number on this machine; a batch system shares out its own
        os.environ["CUDA_VISIBLE_DEVICES"] = devices[int(name) % len(devices)]
    keep_freed()
    with _output_to(path, "w" if attempt == 1 else "a"):
        print(f"# {task.name}, try {attempt}, {time.ctime()}, process {os.getpid()}", flush=True)  # noqa: T201
        try:
            return _Outcome(task.function(**task.arguments))
        except Refusal as refusal:
            log.error("%s", refusal)
            return _Outcome(problem=refusal, final=True)
        except Exception as error:
            traceback.print_exc()
            return _Outcome(problem=Refusal(f"{type(error).__name__}: {error}"))


@contextlib.contextmanager
def _output_to(path: Path, mode: str) -> Iterator[None]:
    """Send standard output and error of this process, of C code too, to a file."""
    kept = os.dup(1), os.dup(2)
    with path.open(mode) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        faulthandler.enable(file, all_threads=False)
        setup_log(logging.INFO)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            faulthandler.disable()
            for number, copy in enumerate(kept, start=1):
                os.dup2(copy, number)
                os.close(copy)


def _outcome(future: Any) -> _Outcome:
    """Return what became of a try, also where no worker was left to say so."""
    if future.status == "finished":
        outcome: _Outcome = future.result()
        return outcome
    error = future.exception()
    if type(error).__name__ == "KilledWorker":
        problem = Refusal("its worker was killed, crashed or ran out of memory")
        return _Outcome(problem=problem, died=True)
    return _Outcome(problem=Refusal(f"{type(error).__name__}: {error}"))


def _refusal(
    title: str, tasks: Sequence[Task], lost: Mapping[int, Refusal], logs: Sequence[Path]
) -> Refusal:
    """Name the tasks that failed; show the first one's reason and the end of its log."""
    names = [tasks[number].name for number in sorted(lost)]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    head = f"{title}: {len(names)} of {len(tasks)} tasks failed: {', '.join(names[:5])}{more}"
    first = min(lost)
    problem = lost[first]
    head += f"\n  {names[0]}: {problem.message}"
    if problem.mend:
        return Refusal(head, mend=problem.mend, code=problem.code)
    tail = "".join(f"\n  | {line}" for line in _tail(logs[first]))
    return Refusal(
        f"{head}\n  log: {logs[first]}{tail}", mend="what is finished is kept: mend and run again"
    )


def _tail(path: Path) -> list[str]:
    if not path.is_file():
        return []
    return path.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL:]


def _bar(title: str, total: int) -> Any:
    from tqdm import tqdm

    return tqdm(
        total=total, desc=title, unit="task", mininterval=0.5 if sys.stderr.isatty() else 30
    )
