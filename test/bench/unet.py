"""A training step of our U-Net beside diffusers' U-Net of equal parameters and multiply-adds.

    pip install --no-deps diffusers huggingface_hub importlib_metadata regex requests
    python test/bench/unet.py [--steps 7] [--threads 2] [--precision fp32]

Both map four channels of 256 bins and 128 frames to two, in batches of four, and take a whole step:
forward, mean square, backward, AdamW. They take turns, the peer in both memory formats; shown are
medians over the turns, and the median ratio of ours to the peer's faster format, of wall and of
processor time. Processor time hardly changes with what else the machine is doing. Exits with 1
where counts differ by more than 5 %, or where ours takes more than 1.05 times the peer's time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from diffaudio.memory import keep_freed
from diffaudio.nets import UNet2d
from diffaudio.precision import autocast

CEILING, SLACK = 1.05, 0.05
BATCH, CHANNELS, OUT, BINS, FRAMES = 4, 4, 2, 256, 128
PEER = "diffusers"
Call = Callable[[nn.Module, Tensor, Tensor], Tensor]


def ours() -> nn.Module:
    """Return our network: the defaults, with three blocks a level, and one of attention."""
    return UNet2d(CHANNELS, OUT, BINS, strides=((2, 1), (2, 2)), blocks=3, depth=1)


def peer() -> nn.Module:
    """Return diffusers' network, with attention at its lowest resolution."""
    from diffusers import UNet2DModel

    return UNet2DModel(
        in_channels=CHANNELS,
        out_channels=OUT,
        block_out_channels=(16, 32, 64, 128),
        layers_per_block=1,
        norm_num_groups=16,
        attention_head_dim=32,
        down_block_types=("DownBlock2D",) * 3 + ("AttnDownBlock2D",),
        up_block_types=("AttnUpBlock2D",) + ("UpBlock2D",) * 3,
    )


def call(net: nn.Module, x: Tensor, c_noise: Tensor) -> Tensor:
    """Return what the network makes of a state; the peer wraps it."""
    made = net(x, c_noise)
    return made if isinstance(made, Tensor) else made.sample


def counted(build: Callable[[], nn.Module]) -> tuple[int, int]:
    """Return parameters, and multiply-adds of one item."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        net = build()
        call(net, torch.empty(1, CHANNELS, BINS, FRAMES), torch.empty(1))
    return sum(p.numel() for p in net.parameters()), counter.get_total_flops() // 2


def stepper(net: nn.Module, layout: torch.memory_format, precision: str) -> Callable[[], None]:
    """Return one training step of a network."""
    net = net.to(memory_format=layout)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)
    x = torch.randn(BATCH, CHANNELS, BINS, FRAMES).contiguous(memory_format=layout)
    wanted, c_noise = torch.randn(BATCH, OUT, BINS, FRAMES), torch.rand(BATCH)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with autocast(precision, x.device):
            made = call(net, x, c_noise)
        (made.float() - wanted).square().mean().backward()
        optimizer.step()

    return step


def timed(step: Callable[[], None]) -> tuple[float, float]:
    """Return wall and processor seconds of a step."""
    wall, processor = time.perf_counter(), time.process_time()
    step()
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=7, help="of each network, after a first one")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    keep_freed()
    counts = {"ours": counted(ours), PEER: counted(peer)}
    steppers = {
        "ours": stepper(ours(), torch.contiguous_format, options.precision),
        PEER: stepper(peer(), torch.contiguous_format, options.precision),
        f"{PEER}, channels last": stepper(peer(), torch.channels_last, options.precision),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in steppers}
    for turn in range(1 + options.steps):
        for name, step in steppers.items():
            found = timed(step)
            times[name] += [found] * (turn > 0)  # the first one chooses kernels
    for name, found in times.items():
        parameters, macs = counts[name.partition(",")[0]]
        wall, processor = (statistics.median(one) for one in zip(*found, strict=True))
        sys.stdout.write(
            f"{name:24s} {parameters / 1e6:.3f} M parameters, {macs / 1e9:.3f} G multiply-adds, "
            f"{wall:.3f} s a step, {processor:.3f} s of processors\n"
        )
    return report(counts, times)


def report(counts: dict[str, tuple[int, int]], times: dict[str, list[tuple[float, float]]]) -> int:
    """Print the median ratios of time, and return 1 where a goal is missed."""
    mine, others = times.pop("ours"), [*times.values()]
    fastest = min(others, key=lambda found: statistics.median(one[1] for one in found))
    wall, processor = (
        statistics.median(a[kind] / b[kind] for a, b in zip(mine, fastest, strict=True))
        for kind in (0, 1)
    )
    fair = all(abs(a / b - 1) <= SLACK for a, b in zip(counts["ours"], counts[PEER], strict=True))
    well = fair and processor <= CEILING
    sys.stdout.write(
        f"ours over the faster: {wall:.3f} of wall time, {processor:.3f} of processor time, "
        f"at most {CEILING}   {'' if well else 'MISSED'}\n"
    )
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
