import pytest

from diffaudio import strict
from diffaudio.log import Refusal


def read(tmp_path, text):
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    return strict.load(path, {})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1E5", 1e5),
        ("-.5", -0.5),
        ("6.02e+23", 6.02e23),
        (".inf", float("inf")),
        ("16000", 16000),
        ("-3", -3),
        ("+3", 3),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("2026-01-05", "2026-01-05"),
        ("'no'", "no"),
        ("'012'", "012"),
        ("1.2.3", "1.2.3"),
        ("[1e-4, no one]", [1e-4, "no one"]),
    ],
)
def test_scalars_mean_one_thing(tmp_path, text, value):
    assert read(tmp_path, f"a: {text}") == {"a": value}


@pytest.mark.parametrize(
    "text", ["no", "Yes", "ON", "off", "y", "012", "-07", "0_1", "12:30:45", "1:30"]
)
def test_what_readers_disagree_about_is_refused(tmp_path, text):
    with pytest.raises(Refusal, match=rf"x.yaml, line 2: a\.b: {text} means different things"):
        read(tmp_path, f"a:\n  b: {text}")
    assert read(tmp_path, f"a: '{text}'") == {"a": text}


def test_duplicate_keys_are_refused_at_every_depth(tmp_path):
    with pytest.raises(Refusal, match="x.yaml, line 3: a: given twice"):
        read(tmp_path, "a: 1\nb: 2\na: 1\n")
    with pytest.raises(Refusal, match=r"line 4: m\.net\.w: given twice"):
        read(tmp_path, "m:\n net:\n  init_args: {w: 1,\n   w: 2}\n")
    with pytest.raises(Refusal, match="line 1: l.0.k: given twice"):
        read(tmp_path, "l: [{k: 1, k: 2}]")


def test_places_name_the_line_of_each_key(tmp_path):
    places = {}
    path = tmp_path / "x.yaml"
    path.write_text("audio:\n  rate: 1\nmodel:\n  net:\n    init_args:\n      depth: 2\n")
    strict.load(path, places)
    assert places["audio.rate"] == f"{path}, line 2"
    assert places["model.net.depth"] == f"{path}, line 6"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [1", "line 1: not YAML"),
        ("- 1\n", "expected keys and values"),
        ("a: !!python/object/apply:os.system [touch pwned]", "could not determine a constructor"),
        ("a: 1\n---\nb: 2\n", "expected a single document"),
        ("a: \x00", "not YAML"),
    ],
)
def test_what_is_not_plain_yaml_is_refused(tmp_path, text, complaint):
    with pytest.raises(Refusal, match=complaint):
        read(tmp_path, text)


def test_bytes_that_are_no_text_and_missing_files_are_refused(tmp_path):
    path = tmp_path / "x.yaml"
    with pytest.raises(Refusal, match="No such file"):
        strict.load(path, {})
    path.write_bytes(b"a: \xff\xfe\n")
    with pytest.raises(Refusal, match="not YAML"):
        strict.load(path, {})
    path.write_bytes(b"")
    assert strict.load(path, {}) == {}


def test_what_is_dumped_is_read_back_identically(tmp_path):
    same = [1.5, 2]
    values = {
        "numbers": [1e-4, 1e20, 0.1, -3, float("inf")],
        "words": [
            "no",
            "012",
            "y",
            "N",
            "089",
            "1:99",
            "1e-4",
            "12:30:45",
            "1_000",
            "0x1F",
            "",
            "~",
            "true",
            "null",
        ],
        "text": "naïve: 'quoted' # not a comment\nsecond line 🎧",
        "nested": {"empty": {}, "none": None, "list": [{"a": [same, same]}]},
        "long": "word " * 100,
    }
    assert read(tmp_path, strict.dump(values)) == values


def test_other_readers_see_the_same_strings(tmp_path):
    import yaml

    words = {"a": "no", "b": "012", "c": "1e-4", "d": "12:30:45", "e": "yes"}
    assert yaml.safe_load(strict.dump(words)) == words


def test_merge_lays_later_over_earlier_and_forgets_the_options_of_another_class():
    base = {"net": {"class_path": "A", "init_args": {"w": 1, "d": 2}}, "x": 1}
    assert strict.merge(base, {"net": {"init_args": {"w": 9}}}) == {
        "net": {"class_path": "A", "init_args": {"w": 9, "d": 2}},
        "x": 1,
    }
    other = {"net": {"class_path": "B", "init_args": {"k": 3}}}
    assert strict.merge(base, other) == {**other, "x": 1}
    assert strict.merge({"net": "A"}, {"net": {"init_args": {"w": 9}}}) == {
        "net": {"class_path": "A", "init_args": {"w": 9}}
    }
    assert strict.merge({"l": [1, 2]}, {"l": [3]}) == {"l": [3]}


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("diffaudio.nets.UNet2d", "UNet2d", True),
        ("UNet2d", "diffaudio.nets.UNet2d", True),
        ("diffaudio.nets.UNet2d", "WaveNet", False),
        ("local.nets.UNet2d", "UNet2d", False),
        ("diffaudio.nets.UNet2d", "local.nets.UNet2d", False),
        ("diffaudio.nets.MyUNet2d", "UNet2d", False),
    ],
)
def test_a_class_under_its_short_and_its_whole_name_keeps_its_options(before, after, kept):
    base = {"class_path": before, "init_args": {"w": 1, "d": 2}}
    found = strict.merge(base, {"class_path": after, "init_args": {"w": 9}})
    assert found["init_args"] == ({"w": 9, "d": 2} if kept else {"w": 9})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("? [a, b]\n: 1\n", "line 1: a key is not a word"),
        ("model:\n  {{a: 1}: 2}\n", "line 2: a key is not a word"),
        ("model: &x {a: *x}\n", "line 1: this holds itself"),
        ("model: &x [1, *x]\n", "line 1: this holds itself"),
        ("steps: !!int abc\n", "not YAML"),
    ],
)
def test_what_yaml_can_say_and_a_configuration_cannot_is_refused(tmp_path, text, reason):
    with pytest.raises(Refusal, match=reason):
        read(tmp_path, text)
    assert read(tmp_path, "a: &x {b: 1}\nc: *x\n") == {"a": {"b": 1}, "c": {"b": 1}}
