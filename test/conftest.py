"""What several rooms' tests use: a small trained model (random weights, real parts), a server."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch

from diffaudio import weights
from diffaudio.files import write_json

TINY = """
audio: {rate: 8000, target: clean, given: noisy}
model:
  codec: {class_path: diffaudio.codec.CompressedSTFT, init_args: {n_fft: 126, hop: 32}}
  path: {class_path: diffaudio.process.FlowSE}
  target: {class_path: diffaudio.process.Velocity}
  net:
    class_path: diffaudio.nets.BandTransformer
    init_args: {bands: 8, width: 16, depth: 1, heads: 2}
  objective: {times: {class_path: diffaudio.process.Uniform}}
  given: beside
decode:
  sampler:
    solver: {class_path: diffaudio.solve.DDIM}
    grid: {class_path: diffaudio.solve.UniformGrid}
    calls: 2
  chunk_seconds: 2.0
  overlap_seconds: 0.25
  batch_seconds: 4.0
"""

TINY_VOICE = """
audio: {rate: 8000, target: clean}
model:
  codec:
    class_path: diffaudio.codec.LogMel
    init_args: {mel: {rate: 8000, n_fft: 256, hop: 80, bands: 8}, iterations: 2}
  path: {class_path: diffaudio.process.RectifiedFlow}
  target: {class_path: diffaudio.process.Velocity}
  net:
    class_path: diffaudio.nets.UNet2d
    init_args: {widths: [8, 16], strides: [[2, 2]], depth: 1}
  objective: {times: {class_path: diffaudio.process.Uniform}}
  prior:
    class_path: diffaudio.prior.TextPrior
    init_args:
      width: 16
      depth: 1
      front_end: {units: {class_path: diffaudio.text.Characters}}
  given: beside
decode:
  sampler:
    solver: {class_path: diffaudio.solve.DDIM}
    grid: {class_path: diffaudio.solve.UniformGrid}
    calls: 2
  batch_seconds: 4.0
"""

TINY_SET = {"long": 5.0, "b": 0.31, "a": 0.8, "d": 0.8, "c": 1.4, "e": 0.05}  # id: seconds


def write_checkpoint(folder, step, held):
    """Write a checkpoint as a trainer does: weights and averages first, state.json last."""
    folder.mkdir(parents=True)
    halves = {name: 0.9 * tensor for name, tensor in held.items()}
    files = {
        weights.MODEL: weights.write_weights(folder / weights.MODEL, held),
        weights.EMA: weights.write_weights(folder / weights.EMA, halves),
    }
    write_json(folder / weights.STATE, {"step": step, "hours": 0.5, "files": files})


def write_exp(exp, text):
    """Write an experiment: config.yaml, two checkpoints, best.json, a voice's front end."""
    from diffaudio.decode.configuration import read_config
    from diffaudio.model import Model

    exp.mkdir()
    (exp / "plain.yaml").write_text(text)
    config = read_config(exp / "plain.yaml")
    config.save(exp / "config.yaml")
    torch.manual_seed(0)
    model = config.build(Model)
    held = model.state_dict()
    if model.prior is not None:
        model.prior.front_end.save(exp)
    for step in (5, 10):
        moved = {name: value + 0.02 * torch.randn(value.shape) for name, value in held.items()}
        write_checkpoint(exp / "checkpoints" / f"step_{step:08d}", step, moved)
    write_json(exp / "best.json", {"checkpoint": "step_00000005", "SI-SDR": 3.0})
    return exp


@pytest.fixture(scope="session")
def tiny_exp(tmp_path_factory):
    """Return an experiment. Copy it to change it."""
    return write_exp(tmp_path_factory.mktemp("exp") / "tiny", TINY)


@pytest.fixture(scope="session")
def tiny_prior(tmp_path_factory):
    """Return an experiment that generates from nothing."""
    text = TINY.replace("given: noisy", "given: null").replace("given: beside", "given: none")
    text = text.replace("process.FlowSE", "process.RectifiedFlow")
    return write_exp(tmp_path_factory.mktemp("exp") / "prior", text)


