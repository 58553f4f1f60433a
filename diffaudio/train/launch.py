"""Start the ranks of a training run: none for one device, children of this process, or srun's.

Ranks find one another by the variables that torch documents (RANK, WORLD_SIZE, LOCAL_RANK,
LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT). They are all set here, so that no configuration file of
another program has a say. `torchrun` sets the same and may start the ranks instead.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType

from diffaudio.log import Refusal, log
from diffaudio.train import slurm
from diffaudio.train.signals import INTERRUPTED, LAUNCHER

__all__ = ["Asked", "spawn", "start"]

_LOOK = 0.1  # seconds between looks at the ranks


@dataclass(frozen=True)
class Asked:
    """The processes a user asked for.

    Args:
        ngpu: GPUs per node, one rank each; 0 computes on the CPU.
        num_nodes: machines.
        cpu_ranks: ranks per node where no GPU is asked for (tests, CPU clusters).
    """

    ngpu: int = 0
    num_nodes: int = 1
    cpu_ranks: int = 1

    def __post_init__(self) -> None:
        if self.ngpu < 0 or self.num_nodes < 1 or self.cpu_ranks < 1:
            raise Refusal(
                f"--ngpu {self.ngpu} --num_nodes {self.num_nodes} --cpu_ranks {self.cpu_ranks}: "
                "no such number of processes"
            )
        if self.ngpu and self.cpu_ranks > 1:
            raise Refusal(f"--ngpu {self.ngpu} --cpu_ranks {self.cpu_ranks}: give one of the two")

    @property
    def per_node(self) -> int:
        """Ranks on each machine."""
        return self.ngpu or self.cpu_ranks

    @property
    def size(self) -> int:
        """Ranks in all."""
        return self.per_node * self.num_nodes


def start(asked: Asked, command: Sequence[str], run: Callable[[], int]) -> int:
    """Call `run` if this process is a rank already or the only one; else start the ranks.

    Args:
        asked: the world.
        command: starts this program again with the same arguments.
        run: what a rank does; returns its exit status.

    Returns:
        The exit status: that of the first rank that failed, else the highest.

    Raises:
        Refusal: several nodes without srun, or srun started another number of ranks.
    """
    if "RANK" not in os.environ:
        os.environ.update(slurm.ranks(os.environ, nodes=asked.num_nodes, size=asked.size))
    if "RANK" in os.environ or asked.size == 1:
        return run()
    if asked.num_nodes > 1:
        raise Refusal(
            f"--num_nodes {asked.num_nodes}: this process is not part of a job over several nodes",
            mend="--print_sbatch prints a job file; or start it with torchrun on every node",
        )
    return spawn(command, asked.size)


def spawn(command: Sequence[str], size: int) -> int:
    """Start `command` as `size` ranks on this machine and wait for them.

    SIGTERM, SIGUSR1 and Ctrl-C are passed on. When a rank fails the others, which would wait for
    it for ever, are killed; when this process is killed, its ranks are too.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log.info("starting %d ranks on this machine, port %d", size, port)
    children = [
        subprocess.Popen(command, env={**os.environ, **_local_rank(rank, size, port)})
        for rank in range(size)
    ]
    with _passing_on(children):
        return _wait(children)


def _local_rank(rank: int, size: int, port: int) -> Mapping[str, str]:
    return {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(size),
        "LOCAL_WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        LAUNCHER: str(os.getpid()),
    }


@contextlib.contextmanager
def _passing_on(children: Sequence[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Pass on what asks a run to stop; Ctrl-C as SIGTERM, for a terminal sends it to ranks too."""

    def pass_on(number: int, frame: FrameType | None) -> None:
        del frame
        for child in children:
            child.send_signal(signal.SIGTERM if number == signal.SIGINT else number)

    asks = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
    before = {number: signal.signal(number, pass_on) for number in asks}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(children: Sequence[subprocess.Popen[bytes]]) -> int:
    """Wait for all; at the first failure kill the rest. Return the exit status for the whole."""
    failed, running = None, list(children)
    while running:
        running = [child for child in children if child.poll() is None]
        ends = [(child.returncode, rank) for rank, child in enumerate(children)]
        failed = failed or next((end for end in ends if end[0] not in (None, 0, INTERRUPTED)), None)
        for child in running if failed else ():
            child.kill()
        time.sleep(_LOOK if running else 0)
    if failed is None:
        return max(child.returncode for child in children)
    code, rank = failed
    log.error("rank %d ended with %s; the others were ended too", rank, _name(code))
    return code if code > 0 else 128 - code


def _name(code: int) -> str:
    return f"status {code}" if code > 0 else signal.Signals(-code).name
