"""The tensors that cross borders, named once; checked by the tests, free at run time.

Letters: b batch, a audio channel, n sample, c state channel, f frequency bin, l frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from typing import TypeAlias

    Audio: TypeAlias = Tensor
    State: TypeAlias = Tensor
    Time: TypeAlias = Tensor
    Scalar: TypeAlias = Tensor
    Mask: TypeAlias = Tensor
    Lengths: TypeAlias = Tensor
else:
    try:
        from jaxtyping import Float, Int

        Audio = Float[Tensor, "b a n"]  # full scale is 1.0
        State = Float[Tensor, "b c f l"]  # what the process sees; a waveform has f = 1
        Time = Float[Tensor, "b"]  # 0 clean, path.t_max noise
        Scalar = Float[Tensor, ""]  # one time for the whole batch
        Mask = Float[Tensor, "b 1 1 l"]  # 1 inside the utterance, 0 in the padding
        Lengths = Int[Tensor, "b"]  # samples of each utterance
    except ImportError:
        Audio = State = Time = Scalar = Mask = Lengths = Tensor

__all__ = ["Audio", "Lengths", "Mask", "Scalar", "State", "Tensor", "Time"]
