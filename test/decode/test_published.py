"""Published vocoders from files in their authors' layout: read, run, fitted to a model, refused."""

import json
import pickle
from dataclasses import replace

import pytest
import torch
from published import (
    HIFIGAN,
    MEL,
    MEL_VOCOS,
    SMALL_HIFIGAN,
    small_hifigan_net,
    small_vocos,
    small_vocos_net,
    write_hifigan,
    write_vocos,
)

from diffaudio import strict
from diffaudio.codec import LogMel, MelSpec
from diffaudio.decode import hub
from diffaudio.decode.meter import Meter
from diffaudio.decode.published import Files, files_of, read
from diffaudio.decode.spec import DecodeSpec
from diffaudio.decode.trained import Trained
from diffaudio.decode.vocoder import vocoder_inputs, with_vocoder
from diffaudio.files import digest
from diffaudio.log import Refusal
from diffaudio.model import Model
from diffaudio.nets import UNet2d
from diffaudio.process import Objective, RectifiedFlow, Uniform, Velocity
from diffaudio.solve import DDIM, Sampler, UniformGrid

KINDS = [(write_hifigan, MEL, small_hifigan_net), (write_vocos, MEL_VOCOS, small_vocos_net)]


def speaker(mel, vocoder):
    def net(inputs, outputs, bins):
        return UNet2d(inputs, outputs, bins, widths=(8, 16), strides=((2, 2),), depth=1)

    codec = LogMel(mel, iterations=1)
    model = Model(codec, RectifiedFlow(), Velocity(), net, Objective(times=Uniform())).eval()
    spec = DecodeSpec(Sampler(DDIM(), UniformGrid(), 2), vocoder=str(vocoder))
    return Trained(None, model, spec, torch.device("cpu"), {}, Meter())


@pytest.mark.parametrize(("write", "mel", "net"), KINDS, ids=["hifigan", "vocos"])
@pytest.mark.parametrize("samples", [1, 1000, 1024])
def test_a_models_mels_become_sound(write, mel, net, samples, tmp_path):
    trained = speaker(mel, write(tmp_path / "voc"))
    state = trained.model.codec.encode(0.1 * torch.randn(1, 1, samples))
    searched = trained.model.codec.decode(state, samples)
    codec = with_vocoder(trained).model.codec
    with torch.no_grad():
        made, again = codec.decode(state, samples), codec.decode(state, samples)
        wanted = net()(state / codec.scale + codec.offset, samples)
    assert made.shape == (1, 1, samples)
    assert torch.equal(made, again)
    assert not torch.allclose(made, searched)
    torch.testing.assert_close(made, wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("write", "mel", "net"), KINDS, ids=["hifigan", "vocos"])
def test_what_it_never_met_does_not_reach_it(write, mel, net, tmp_path):
    """Below the floor there was nothing in training; and fp32 it is, whatever the model has."""
    vocoder = read(files_of(write(tmp_path / "voc")), "cpu")
    logs = torch.randn(1, 1, 20, 9)
    logs[..., 4] = mel.quiet
    below = logs.clone()
    below[..., 4] = -100.0
    with torch.no_grad():
        plain = vocoder(logs, 500)
        assert torch.equal(vocoder(below, 500), plain)
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(vocoder(logs, 500), plain)


def test_old_files_and_files_of_any_name_are_read(tmp_path):
    """What torch 1.4 wrote, as the published ones were; a generator among others is named."""
    folder = write_hifigan(tmp_path / "voc", _use_new_zipfile_serialization=False)
    logs = torch.randn(1, 1, 20, 9)
    with torch.no_grad():
        plain = read(files_of(folder), "cpu")(logs, 500)
        (folder / "generator_v1").rename(folder / "weights.pt")
        assert torch.equal(read(files_of(folder / "weights.pt"), "cpu")(logs, 500), plain)
    with pytest.raises(Refusal, match="beside config.json: none"):
        files_of(folder)
    for name in ("g_00000001", "g_00000002"):
        (folder / name).write_bytes(b"")
    with pytest.raises(Refusal, match="g_00000001, g_00000002"):
        files_of(folder)


def test_other_mels_are_refused_with_every_difference(tmp_path):
    folder = write_hifigan(tmp_path / "hifigan")
    with pytest.raises(Refusal, match=r"bands 16, 20; high 3000\.0, 4000\.0; floor 0\.001, 1e-05"):
        with_vocoder(speaker(replace(MEL, bands=16, high=3000.0, floor=1e-3), folder))
    folder = write_vocos(tmp_path / "vocos")
    words = r"floor 1e-05, 1e-07; mel_scale slaney, htk; norm slaney, None"
    with pytest.raises(Refusal, match=words) as told:
        with_vocoder(speaker(MEL, folder))
    _, _, mels = told.value.mend.partition("mel: ")  # can be copied into a configuration
    asked = strict.scalar(mels.partition("}")[0] + "}")
    with_vocoder(speaker(MelSpec(**asked), folder))


class Evil:
    def __reduce__(self):
        return print, ("code was run",)


