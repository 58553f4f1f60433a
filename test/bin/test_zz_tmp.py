import os, subprocess, sys, time, signal, pytest
from pathlib import Path
TRAIN = """
train:
  steps: 100000
  global_batch: 2
  max_per_device: 1
  crop_seconds: null
  ema: 3.0
  threads: 1
  workers: 2
  precision: fp32
  valid_every: 0
  save_every: 50
  log_every: 50
"""
@pytest.fixture
def cmd(tiny_dump, tiny_exp, tmp_path):
    (tmp_path / "x.yaml").write_text((tiny_exp / "config.yaml").read_text() + TRAIN)
    return [sys.executable, "-m", "diffaudio", "train", "--config", str(tmp_path/"x.yaml"), "--dump", str(tiny_dump/"dump"), "--train_set", "test", "--exp", str(tmp_path/"exp")]

def lines(tmp_path):
    log = tmp_path/"exp/log.jsonl"
    return log.read_bytes().count(b"\n") if log.exists() else 0

def test_kill_then_at_once(cmd, tmp_path):
    p = subprocess.Popen(cmd)
    while lines(tmp_path) < 60: time.sleep(.01); assert p.poll() is None
    p.kill(); p.wait()
    t=time.time()
    q = subprocess.run(cmd+["--train.steps","70"], capture_output=True, text=True)
    print(q.returncode, time.time()-t, q.stderr)
    assert 0

@pytest.mark.parametrize("how", ["pid","group"])
def test_term(cmd, tmp_path, how):
    p = subprocess.Popen(cmd, start_new_session=True, stderr=subprocess.PIPE, text=True)
    while lines(tmp_path) < 10: time.sleep(.01); assert p.poll() is None
    t=time.time()
    (os.kill if how=="pid" else os.killpg)(p.pid, 15)
    err = p.stderr.read()
    print(how, p.wait(), time.time()-t, (tmp_path/"exp/status.json").read_text(), err[-2500:])
    assert 0
