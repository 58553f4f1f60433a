"""The processes of a run and what they compute with: ranks, precision, threads, determinism."""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from accelerate import Accelerator, DistributedType
from accelerate.utils import broadcast_object_list

from diffaudio.log import Refusal, log
from diffaudio.train.launch import Asked
from diffaudio.train.signals import LAUNCHER, die_with_parent

__all__ = ["agreed", "freed", "join", "seed", "settled", "shared", "threads"]

T = TypeVar("T")

_KINDS = {DistributedType.NO, DistributedType.MULTI_CPU, DistributedType.MULTI_GPU}


def join(asked: Asked) -> Accelerator:
    """Join the ranks asked for; every setting of accelerate is given here, none taken from a file.

    Raises:
        Refusal: a GPU is asked for and there is none, or the world is not the one asked for.
    """
    if asked.ngpu > torch.cuda.device_count():
        raise Refusal(
            f"--ngpu {asked.ngpu}: this machine has {torch.cuda.device_count()} that torch can use",
            mend="ask for fewer; --ngpu 0 computes on the CPU",
        )
    if not asked.ngpu and torch.cuda.is_available():
        log.warning("training on the processor; --ngpu 1 would use the GPU of this machine")
    if asked.size > 1:
        die_with_parent()
        os.environ.setdefault("OMP_NUM_THREADS", str(threads(0)))  # else accelerate sets it, loudly
    accelerator = Accelerator(
        cpu=asked.ngpu == 0, mixed_precision="no", gradient_accumulation_steps=1
    )
    found = accelerator.num_processes
    told = int(os.environ.get("WORLD_SIZE", "1"))
    if not found == told == asked.size or accelerator.distributed_type not in _KINDS:
        raise Refusal(
            f"{asked.size} ranks were asked for, WORLD_SIZE is {told}, and {found} found one "
            f"another ({accelerator.distributed_type.value})",
            mend="give --ngpu and --num_nodes as the ranks were started",
        )
    return accelerator


def agreed(accelerator: Accelerator, decide: Callable[[], bool]) -> bool:
    """Let the main rank decide for all; if it fails, the others end without waiting for it."""
    verdict, failure = torch.zeros(2, device=accelerator.device), None
    if accelerator.is_main_process:
        try:
            verdict[0] = decide()
        except BaseException as error:  # whatever it is, the others must hear of it first
            verdict[1], failure = 1, error
    verdict = accelerator.reduce(verdict, "sum")
    if failure is not None:
        raise failure
    if verdict[1]:
        raise SystemExit(1)
    return bool(verdict[0])


def threads(asked: int) -> int:
    """Return the threads of one rank; 0 shares this machine's cores among its ranks.

    Slurm has shared them already among ranks that it has started.
    """
    cores, by_slurm = len(os.sched_getaffinity(0)), os.environ.get("SLURM_CPUS_PER_TASK")
    if by_slurm and LAUNCHER not in os.environ:
        return asked or min(cores, int(by_slurm))
    return asked or max(cores // int(os.environ.get("LOCAL_WORLD_SIZE", "1")), 1)


def seed(key: int, device: torch.device) -> None:
    """Start the global random streams that this device draws from, as `torch.manual_seed` does.

    That one also seeds GPUs that are not used, which takes it a hundred times as long.
    """
    torch.default_generator.manual_seed(key)
    if device.type == "cuda":
        torch.cuda.manual_seed(key)


def shared(accelerator: Accelerator, value: T) -> T:
    """Return the main rank's value on every rank."""
    held = [value]
    if accelerator.num_processes > 1:
        broadcast_object_list(held, from_process=0)
    return held[0]


@contextlib.contextmanager
def freed() -> Iterator[None]:
    """Let go of what a failed block held before its error goes on.

    The error would keep the loader alive, and the loader's processes would keep this one from
    ending for many seconds.
    """
    try:
        yield
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)
        raise


@contextlib.contextmanager
def settled(count: int, device: torch.device) -> Iterator[None]:
    """Compute with `count` threads and deterministic algorithms inside the block.

    On a GPU an operation that has no deterministic form warns; on a CPU it is an error.
    """
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic
    fill = memory.fill_uninitialized_memory
    torch.set_num_threads(count)
    torch.use_deterministic_algorithms(True, warn_only=device.type == "cuda")
    memory.fill_uninitialized_memory = False  # it costs time, and nothing here reads such memory
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        memory.fill_uninitialized_memory = fill