@pytest.mark.parametrize("write", [write_hifigan, write_vocos])
def test_no_code_is_run_and_damage_is_one_refusal(write, tmp_path, capsys):
    files = files_of(write(tmp_path / "voc"))
    whole = files.weights.read_bytes()
    for content in (b"", b"no weights", whole[: len(whole) // 2], pickle.dumps(Evil(), 2)):
        files.weights.write_bytes(content)
        with pytest.raises(Refusal, match="damaged, or more than weights"):
            read(files, "cpu")
    torch.save({"generator": Evil()}, files.weights)
    with pytest.raises(Refusal, match="damaged, or more than weights"):
        read(files, "cpu")
    assert "code was run" not in capsys.readouterr().out
    for content in ([1, 2], {"generator": {"step": 3}}, {"generator": 3}):
        torch.save(content, files.weights)
        with pytest.raises(Refusal, match="holds no weights"):
            read(files, "cpu")


def test_a_flipped_bit_is_noticed(tmp_path):
    files = files_of(write_vocos(tmp_path / "voc"))
    content = bytearray(files.weights.read_bytes())
    content[len(content) // 2] ^= 1
    files.weights.write_bytes(content)
    with pytest.raises(Refusal, match="checksum of pytorch_model/data"):
        read(files, "cpu")


def test_weights_of_another_vocoder_are_refused(tmp_path):
    folder = write_hifigan(tmp_path / "one", said=HIFIGAN)
    with pytest.raises(Refusal, match=r"conv_pre\.weight \[16, 20, 7\], here \[512, 80, 7\]"):
        read(files_of(folder), "cpu")
    folder = write_hifigan(tmp_path / "two")
    held = torch.load(folder / "generator_v1")["generator"]
    held["conv_pre.weight_g"] = held["conv_pre.weight_g"].flatten()
    torch.save({"generator": held}, folder / "generator_v1")
    with pytest.raises(Refusal, match=r"1 missing \(conv_pre\.weight\), 2 unexpected"):
        read(files_of(folder), "cpu")
    folder = write_vocos(tmp_path / "three", **{"head.istft.window": torch.ones(256)})
    with pytest.raises(Refusal, match=r"head\.istft\.window is not that of the mels"):
        read(files_of(folder), "cpu")
    filters = {"feature_extractor.mel_spec.mel_scale.fb": LogMel(MEL).filters.T}
    folder = write_vocos(tmp_path / "four", **filters)
    with pytest.raises(Refusal, match=r"mel_scale\.fb is not that of the mels"):
        read(files_of(folder), "cpu")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"win_size": 200}, "win_size 200 is not n_fft, 256"),
        ({"resblock": "3"}, "KeyError: '3'"),
        ({"hop_size": 128}, "do not make 128 samples"),
        ({"upsample_rates": 8}, "TypeError"),
        ({"upsample_kernel_sizes": [16]}, "ValueError"),
        ({"upsample_initial_channel": -16}, "RuntimeError"),
        ({"fmax": 5000}, "high 5000 Hz"),
    ],
)
def test_a_configuration_that_describes_no_hifigan_is_refused(change, said, tmp_path):
    folder = write_hifigan(tmp_path / "voc", said={**SMALL_HIFIGAN, **change})
    with pytest.raises(Refusal, match=said):
        read(files_of(folder), "cpu")
    (folder / "config.json").write_text(json.dumps({"model_type": "hifigan"}))
    with pytest.raises(Refusal, match="describes no HiFi-GAN"):
        read(files_of(folder), "cpu")


@pytest.mark.parametrize(
    ("part", "change", "said"),
    [
        ("feature_extractor", {"class_path": "os.system"}, "os.system, not vocos.feature_ext"),
        ("feature_extractor", {"init_args": {"f_min": 20.0}}, "unknown options: f_min"),
        ("feature_extractor", {"init_args": {"padding": "same"}}, "'padding': 'same'"),
        ("head", {"init_args": {"hop_length": 32}}, "'hop_length': 32"),
        ("backbone", {"init_args": {"num_layers": "two"}}, "TypeError"),
    ],
)
def test_a_configuration_that_describes_no_vocos_is_refused(part, change, said, tmp_path):
    described = small_vocos()
    options = {**described[part]["init_args"], **change.pop("init_args", {})}
    described[part] = {**described[part], "init_args": options, **change}
    with pytest.raises(Refusal, match=said):
        read(files_of(write_vocos(tmp_path / "voc", said=described)), "cpu")


def test_a_decoding_depends_on_both_files(tmp_path, monkeypatch):
    folder = write_vocos(tmp_path / "voc")
    spec = speaker(MEL_VOCOS, folder).spec
    files = Files(folder / "config.yaml", folder / "pytorch_model.bin")
    assert vocoder_inputs(spec) == {str(path): digest(path) for path in files}
    monkeypatch.setattr(hub, "downloaded", lambda _: folder)
    spec = replace(spec, vocoder="hf://owner/name")
    assert vocoder_inputs(spec) == {
        f"hf://owner/name/{path.name}": digest(path) for path in files
    }  # not where it is kept, which another machine may have elsewhere


def test_there_is_no_such_vocoder(tmp_path):
    with pytest.raises(Refusal, match="nowhere: no such folder"):
        with_vocoder(speaker(MEL, tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(Refusal, match="is no trained model"):
        with_vocoder(speaker(MEL, tmp_path / "empty"))
    (write_vocos(tmp_path / "vocos") / "pytorch_model.bin").unlink()
    with pytest.raises(Refusal, match=r"vocos/pytorch_model\.bin: no such file"):
        vocoder_inputs(speaker(MEL, tmp_path / "vocos").spec)
    (write_hifigan(tmp_path / "hifigan") / "config.json").unlink()
    with pytest.raises(Refusal, match=r"hifigan/config\.json: no such file"):
        vocoder_inputs(speaker(MEL, tmp_path / "hifigan/generator_v1").spec)
