import pytest

from diffaudio.decode.spec import DecodeSpec
from diffaudio.log import Refusal
from diffaudio.solve import DDIM, Sampler, UniformGrid

SAMPLER = Sampler(DDIM(), UniformGrid(), 2)


@pytest.mark.parametrize(
    "sizes",
    [
        {"overlap_seconds": 0.0},
        {"overlap_seconds": 1.1, "chunk_seconds": 2.0},
        {"chunk_seconds": -1.0},
        {"threads": 0},
        {"batch_seconds": 0.0},
    ],
)
def test_sizes_that_make_no_sense_are_refused_by_name(sizes):
    with pytest.raises(Refusal, match=f"decode.*{next(iter(sizes))}"):
        DecodeSpec(SAMPLER, **sizes)


def test_half_a_chunk_may_overlap():
    assert DecodeSpec(SAMPLER, chunk_seconds=2.0, overlap_seconds=1.0).seed == 0
