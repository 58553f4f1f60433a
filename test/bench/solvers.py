"""Our default solver beside diffusers, k-diffusion and torchdiffeq: error for each network call.

    pip install --no-deps diffusers k-diffusion torchdiffeq torchsde trampoline
    python test/bench/solvers.py

The network is exact: x_0 is a mixture of Gaussians with overall deviation one, in several
dimensions and drawn with several seeds. Two problems: rectified flow, and VE from sigma = 80. Shown
are medians of the relative root mean square distance from a run of thousands of calls with the same
noise; where a peer cannot make a number of calls it makes the next lower one. Ours is one solver on
one grid for both problems, UniPC() on the noise levels of rectified flow's equal steps, which was
chosen on mixtures of other dimensions, spreads and seeds. Then the processor time that a call costs
beside the network. Exits with 1 where a goal is missed.
"""

from __future__ import annotations

import importlib.util
import math
import os
import statistics
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import torch
from torch import Tensor

from diffaudio.process import VE, RectifiedFlow
from diffaudio.process import Path as ProcessPath
from diffaudio.solve import (
    DPMSolverSinglestep,
    Euler,
    Grid,
    LogSNRGrid,
    PathGrid,
    Sampler,
    Solver,
    UniformGrid,
    UniPC,
)

CALLS = (4, 5, 6, 8, 10, 16, 25)
SEEDS, DIMENSIONS, POINTS = (101, 102, 103), (16, 32, 48), 64
OURS = UniPC(), PathGrid(RectifiedFlow(), finer_from=6)
SIGMA_MIN, SIGMA_MAX = 0.002, 80.0
Run = Callable[["Mixture", Tensor, int], Tensor]  # problem, noise, calls to result


class Mixture:
    """Six Gaussians; everything about x_0 given z = alpha x_0 + sigma eps in closed form."""

    def __init__(self, seed: int, dimension: int) -> None:
        random = torch.Generator().manual_seed(seed)
        draw = {"generator": random, "dtype": torch.float64}
        self.means = torch.randn(6, dimension, **draw)
        self.stds = 0.3 + 0.5 * torch.rand(6, **draw)
        self.logits = 0.5 * torch.randn(6, **draw)
        scale = (self.means.square().mean() + self.stds.square().mean()).rsqrt()
        self.means, self.stds = self.means * scale, self.stds * scale
        self.noise = torch.randn(POINTS, dimension, **draw)
        self.calls = 0

    def answer(self, z: Tensor, alpha: float, sigma: float) -> tuple[Tensor, Tensor]:
        """Return E[x_0 | z] and E[eps | z], (n, d) each: one network call."""
        self.calls += 1
        z, variance = z.double(), (alpha * self.stds) ** 2 + sigma**2
        off = z[:, None] - alpha * self.means  # (n, 6, d)
        logits = self.logits - 0.5 * off.square().sum(2) / variance
        share = torch.softmax(logits - 0.5 * z.shape[1] * torch.log(variance), 1)[..., None]
        gain = (alpha * self.stds**2 / variance)[:, None]
        x0 = (share * (self.means + gain * off)).sum(1)
        return x0, (share * off * (sigma / variance)[:, None]).sum(1)

    def velocity(self, z: Tensor, t: float) -> Tensor:
        """Return the velocity of rectified flow."""
        x0, eps = self.answer(z, 1.0 - t, t)
        return (eps - x0).to(z)

    def denoise(self, x: Tensor, sigma: float) -> Tensor:
        """Return the denoised state of VE."""
        return self.answer(x, 1.0, sigma)[0].to(x)


def ours(path: ProcessPath, solver: Solver = OURS[0], grid: Grid = OURS[1]) -> Run:
    """Return a sampler of this toolkit as a run."""

    def run(problem: Mixture, noise: Tensor, calls: int) -> Tensor:
        sampler = Sampler(solver, grid, calls)
        state = noise[:, :, None, None]
        denoise = lambda z, at: problem.answer(z[..., 0, 0], at.alpha, at.sigma)[0][..., None, None]  # noqa: E731
        return sampler(denoise, path, None, lambda: state)[..., 0, 0]

    return run


