import pytest

from diffaudio.log import Refusal
from diffaudio.process import Objective, Uniform


def test_a_loss_that_rewards_what_it_should_punish_is_refused():
    assert Objective(Uniform(), audio_loss=0.0).audio_loss == 0.0
    for wrong in (-0.5, float("nan")):
        with pytest.raises(Refusal, match=f"audio_loss: {wrong:g} is not 0 or above"):
            Objective(Uniform(), audio_loss=wrong)
