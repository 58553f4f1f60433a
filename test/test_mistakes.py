from dataclasses import dataclass

from jsonargparse import ArgumentParser

from diffaudio.mistakes import Mistakes, flat_key, suggest


@dataclass
class Audio:
    rate: int = 16000


def explain(text):
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(Audio, "audio")
    return Mistakes(parser, {"audio": Audio}, {"audio": "x.yaml, line 3"}).explain(text)


def test_the_nearest_name_is_suggested_or_all_are_listed():
    assert suggest("raet", ["rate", "target"]) == "did you mean rate?"
    assert suggest("zzz", ["rate", "target"]) == "one of: rate, target"
    assert suggest("zzz", []) == ""
    assert suggest("PESK", ["pesq", "SI-SDR"]) == "did you mean pesq?"


def test_flags_and_keys_are_one_name():
    assert flat_key("--model.net.init_args.depth=6") == "model.net.depth"
    assert flat_key("--nj") == "nj"


def test_a_message_of_a_known_form_is_one_sentence_with_its_place():
    refusal = explain("Parser key \"audio.rate\":\n  Expected a <class 'int'>. Got value: fast")
    assert refusal.message == "x.yaml, line 3: audio.rate: expected int, got fast"


def test_a_message_of_an_unknown_form_is_passed_on():
    assert explain("the moon\n  is full").message == "the moon is full"
    refusal = explain('Parser key "audio.rate":\n  the moon is full')
    assert refusal.message == "x.yaml, line 3: audio.rate: the moon is full"
