import pytest

from diffaudio.data.problem import MENDS, Problem, describe, encode, read


def test_problems_are_grouped_counted_and_mended():
    problems = [Problem("missing", f"n{i}", "train", f"n{i}.wav", "no such file") for i in range(7)]
    problems.append(Problem("bad id", "a\nb", "train", "", "x"))
    text = describe(problems, examples=2)
    assert text.splitlines() == [
        "  bad id (1)",
        "    train/a\\nb: x",
        f"    mend: {MENDS['bad id']}",
        "  missing (7)",
        "    n0.wav: no such file",
        "    n1.wav: no such file",
        "    ... and 5 more",
        f"    mend: {MENDS['missing']}",
    ]


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("a/b c.wav", "a/b c.wav"),
        ("new\nline.wav", "new\\nline.wav"),
        ("bell\x07.wav", "bell\\x07.wav"),
        ("caf\udce9.wav", "caf\\udce9.wav"),
        ("caf\u00e9 \U0001f3b5.wav", "caf\u00e9 \U0001f3b5.wav"),
        ("", "train/x"),
    ],
)
def test_a_name_takes_one_line_whatever_it_holds(file, place):
    assert Problem("missing", "x", "train", file, "").place == place


def test_a_row_without_a_split_has_a_place():
    assert Problem("bad row", "", "", "", "").place == "?/"


def test_problems_survive_their_file(tmp_path):
    problem = Problem("missing", "a", "train", "caf\udce9\n.wav", "no such file")
    (tmp_path / "p.jsonl").write_bytes(encode(problem))
    assert list(read(tmp_path / "p.jsonl")) == [problem]
    assert MENDS["missing"].encode() in (tmp_path / "p.jsonl").read_bytes()
