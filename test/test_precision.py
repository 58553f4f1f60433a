import pytest
import torch

from diffaudio import precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(("name", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_products_have_the_precision_asked_for(name, dtype):
    x = torch.ones(4, 4)
    with precision.autocast(name, CPU):
        assert (x @ x).dtype == dtype
    assert (x @ x).dtype == torch.float32


@pytest.mark.parametrize("name", ["fp32", "bf16", "auto"])
def test_fp32_is_not_rounded_to_tf32_inside_and_after(name):
    """A backward pass runs after the block, in the same numbers."""
    flags = (torch.backends.cudnn, torch.backends.cuda.matmul)
    for flag in flags:
        flag.allow_tf32 = True
    with precision.autocast(name, CPU):
        assert not any(flag.allow_tf32 for flag in flags)
    assert not any(flag.allow_tf32 for flag in flags)


def test_auto_follows_the_hardware(monkeypatch):
    for amx, avx512 in [(True, False), (False, True), (False, False)]:
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda amx=amx: amx)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda avx=avx512: avx)
        assert precision.bf16("auto", CPU) is (amx or avx512)
        assert precision.bf16("fp32", CPU) is False
        assert precision.bf16("bf16", CPU) is True
