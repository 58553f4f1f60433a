import pytest

from diffaudio.log import Refusal
from diffaudio.process import Objective, Uniform


def test_a_loss_that_rewards_what_it_should_punish_is_refused():
    assert Objective(Uniform(), audio_loss=0.0).audio_loss == 0.0
    with pytest.raises(Refusal, match="audio_loss: -0.5 is below 0"):
        Objective(Uniform(), audio_loss=-0.5)
