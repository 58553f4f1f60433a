import sys
import weakref

import pytest
import torch

from diffaudio.log import Refusal
from diffaudio.train import world
from diffaudio.train.launch import Asked
from diffaudio.train.world import agreed, freed, join, seed, settled, threads


def test_another_world_than_the_one_asked_for_is_refused(accelerator, monkeypatch):
    monkeypatch.setattr(world, "die_with_parent", lambda: None)
    with pytest.raises(Refusal, match="2 ranks were asked for, WORLD_SIZE is 1, and 1 found"):
        join(Asked(cpu_ranks=2))
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(Refusal, match="1 ranks were asked for, WORLD_SIZE is 2, and 1 found"):
        join(Asked())


@pytest.mark.slow
def test_every_rank_refuses_a_world_of_another_size(two_ranks, tmp_path, capfd):
    assert two_ranks(tmp_path, {"steps": 2}, believed=1) == 1
    said = capfd.readouterr().err
    assert "1 ranks were asked for, WORLD_SIZE is 2, and 2 found one another" in said
    assert not (tmp_path / "log.jsonl").exists()


@pytest.mark.skipif(torch.cuda.device_count() > 7, reason="there are that many")
def test_gpus_that_are_not_there_are_refused():
    with pytest.raises(Refusal, match="--ngpu 8"):
        join(Asked(ngpu=8))


def test_a_gpu_that_is_left_idle_is_named(accelerator, monkeypatch, caplog):
    caplog.set_level("WARNING", "diffaudio")
    join(Asked())
    assert "--ngpu 1" not in caplog.text or torch.cuda.is_available()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    join(Asked())
    assert "training on the processor; --ngpu 1 would use the GPU" in caplog.text


def test_the_main_rank_decides_and_its_refusal_is_raised(accelerator):
    assert agreed(accelerator, lambda: True) is True
    assert agreed(accelerator, lambda: False) is False
    with pytest.raises(Refusal, match="no"):
        agreed(accelerator, lambda: (_ for _ in ()).throw(Refusal("no")))


def test_threads_share_the_machine(monkeypatch):
    monkeypatch.setattr(world.os, "sched_getaffinity", lambda _: set(range(12)))
    assert threads(3) == 3
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    assert threads(0) == 12
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "5")
    assert threads(0) == 2
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "50")
    assert threads(0) == 1
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "3")  # srun has given this rank its own
    assert (threads(0), threads(2)) == (3, 2)
    monkeypatch.setenv("DIFFAUDIO_LAUNCHER", "1")  # ranks of one task of Slurm share it
    assert threads(0) == 1


def test_settings_hold_inside_the_block_alone():
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()

    def fail():
        with settled(before[0] + 1, torch.device("cpu")):
            assert torch.get_num_threads() == before[0] + 1
            assert torch.are_deterministic_algorithms_enabled()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def test_a_failed_block_lets_go_of_what_it_held():
    class Loader:
        pass

    held = []

    def fail():
        loader = Loader()
        held.append(weakref.ref(loader))
        raise ZeroDivisionError

    def run():
        with freed():
            fail()

    with pytest.raises(ZeroDivisionError) as error:
        run()
    assert error.tb is not None
    assert held[0]() is None


def test_seed_starts_the_stream_that_manual_seed_starts():
    torch.manual_seed(2**62 + 1)
    wanted = torch.rand(3)
    seed(2**62 + 1, torch.device("cpu"))
    assert torch.equal(torch.rand(3), wanted)


def test_the_launcher_needs_no_torch():
    import subprocess

    code = "import sys, diffaudio.train.launch; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