def flow_scheduler(name: str, options: dict, per_step: int = 1) -> Run:
    """Return a diffusers scheduler on the flow problem; the last of two-call steps takes one."""

    def run(problem: Mixture, noise: Tensor, calls: int) -> Tensor:
        import diffusers

        scheduler = getattr(diffusers, name)(**options)
        scheduler.set_timesteps((calls + per_step - 1) // per_step)
        x = noise.float()
        for i, t in enumerate(scheduler.timesteps):
            x = scheduler.step(problem.velocity(x, float(scheduler.sigmas[i])), t, x).prev_sample
        return x

    return run


def edm_scheduler(name: str, options: dict) -> Run:
    """Return a diffusers scheduler in EDM's form on the VE problem."""

    def run(problem: Mixture, noise: Tensor, calls: int) -> Tensor:
        import diffusers

        scheduler = getattr(diffusers, name)(sigma_min=SIGMA_MIN, sigma_max=SIGMA_MAX, **options)
        scheduler.set_timesteps(calls)
        x, data = noise.float() * SIGMA_MAX, scheduler.config.sigma_data
        for i, t in enumerate(scheduler.timesteps):
            sigma = float(scheduler.sigmas[i])
            scheduler.scale_model_input(x, t)
            total = math.hypot(sigma, data)
            d = problem.denoise(x, sigma)
            network = (d - (data / total) ** 2 * x) * total / (sigma * data)
            x = scheduler.step(network, t, x).prev_sample
        return x

    return run


def k_diffusion() -> types.ModuleType:
    """Load k-diffusion's samplers without the rest of the package and what that needs."""
    if "k_diffusion.sampling" in sys.modules:
        return sys.modules["k_diffusion.sampling"]
    spec = importlib.util.find_spec("k_diffusion")
    assert spec is not None
    folder = Path(next(iter(spec.submodule_search_locations or ())))
    package, utils = types.ModuleType("k_diffusion"), types.ModuleType("k_diffusion.utils")
    package.__path__ = [str(folder)]
    utils.append_dims = lambda x, n: x[(...,) + (None,) * (n - x.ndim)]
    package.utils = utils
    sys.modules |= {"k_diffusion": package, "k_diffusion.utils": utils}
    return importlib.import_module("k_diffusion.sampling")


def crowson(name: str, per_step: int = 1) -> Run:
    """Return a sampler of k-diffusion on Karras' grid; the last of two-call steps takes one."""

    def run(problem: Mixture, noise: Tensor, calls: int) -> Tensor:
        sampling = k_diffusion()
        network = lambda x, sigma: problem.denoise(x, float(sigma[0]))  # noqa: E731
        x, quiet = noise * SIGMA_MAX, {"disable": True}
        if name == "sample_dpm_fast":
            return sampling.sample_dpm_fast(network, x, SIGMA_MIN, SIGMA_MAX, calls, **quiet)
        steps = (calls + per_step - 1) // per_step
        sigmas = sampling.get_sigmas_karras(steps, SIGMA_MIN, SIGMA_MAX).double()
        return getattr(sampling, name)(network, x, sigmas, **quiet)

    return run


def ode(method: str, per_step: int) -> Run:
    """Return a fixed-step method of torchdiffeq on the flow problem."""

    def run(problem: Mixture, noise: Tensor, calls: int) -> Tensor:
        from torchdiffeq import odeint

        times = torch.linspace(1, 0, max(calls // per_step, 1) + 1, dtype=torch.float64)
        move = lambda t, x: problem.velocity(x, float(t))  # noqa: E731
        return odeint(move, noise, times, method=method)[-1]

    return run


DPM = {"prediction_type": "flow_prediction", "use_flow_sigmas": True}
PROBLEMS: dict[str, tuple[ProcessPath, dict[str, Run]]] = {
    "flow": (
        RectifiedFlow(),
        {
            "diffusers Euler": flow_scheduler("FlowMatchEulerDiscreteScheduler", {}),
            "diffusers Euler, shift 3": flow_scheduler(
                "FlowMatchEulerDiscreteScheduler", {"shift": 3.0}
            ),
            "diffusers Heun": flow_scheduler("FlowMatchHeunDiscreteScheduler", {}, 2),
            "diffusers DPM++ 2M": flow_scheduler("DPMSolverMultistepScheduler", DPM),
            "diffusers UniPC-2": flow_scheduler("UniPCMultistepScheduler", DPM),
            "diffusers UniPC-3": flow_scheduler(
                "UniPCMultistepScheduler", {**DPM, "solver_order": 3}
            ),
            "torchdiffeq midpoint": ode("midpoint", 2),
            "torchdiffeq heun3": ode("heun3", 3),
            "torchdiffeq rk4": ode("rk4", 4),
        },
    ),
    "VE": (
        VE(t_min=SIGMA_MIN, t_max=SIGMA_MAX),
        {
            "diffusers EDM Euler": edm_scheduler("EDMEulerScheduler", {}),
            "diffusers EDM DPM++ 2M": edm_scheduler("EDMDPMSolverMultistepScheduler", {}),
            "diffusers EDM DPM++ 3M": edm_scheduler(
                "EDMDPMSolverMultistepScheduler", {"solver_order": 3}
            ),
            "k-diffusion heun": crowson("sample_heun", 2),
            "k-diffusion dpm_2": crowson("sample_dpm_2", 2),
            "k-diffusion lms": crowson("sample_lms"),
            "k-diffusion dpmpp_2m": crowson("sample_dpmpp_2m"),
            "k-diffusion dpm_fast": crowson("sample_dpm_fast"),
        },
    ),
}


def errors(run: Run, path: ProcessPath, problems: list[tuple[Mixture, Tensor]]) -> list[float]:
    """Return the median relative error for each number of calls."""
    found = []
    for calls in CALLS:
        each = []
        for problem, right in problems:
            problem.calls = 0
            result = run(problem, problem.noise, calls).double()
            assert problem.calls <= calls, (problem.calls, calls)
            each.append((result - right).square().mean().sqrt() / right.square().mean().sqrt())
        found.append(statistics.median(float(one) for one in each))
    return found


def compare(name: str) -> bool:
    """Print one problem's table; return whether ours is where it should be."""
    path, peers = PROBLEMS[name]
    problems = [Mixture(seed, size) for seed in SEEDS for size in DIMENSIONS]
    exact = ours(path, DPMSolverSinglestep(3), LogSNRGrid(1e-4, 1e6))
    pairs = [(problem, exact(problem, problem.noise, 3001)) for problem in problems]
    table = {title: errors(run, path, pairs) for title, run in peers.items()}
    mine = errors(ours(path), path, pairs)
    mean = lambda row: sum(map(math.log, row)) / len(row)  # noqa: E731
    out = sys.stdout.write
    head = f"\n{name}: relative error"
    out(f"{head:37}" + "".join(f"{n:8}" for n in CALLS) + "   mean log\n")
    for title, row in sorted([*table.items(), ("ours", mine)], key=lambda item: mean(item[1])):
        out(f"{title:36}" + "".join(f"{x:8.4f}" for x in row) + f"{mean(row):11.3f}\n")
    best = min(table.values(), key=mean)
    ratios = [x / min(row[i] for row in table.values()) for i, x in enumerate(mine)]
    out(f"ours over the best peer of each column   {' '.join(f'{x:7.2f}' for x in ratios)}\n")
    return mean(mine) <= mean(best) and max(ratios) <= 1.25


def scheduler_run(name: str, options: dict, state: Tensor, steps: int) -> Callable[[], None]:
    """Return a run of a diffusers scheduler whose network costs nothing."""
    import diffusers

    null, made = torch.zeros_like(state), getattr(diffusers, name)(**options)

    def run() -> None:
        made.set_timesteps(steps)
        x = state
        for t in made.timesteps:
            x = made.step(null, t, x).prev_sample

    return run


def sampler_run(solver: Solver, grid: Grid, state: Tensor, steps: int) -> Callable[[], None]:
    """Return a run of our sampler whose network costs nothing."""
    made, null, path = Sampler(solver, grid, steps), torch.zeros_like(state), RectifiedFlow()

    def run() -> None:
        made(lambda z, at: null, path, None, lambda: state)

    return run


def overhead() -> bool:
    """Print the processor time of a call with a network that costs nothing."""
    state, steps = torch.randn(1, 1, 80, 400), 25
    runs = {
        "ours, UniPC": sampler_run(*OURS, state, steps),
        "ours, Euler": sampler_run(Euler(), UniformGrid(), state, steps),
        "diffusers UniPC": scheduler_run("UniPCMultistepScheduler", DPM, state, steps),
        "diffusers Euler": scheduler_run("FlowMatchEulerDiscreteScheduler", {}, state, steps),
    }
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(15):
        for name, run in runs.items():
            began = time.process_time()
            run()
            spent[name].append((time.process_time() - began) / steps * 1e6)
    typical = {name: statistics.median(values) for name, values in spent.items()}
    sys.stdout.write("\nprocessor time of a call beside the network, 80 x 400 state, us\n")
    for name, value in typical.items():
        sys.stdout.write(f"{name:36}{value:8.0f}\n")
    default = typical["ours, UniPC"] / typical["diffusers UniPC"]
    euler = typical["ours, Euler"] / typical["diffusers Euler"]
    sys.stdout.write(f"UniPC {default:.2f} of theirs (goal 0.3), Euler {euler:.2f} (goal 1.0)\n")
    return default <= 0.3 and euler <= 1.0


def main() -> int:
    """Print everything."""
    return 0 if all([compare("flow"), compare("VE"), overhead()]) else 1


if __name__ == "__main__":
    sys.exit(main())
