import os
import stat
import subprocess

import pytest

from diffaudio.log import Refusal
from diffaudio.train.slurm import first_host, job_file, ranks

STEP = {
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
    "SLURM_JOB_ID": "4012345",
    "SLURM_STEP_NUM_TASKS": "8",
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_STEP_NODELIST": "gpu[07,09]",
}


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("gpu7", "gpu7"),
        ("gpu[07-09,12],login1", "gpu07"),
        ("a,b", "a"),
        ("rack[1-2]n[01-20]", "rack1n01"),
        ("n[3].cluster.org,x", "n3.cluster.org"),
    ],
)
def test_first_host(nodes, first):
    assert first_host(nodes) == first


def test_a_task_of_srun_becomes_a_rank():
    found = ranks(STEP, nodes=2, size=8)
    assert found == {
        "RANK": "5",
        "LOCAL_RANK": "1",
        "WORLD_SIZE": "8",
        "LOCAL_WORLD_SIZE": "4",
        "MASTER_ADDR": "gpu07",
        "MASTER_PORT": str(15000 + 4012345 % 15000),
    }


def test_outside_a_step_of_several_tasks_nothing_is_set():
    assert ranks({}, nodes=1, size=4) == {}
    assert ranks({"SLURM_PROCID": "0", "SLURM_JOB_ID": "7"}, nodes=1, size=4) == {}


@pytest.mark.parametrize(("nodes", "size"), [(1, 8), (2, 4), (4, 8), (1, 1)])
def test_another_world_than_the_one_asked_for_is_refused(nodes, size):
    with pytest.raises(Refusal, match=rf"8 tasks on 2 nodes, asked for: {size} ranks on {nodes}"):
        ranks(STEP, nodes=nodes, size=size)


SAVED, FULL = '{"state": "interrupted"}', '{"state": "failed"}'


def job(exp, command=("diffaudio", "train", "--config", "a b.yaml")):
    return job_file(command, exp, nodes=2, ngpu=4, cpu_ranks=1, workers=3)


def test_the_job_asks_for_what_the_ranks_need(tmp_path):
    lines = job(tmp_path / "my run").splitlines()
    assert {
        "#SBATCH --job-name=my_run",
        "#SBATCH --nodes=2",
        "#SBATCH --ntasks-per-node=4",
        "#SBATCH --gpus-per-node=4",
        "#SBATCH --cpus-per-task=4",
        "#SBATCH --requeue",
        "#SBATCH --open-mode=append",
        "#SBATCH --signal=USR1@120",
    } <= set(lines)
    no_gpu = job_file(["x"], tmp_path, nodes=1, ngpu=0, cpu_ranks=2, workers=0)
    assert "gpus" not in no_gpu
    assert "--ntasks-per-node=2" in no_gpu


@pytest.mark.parametrize(
    ("left", "code", "requeued"), [(SAVED, 75, True), (FULL, 1, False), (None, 2, False)]
)
def test_the_job_queues_itself_again_only_after_a_save(tmp_path, left, code, requeued):
    """Run with a stand-in for srun, in an experiment whose name is as awkward as names get."""
    exp = tmp_path / "it's $(touch boom) \n here"
    exp.mkdir()
    (exp / "status.json").write_text(SAVED)  # of the run before
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "left").write_text(left or "")
    for name, body in {
        "srun": 'printf "%s|" "$@" >"$LOG/srun"\n[ -s "$LOG/left" ] && '
        'cp "$LOG/left" "$EXP/status.json"\nexit "$CODE"',
        "scontrol": 'printf "%s|" "$@" >"$LOG/scontrol"',
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(stat.S_IRWXU)
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        **{"LOG": str(tmp_path), "EXP": str(exp), "CODE": str(code), "SLURM_JOB_ID": "77"},
    }
    run = subprocess.run(["bash"], input=job(exp), text=True, env=environment, cwd=tmp_path)
    assert run.returncode == code
    assert (tmp_path / "srun").read_text() == (
        "--kill-on-bad-exit=1|--cpus-per-task=4|diffaudio|train|--config|a b.yaml|"
    )
    assert (tmp_path / "scontrol").exists() == requeued
    if requeued:
        assert (tmp_path / "scontrol").read_text() == "requeue|77|"
    assert not (tmp_path / "boom").exists()
