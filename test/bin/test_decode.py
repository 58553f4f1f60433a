"""The command itself; what it writes is tested in test/decode/test_slices.py."""

import pytest

from diffaudio.bin import main as cli


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit):
        cli.main(["decode", "--help"])
    text = capsys.readouterr().out
    for option in ("--data", "--dump", "--exp", "--set", "--tag", "--nj", "--ngpu", "--force"):
        assert option in text
    assert "--decode.sampler.calls" in text
