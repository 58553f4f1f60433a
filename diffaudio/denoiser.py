"""A denoiser: path, target, network and condition in one hand, on states; solvers see no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from diffaudio.log import Refusal
from diffaudio.nets import Condition, Conditioner, Jump, Net
from diffaudio.nets.layers import masked
from diffaudio.process import Answers, Denoise, Marginal, Path, Target
from diffaudio.shapes import Mask, State, Tensor
from diffaudio.solve import Sampler

__all__ = ["Denoiser", "Surroundings"]

Fields = Mapping[str, Sequence[Any]]  # of the manifest: name to a value for each item


class Surroundings(NamedTuple):
    """What the network is shown beside the noisy state.

    Attributes:
        y: (b, c, f, l), what is given; None where nothing is.
        mask: of the padding; None where there is none.
        condition: what each item is told; None for a network that is told nothing.
    """

    y: State | None
    mask: Mask | None
    condition: Condition | None = None


class Denoiser(nn.Module):
    """Estimates the clean state of a noisy one.

    Args:
        path: from clean to noise.
        target: what the network speaks.
        net: the network.
        condition: what tells the network of labels and the like.
        residual: the process describes the difference between the clean state and what is given.
        jumps: the network is told how far its estimate leads.
        hides: the network was shown zeros instead of what is given in a share of its training, so
            that it knows what to answer where it is told nothing.
    """

    def __init__(
        self,
        path: Path,
        target: Target,
        net: Net,
        condition: Conditioner | None = None,
        *,
        residual: bool = False,
        jumps: bool = False,
        hides: bool = False,
    ) -> None:
        super().__init__()
        self.path, self.target, self.residual, self.hides = path, target, residual, hides
        self.net, self.condition = net, condition
        self.jump = Jump(net.embedding) if jumps else None

    def answer(self, z: State, at: Marginal, beside: Surroundings) -> State:
        """Run the network on the scaled noisy state, the given state beside it."""
        x = z * self.target.c_in(at)
        if beside.y is not None:
            x = torch.cat([x, beside.y / self.target.sigma_data], 1)
        clock = self.path.clock(at.t.flatten()).to(x).expand(len(x))
        return masked(self.net(x, clock, beside.mask, beside.condition).float(), beside.mask)

    def x0(self, z: State, at: Marginal, beside: Surroundings) -> State:
        """Return the estimate of what the process describes."""
        return self.target.x0(z, self.answer(z, at, beside), at)

    def aimed(self, beside: Surroundings, jump: Tensor) -> Surroundings:
        """Tell the network how far its estimate leads, (b,), if it was trained to be told."""
        if self.jump is None:
            return beside
        return beside._replace(condition=self.jump(jump, beside.condition))

    def told(self, fields: Fields, told: Tensor) -> Condition | None:
        """Return the condition of items, or that of being told nothing where `told` is False.

        Raises:
            Refusal: a field is missing, or a value is unknown.
        """
        if self.condition is None:
            return None
        missing = [name for name in self.condition.fields if name not in fields]
        if missing:
            raise Refusal(f"the model is conditioned on {', '.join(missing)}: give values")
        return self.condition(fields, told)

    def bind(
        self, beside: Surroundings, fields: Fields, sampler: Sampler, weaker: Denoiser | None = None
    ) -> Denoise:
        """Bind all that is known to the network: denoise(z, at) -> x_0 estimate, as solvers see it.

        Args:
            beside: what is given, and the mask; the condition comes from the fields.
            fields: of the manifest.
            sampler: whose guidance makes one estimate of several.
            weaker: what autoguidance leads away from.

        Raises:
            Refusal: guidance needs a condition or a weaker model and there is none, or names a
                field that the model is not conditioned on.
        """
        guidance, jump = sampler.guidance, sampler.jump(self.path)
        if guidance is None:
            answers = self.answers(beside, fields, jump=jump)
            return lambda z, at: answers(z, at, 1)[0]
        if guidance.others and self.condition is None and not self.hides:
            raise Refusal(
                f"{guidance}: the model has no condition to be guided by",
                mend="set decode.sampler.guidance to null, or train with model.condition, a voice "
                "with model.prior.init_args.drop above 0",
            )
        known = self.condition.fields if self.condition else ()
        unknown = [name for other in guidance.others for name in other or {} if name not in known]
        if unknown:
            raise Refusal(
                f"{guidance}: the model is not conditioned on {', '.join(unknown)}",
                mend=f"it is on {', '.join(known)}",
            )
        answers = self.answers(beside, fields, guidance.others, jump)
        if guidance.weaker:
            if weaker is None:
                raise Refusal(
                    f"{guidance}: there is no weaker model",
                    mend="name an earlier checkpoint in decode.weaker",
                )
            answers = _both(answers, weaker.answers(beside, fields, jump=jump))
        return guidance.guide(answers, sampler.knots(self.path))

    def answers(
        self,
        beside: Surroundings,
        fields: Fields,
        others: Sequence[Mapping[str, Any] | None] = (),
        jump: Callable[[Marginal], float] | None = None,
    ) -> Answers:
        """Bind what is given and the conditions: x_0's estimates for the first so many of them.

        They are asked for in one network call, side by side in the batch. A residual model knows
        the path of x_0 - y alone, which z follows but for alpha y.

        Args:
            beside: what is given, and the mask.
            fields: of the utterances themselves: the first condition.
            others: values that replace them, one mapping for each further condition; None is told
                nothing.
            jump: how far the estimate leads from each place; None: nowhere.
        """
        y, mask = beside.y, beside.mask
        base = y if self.residual else None
        shown = None if y is None else [self._shown(y, other) for other in ({}, *others)]
        conditions = [self._asked(fields, other) for other in ({}, *others)]

        def answer(z: State, at: Marginal, count: int) -> Sequence[State]:
            told = [one for one in conditions[:count] if one is not None]
            many = Surroundings(
                None if shown is None else torch.cat(shown[:count]),
                None if mask is None else _repeated(mask, count),
                Condition.joined(told) if told else None,
            )
            change = z if base is None else z - at.alpha * base
            many = self.aimed(many, z.new_full((len(z) * count,), jump(at) if jump else 0.0))
            x0 = self.x0(_repeated(change, count), at, many)
            return [masked(x if base is None else x + base, mask) for x in x0.chunk(count)]

        return answer

    def _shown(self, y: State, other: Mapping[str, Any] | None) -> State:
        """Return what is given as the network is shown it: nothing, if it may be told nothing."""
        return torch.zeros_like(y) if self.hides and other is None else y

    def _asked(self, fields: Fields, other: Mapping[str, Any] | None) -> Condition | None:
        """Return the utterances' condition, some values replaced, or that of being told nothing."""
        if self.condition is None:
            return None
        count = len(next(iter(fields.values()), ()))
        values = {**fields, **{name: [value] * count for name, value in (other or {}).items()}}
        device = next(self.net.parameters()).device
        return self.told(values, torch.full((count,), other is not None, device=device))


def _repeated(x: Tensor, times: int) -> Tensor:
    """Put a tensor several times beside itself in the batch."""
    return x if times == 1 else torch.cat([x] * times)


def _both(strong: Answers, weak: Answers) -> Answers:
    """Return the answers of two models to the same condition."""

    def answer(z: State, at: Marginal, count: int) -> Sequence[State]:
        return [one(z, at, 1)[0] for one in (strong, weak)[:count]]

    return answer
