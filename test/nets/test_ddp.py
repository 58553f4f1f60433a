"""Two ranks train every network together: each of its weights must have a part in each step.

python test_ddp.py OUTCOMES.json    is one of the ranks
"""

import json
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from diffaudio.train.launch import Asked, spawn
from diffaudio.train.world import join


class Idle(nn.Module):
    """Has a layer that nothing uses, which ranks must not wait for."""

    def __init__(self):
        super().__init__()
        self.used, self.idle = nn.Conv2d(4, 2, 1), nn.Conv2d(4, 2, 1)

    def forward(self, x, c_noise):
        return self.used(x)


def outcome(net, bins, accelerator):
    """Return `equal` if both ranks end with the same weights, and not those they began with."""
    before = torch.cat([p.detach().flatten() for p in net.parameters()])
    model = accelerator.prepare(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    torch.manual_seed(1 + accelerator.process_index)
    try:
        for frames in (12, 7):
            loss = model(torch.randn(2, 4, bins, frames), torch.rand(2)).square().mean()
            optimizer.zero_grad()
            accelerator.backward(loss)
            optimizer.step()
    except RuntimeError as error:
        return str(error)
    mine = torch.cat([p.detach().flatten() for p in net.parameters()])
    first, second = accelerator.gather(mine[None])
    return "equal" if first.equal(second) and not first.equal(before) else "apart"


def main():
    from test_nets import BINS, NETS, build  # beside this program

    accelerator, outcomes = join(Asked(cpu_ranks=2)), {}
    for name in NETS:
        outcomes[name] = outcome(build(name), BINS[name], accelerator)
    outcomes["idle"] = outcome(Idle(), 1, accelerator)
    if accelerator.is_main_process:
        Path(sys.argv[1]).write_text(json.dumps(outcomes))
    accelerator.end_training()


@pytest.mark.slow
def test_two_ranks_train_every_network(tmp_path):
    file = tmp_path / "outcomes.json"
    assert spawn([sys.executable, __file__, str(file)], 2) == 0
    outcomes = json.loads(file.read_text())
    assert "parameters that were not used" in outcomes.pop("idle")
    assert len(outcomes) >= 8
    assert set(outcomes.values()) == {"equal"}, outcomes


if __name__ == "__main__":
    main()