@pytest.fixture(scope="session")
def tiny_mels(tmp_path_factory):
    """Return an experiment whose states are mels."""
    codec = "LogMel, init_args: {mel: {rate: 8000, n_fft: 256, hop: 64, bands: 20}}"
    text = TINY.replace("CompressedSTFT, init_args: {n_fft: 126, hop: 32}", codec)
    text = text.replace("bands: 8, width", "bands: 4, width")
    return write_exp(tmp_path_factory.mktemp("exp") / "mels", text)


@pytest.fixture(scope="session")
def tiny_voice(tmp_path_factory):
    """Return an experiment of a model that reads."""
    return write_exp(tmp_path_factory.mktemp("exp") / "voice", TINY_VOICE)


@pytest.fixture(scope="session")
def loaded():
    """Return a function that loads the model in a folder, with options as on a command line."""
    from diffaudio.decode.configuration import read_config
    from diffaudio.decode.spec import DecodeSpec
    from diffaudio.decode.trained import load

    def make(folder, options=(), **more):
        config = read_config(folder / "config.yaml", options)
        return load(folder, config, config.build(DecodeSpec), **more)

    return make


@pytest.fixture(scope="session")
def tiny_dump(tmp_path_factory):
    """Return a folder with data/test.jsonl and dump/test, as the stages before leave them."""
    return write_dump(tmp_path_factory.mktemp("corpus"), "noisy")


@pytest.fixture(scope="session")
def tiny_texts(tmp_path_factory):
    """Return the same of recordings with texts, "a, a." that of a."""
    return write_dump(tmp_path_factory.mktemp("corpus"), None)


def write_dump(root, given):
    """Write manifest and shards of the tiny set, with what is given or else with texts."""
    from diffaudio import provenance
    from diffaudio.data import audio, manifest, merge, prepare
    from diffaudio.files import digest

    spec = audio.AudioSpec(rate=8000, target="clean", given=given)
    rows, random = [], np.random.default_rng(0)
    for name, seconds in TINY_SET.items():
        pair = (0.1 * random.standard_normal((2, int(8000 * seconds)))).astype(np.float32)
        paths = {role: f"{name}_{role}.wav" for role in spec.roles}
        for path, x in zip(paths.values(), pair, strict=False):
            audio.save(root / path, x, 8000)
        rows.append({"id": name, "audio": paths} | ({} if given else {"text": f"{name}, {name}."}))
    data, out = root / "data" / "test.jsonl", root / "dump" / "test"
    data.parent.mkdir()
    manifest.write(data, rows)
    keys = {f"audio.{name}": value for name, value in vars(spec).items()}
    provenance.begin(out, stage="shard", version=1, keys=keys, inputs={str(data): digest(data)})
    of_four = prepare.ShardSpec(items=4)
    for task in prepare.tasks(data, out, root=root, audio=spec, shard=of_four, force=False):
        task.function(**task.arguments)
    merge.build(out, sorted(out.glob("*.tar")), rate=spec.rate)
    provenance.finish(out)
    return root


@pytest.fixture
def speech():
    """Return a maker of sound that is not stationary: (n, a) float32 at a given rate."""

    def make(seconds, rate=8000, channels=1, seed=0):
        n = round(seconds * rate)
        random = np.random.default_rng(seed)
        time = np.arange(n)[:, None] / rate
        envelope = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * time + np.arange(channels))
        voice = np.sin(2 * np.pi * 220 * time) + 0.5 * np.sin(2 * np.pi * 660 * time)
        x = 0.2 * envelope * voice + 0.02 * random.standard_normal((n, channels))
        return x.astype(np.float32)

    return make


class Server(BaseHTTPRequestHandler):
    """Serves `files`, ranges included; sends at most `most` bytes of a body and notes what came."""

    files: dict[str, bytes] = {}
    asked: list[tuple[str, str | None]] = []
    most = 1 << 30
    ranges = True

    def do_GET(self):
        body, wanted = self.files.get(self.path), self.headers.get("Range")
        self.asked.append((self.path, wanted))
        if body is None:
            return self.send_error(404)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        if wanted and self.ranges and start >= len(body):
            return self.send_error(416)
        self.send_response(206 if wanted and self.ranges else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start : start + self.most])
        return None

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    """A server on this machine, and its address with {} for a file."""

    class Own(Server):
        files, asked = {}, []

    with ThreadingHTTPServer(("127.0.0.1", 0), Own) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        Own.address = f"http://127.0.0.1:{running.server_address[1]}/{{}}"
        yield Own
        running.shutdown()
        thread.join()
