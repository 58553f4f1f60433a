"""Training under Slurm: the ranks that srun started, and the job file that asks for them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from diffaudio.log import Refusal

__all__ = ["first_host", "job_file", "ranks"]

_NOTICE = 120  # seconds before the time limit at which the ranks are told to save
_FIRST_PORT, _PORTS = 15000, 15000  # below the ports that systems hand out by themselves


def ranks(environment: Mapping[str, str], *, nodes: int, size: int) -> dict[str, str]:
    """Return the variables that make a task of srun a rank; none outside srun.

    Args:
        environment: of this process.
        nodes: machines asked for.
        size: ranks asked for, over all machines.

    Raises:
        Refusal: the job step has another number of nodes or tasks.
    """
    if "SLURM_PROCID" not in environment:
        return {}
    tasks = int(environment.get("SLURM_STEP_NUM_TASKS", 1))
    on = int(environment.get("SLURM_STEP_NUM_NODES", 1))
    if tasks == 1 and nodes == 1:  # a batch script or a shell of its own: ranks start from here
        return {}
    if (tasks, on) != (size, nodes):
        raise Refusal(
            f"srun started {tasks} tasks on {on} nodes, asked for: {size} ranks on {nodes} nodes",
            mend=f"srun --nodes={nodes} --ntasks-per-node={size // nodes}, or change --ngpu and "
            "--num_nodes",
        )
    return {
        "RANK": environment["SLURM_PROCID"],
        "LOCAL_RANK": environment["SLURM_LOCALID"],
        "WORLD_SIZE": str(size),
        "LOCAL_WORLD_SIZE": str(size // nodes),
        "MASTER_ADDR": first_host(environment["SLURM_STEP_NODELIST"]),
        "MASTER_PORT": str(_FIRST_PORT + int(environment["SLURM_JOB_ID"]) % _PORTS),
    }


def first_host(nodes: str) -> str:
    """Return the first host of a list as Slurm writes it: gpu[07-09,12],login1 gives gpu07."""
    group = re.match(r"(?:[^,\[]|\[[^\]]*\])+", nodes)
    if group is None:
        raise Refusal(f"SLURM_STEP_NODELIST={nodes!r}: names no host")
    return re.sub(r"\[(\w+)[^\]]*\]", r"\1", group[0])


def job_file(
    command: Sequence[str], exp: Path, *, nodes: int, ngpu: int, cpu_ranks: int, workers: int
) -> str:
    """Return a job file for sbatch that trains until done, through time limits and preemptions.

    Args:
        command: starts one rank.
        exp: the experiment.
        nodes: machines.
        ngpu: GPUs and ranks per machine; 0 for none.
        cpu_ranks: ranks per machine where `ngpu` is 0.
        workers: loader processes per rank.
    """
    tasks, status = ngpu or cpu_ranks, shlex.quote(str(exp / "status.json"))
    gpus = [f"#SBATCH --gpus-per-node={ngpu}"] if ngpu else []
    lines = [
        "#!/usr/bin/env bash",
        "# Options of sbatch itself win over those below:",
        "#     sbatch --partition NAME --time 24:00:00 THIS_FILE",
        f"# {_NOTICE} s before the time limit the ranks save and the job queues itself again.",
        f"#SBATCH --job-name={re.sub(r'[^A-Za-z0-9_.-]', '_', exp.name)}",
        f"#SBATCH --nodes={nodes}",
        f"#SBATCH --ntasks-per-node={tasks}",
        f"#SBATCH --cpus-per-task={workers + 1}",
        *gpus,
        "#SBATCH --requeue",
        "#SBATCH --open-mode=append",
        f"#SBATCH --signal=USR1@{_NOTICE}",
        "#SBATCH --output=%x-%j.log",
        "",
        f"rm -f {status}  # what an earlier run left must not decide about this one",
        f"srun --kill-on-bad-exit=1 --cpus-per-task={workers + 1} {shlex.join(command)}",
        "code=$?",
        f"if grep -qs '\"interrupted\"' {status}; then",
        '    scontrol requeue "$SLURM_JOB_ID"',
        "fi",
        'exit "$code"',
    ]
    return "\n".join(lines) + "\n"
