import pytest

from diffaudio.log import Refusal
from diffaudio.text import Pieces, train_pieces

CORPUS = [
    f"the {a} {b} saw a {c} by the river"
    for a in ("old", "young", "tall", "quiet")
    for b in ("captain", "printer", "sailor", "baker")
    for c in ("light", "boat", "bridge", "mill")
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("pieces") / "a.model"
    train_pieces(CORPUS, path, size=60)
    return path


def test_pieces_join_to_the_text(model):
    units = Pieces(model)
    ids = units.encode("The old printer saw a bridge")
    joined = "".join(units.names[one] for one in ids).replace("▁", " ").strip()
    assert joined == "the old printer saw a bridge"
    assert len(ids) < len(joined)
    assert len(units.names) <= 60


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_the_same_corpus_gives_the_same_bytes(tmp_path, kind):
    for name in ("a", "b"):
        train_pieces(iter(CORPUS), tmp_path / name, size=50, kind=kind)
    train_pieces(CORPUS[:32], tmp_path / "c", size=50, kind=kind)
    first, second, other = [(tmp_path / name).read_bytes() for name in "abc"]
    assert first == second != other


def test_a_rare_character_has_a_piece_and_an_unknown_one_is_refused(tmp_path, model):
    train_pieces([*CORPUS * 40, "q"], tmp_path / "rare", size=60)
    assert Pieces(tmp_path / "rare").encode("q")
    with pytest.raises(Refusal, match=r"a: Pieces have no 'zz' \(U\+007A LATIN SMALL LETTER Z"):
        Pieces(model).encode("the zz", place="a")


def test_what_cannot_be_learned_or_read_is_refused(tmp_path):
    with pytest.raises(Refusal, match="5000 pieces could not be learned"):
        train_pieces(CORPUS, tmp_path / "x", size=5000, kind="bpe")
    with pytest.raises(Refusal, match="no text to learn"):
        train_pieces([" "], tmp_path / "x", size=50)
    assert not (tmp_path / "x").exists()
    with pytest.raises(Refusal, match="no pieces to be read"):
        Pieces(tmp_path / "x")
    (tmp_path / "x").write_bytes(b"not a model")
    with pytest.raises(Refusal, match="not a model of sentencepiece"):
        Pieces(tmp_path / "x")
