import pickle
import re

from diffaudio.log import Refusal, environment, log, setup_log


def test_a_refusal_says_what_and_how_to_mend():
    refusal = Refusal("a.wav: 8000 Hz", mend="resample it", code=3)
    assert str(refusal) == "a.wav: 8000 Hz\n  mend: resample it"
    assert str(Refusal("a.wav: empty")) == "a.wav: empty"


def test_a_refusal_survives_a_trip_between_processes():
    there = Refusal("a.wav: 8000 Hz", mend="resample it", code=3)
    back = pickle.loads(pickle.dumps(there))
    assert (back.message, back.mend, back.code) == (there.message, there.mend, 3)


def test_messages_carry_time_and_module(capsys):
    setup_log()
    setup_log()
    log.info("hello %d", 3)
    line = capsys.readouterr().err
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d \(test_log\) hello 3\n", line)


def test_the_environment_names_versions_and_hardware():
    found = environment()
    assert re.fullmatch(r"[0-9a-f]{12}\+?|unknown", found["commit"])
    assert "cores of" in found["hardware"]
    assert found["numpy"] != "absent"


def test_a_message_is_written_once_also_above_a_progress_bar(capsys):
    from tqdm.contrib.logging import logging_redirect_tqdm

    setup_log()
    log.info("before")
    with logging_redirect_tqdm(loggers=[log]):
        log.info("within")
    said = capsys.readouterr().err
    assert said.count("before") == said.count("within") == 1
