import sys
import types

import pytest

from diffaudio import cluster
from diffaudio.log import Refusal


def connect(folder):
    with cluster.connect(2, 3, folder):
        pass


@pytest.mark.parametrize(
    ("backend", "complaint"),
    [
        ("slrum", "no such backend"),
        ("tcp://10.1.2.3:8786", "whoever reaches a scheduler can run code"),
        ("tcp://head.example:8786", "whoever reaches a scheduler can run code"),
        ("ucx://10.1.2.3:8786", "whoever reaches a scheduler can run code"),
    ],
)
def test_backends_that_are_unknown_or_unsafe_are_refused(tmp_path, monkeypatch, backend, complaint):
    monkeypatch.setenv("DIFFAUDIO_CMD", backend)
    with pytest.raises(Refusal, match=complaint) as caught:
        connect(tmp_path)
    assert f"DIFFAUDIO_CMD={backend}" in caught.value.message
    assert caught.value.mend


@pytest.mark.parametrize("address", ["tls://10.1.2.3:8786", "tcp://127.0.0.1:1", "tcp://[::1]:1"])
def test_addresses_that_are_private_or_encrypted_are_accepted(address):
    assert cluster._address(address) == address


def test_a_batch_system_without_dask_jobqueue_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFAUDIO_CMD", "slurm")
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(Refusal, match="dask-jobqueue is not installed") as caught:
        connect(tmp_path)
    assert "diffaudio[cluster]" in caught.value.mend


@pytest.fixture
def jobqueue(monkeypatch, tmp_path):
    """Put a stand-in for dask_jobqueue in place; return what its clusters were made with."""
    made = []

    class Cluster:
        def __init__(self, *, cores, processes, memory, walltime="00:30:00", **rest):
            made.append({"cores": cores, "processes": processes, "walltime": walltime, **rest})

        def scale(self, jobs):
            made.append(jobs)

    fake = types.ModuleType("dask_jobqueue")
    fake.SLURMCluster = fake.PBSCluster = fake.SGECluster = Cluster
    monkeypatch.setitem(sys.modules, "dask_jobqueue", fake)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf").mkdir()
    return made


@pytest.mark.parametrize("backend", ["slurm", "pbs", "sge"])
def test_jobs_are_sized_encrypted_and_take_the_settings_of_the_site(jobqueue, tmp_path, backend):
    (tmp_path / "conf" / f"{backend}.yaml").write_text(
        "memory: 8GB\nwalltime: '02:00:00'\njob_script_prologue: [module load sox]\n"
        "scheduler_options: {interface: ib0}\n"
    )
    cluster._cluster(backend, 2, 3, tmp_path)
    made, jobs = jobqueue
    assert jobs == 2
    assert (made["cores"], made["processes"], made["walltime"]) == (3, 1, "02:00:00")
    assert made["worker_extra_args"] == ["--nthreads", "1"]
    assert made["job_script_prologue"][0] == "export OMP_NUM_THREADS=3"
    assert made["job_script_prologue"][-1] == "module load sox"
    assert made["security"] is True
    assert made["scheduler_options"]["interface"] == "ib0"
    assert made["scheduler_options"]["dashboard"] is False


def test_missing_and_wrong_settings_are_refused(jobqueue, tmp_path, monkeypatch):
    with pytest.raises(Refusal, match=r"conf/slurm\.yaml: DIFFAUDIO_CMD=slurm needs") as caught:
        cluster._cluster("slurm", 2, 3, tmp_path)
    assert "queue and account" in caught.value.mend
    (tmp_path / "mine.yaml").write_text("queue: cpu\n")
    monkeypatch.setenv("DIFFAUDIO_CMD_CONF", str(tmp_path / "mine.yaml"))
    with pytest.raises(Refusal, match=r"mine.yaml: .*memory"):
        cluster._cluster("slurm", 2, 3, tmp_path)
