"""Where tasks run: worker processes here, jobs of a batch system, or a running Dask scheduler.

The environment variable DIFFAUDIO_CMD chooses: `local` (default), `slurm`, `pbs` or `sge` through
dask-jobqueue with the settings of conf/<backend>.yaml (or of the file DIFFAUDIO_CMD_CONF), or the
address of a scheduler. Whoever reaches a Dask scheduler can run code on it: local workers listen on
the loopback only, with TLS where `cryptography` is installed; everything else speaks TLS.
"""

from __future__ import annotations

import contextlib
import importlib.util
import ipaddress
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from diffaudio import strict
from diffaudio.log import Refusal, log

__all__ = ["connect"]

_CLUSTERS = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "sge": "SGECluster"}
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@contextlib.contextmanager
def connect(width: int, threads: int, folder: Path) -> Iterator[Any]:
    """Open the backend that DIFFAUDIO_CMD names and yield a Dask client.

    Args:
        width: workers to start, each of which runs one task at a time.
        threads: for BLAS and torch in each worker (a running scheduler keeps its own).
        folder: shared by all workers; receives job logs and, while jobs run, their TLS keys.

    Raises:
        Refusal: no such backend, not installed, not reachable, not safe, or bad settings.
    """
    import dask
    import distributed

    settings = {
        "distributed.scheduler.allowed-failures": 0,  # tries are counted here
        "distributed.scheduler.worker-ttl": None,  # long tasks may hold the interpreter
    }
    backend = os.environ.get("DIFFAUDIO_CMD") or "local"
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(settings))
        stack.enter_context(_environment(dict.fromkeys(_THREADS, str(threads))))
        if "://" in backend:
            where: Any = _address(backend)
        elif backend == "local":
            where = stack.enter_context(_local(width))
        else:
            where = stack.enter_context(_cluster(backend, width, threads, folder))
        try:
            client = stack.enter_context(distributed.Client(where, timeout=30))
        except OSError as error:
            raise Refusal(
                f"DIFFAUDIO_CMD={backend}: no scheduler answers ({error})",
                mend="check that the scheduler runs and can be reached from here, or unset "
                "DIFFAUDIO_CMD to compute on this machine",
            ) from error
        yield client


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables that new workers inherit, and undo afterwards what Dask sets besides."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _local(width: int) -> Iterator[Any]:
    """Open workers in processes of this machine, reachable from this machine only.

    All work is done when they are closed. Dask may stumble there over a worker that it is just
    starting again in place of a lost one: that must not hide what became of the work.
    """
    from distributed import LocalCluster

    workers = LocalCluster(
        n_workers=width,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        memory_limit=0,
        security=_secure(),
        silence_logs=logging.CRITICAL,  # a lost worker is reported above, in our words
    )
    try:
        yield workers
    finally:
        try:
            workers.close()
        except Exception as error:
            log.warning("workers will end with this process, not before (%r)", error)


def _secure() -> bool | None:
    """Say whether workers here speak TLS: where `cryptography` can make keys for it.

    Without, other users of this machine reach them, too, and could run code with them.
    """
    return True if importlib.util.find_spec("cryptography") else None


def _address(address: str) -> str:
    """Refuse a scheduler that anyone on the network could send code to."""
    url = urlsplit(address)
    host = url.hostname or ""
    with contextlib.suppress(ValueError):
        if url.scheme == "tls" or host == "localhost" or ipaddress.ip_address(host).is_loopback:
            return address
    raise Refusal(
        f"DIFFAUDIO_CMD={address}: without TLS, whoever reaches a scheduler can run code on it",
        mend="start the scheduler with TLS and give tls://HOST:PORT "
        "(certificates: Dask's settings distributed.comm.tls)",
    )


def _cluster(backend: str, width: int, threads: int, folder: Path) -> Any:
    """Return a cluster whose workers are jobs of a batch system, joined by TLS."""
    if backend not in _CLUSTERS:
        raise Refusal(
            f"DIFFAUDIO_CMD={backend}: no such backend",
            mend=f"one of: local, {', '.join(_CLUSTERS)}, or the address of a Dask scheduler",
        )
    try:
        jobqueue = importlib.import_module("dask_jobqueue")
    except ImportError as error:
        raise Refusal(
            f"DIFFAUDIO_CMD={backend}: dask-jobqueue is not installed",
            mend="pip install 'diffaudio[cluster]'",
        ) from error
    path = Path(os.environ.get("DIFFAUDIO_CMD_CONF") or f"conf/{backend}.yaml")
    if not path.is_file():
        raise Refusal(
            f"{path}: DIFFAUDIO_CMD={backend} needs this file with the settings of your site",
            mend="write memory, walltime, queue and account into it; README.md, `On a cluster`, "
            "has an example",
        )
    site = strict.load(path, {})
    prologue = [f"export {name}={threads}" for name in _THREADS]
    scheduler = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    try:
        cluster = getattr(jobqueue, _CLUSTERS[backend])(
            cores=threads,
            processes=1,
            worker_extra_args=["--nthreads", "1"],  # one task at a time, on all cores of the job
            job_script_prologue=prologue + site.pop("job_script_prologue", []),
            scheduler_options=scheduler | site.pop("scheduler_options", {}),
            security=True,
            shared_temp_directory=str(folder.resolve()),
            log_directory=str(folder.resolve()),
            **site,
        )
    except (TypeError, ValueError) as error:
        raise Refusal(f"{path}: {error}", mend=f"see dask-jobqueue's {backend} options") from error
    cluster.scale(jobs=width)
    return cluster
