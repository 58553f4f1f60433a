"""An optimiser's moments by the names of their weights, as a file of tensors holds them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.optim import Optimizer

__all__ = ["flat", "restore"]


def _names(model: nn.Module, optimizer: Optimizer) -> list[str]:
    """Return the names of the optimiser's weights in its own order."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    return [names[parameter] for group in optimizer.param_groups for parameter in group["params"]]


def flat(model: nn.Module, optimizer: Optimizer) -> dict[str, Tensor]:
    """Return the moments of all weights: {"layer.weight/exp_avg": ...}."""
    state, names = optimizer.state_dict()["state"], _names(model, optimizer)
    return {f"{names[i]}/{key}": value for i, held in state.items() for key, value in held.items()}


def restore(model: nn.Module, optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Bring back what `flat` has returned, into memory that is not the file's."""
    number = {name: i for i, name in enumerate(_names(model, optimizer))}
    state: dict[int, dict[str, Tensor]] = {}
    for path, tensor in tensors.items():
        name, _, key = path.rpartition("/")
        state.setdefault(number[name], {})[key] = tensor.clone()  # in memory that is not the file's
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
