"""Text out of an R database, on small ones that are packed as R packs them."""

import struct
import zlib

import pytest

from diffaudio.log import Refusal

BOOK = [
    *(
        "EMMA",
        "",
        "CHAPTER I",
        "",
        "Emma Woodhouse, handsome, clever, and rich, with a comfortable",
    ),
    *("home, seemed happy. Mr. Knightley came; he was sensible! _Was_ he?", ""),
    *(
        '"You must be mistaken, my dear." said she. "Is it so? I--" He sat',
        "down in 1801 and wept.",
    ),
    *("", "It is so.", "", "EMMA woodhouse, handsome clever and rich, with a comfortable home,"),
    "seemed HAPPY.",
    *("", "They walked all the way to St. James's without an umbrella.", ""),
    *("Emma Woodhouse, handsome, clever and rich, with a comfortable home, seemed happy.", ""),
    " ".join(40 * ["too long"]) + ".",
]


def vector(strings, *, version=3, kind=16):
    packed = b"X\n" + struct.pack(">4i", version, 262145, 197888, 5) + b"UTF-8"
    packed += struct.pack(">2i", kind, len(strings))
    for text in strings:
        packed += struct.pack(">2i", 0x00040009, len(text.encode())) + text.encode()
    return packed


def database(*blocks):
    return b"".join(struct.pack(">i", len(block)) + zlib.compress(block) for block in blocks)


def test_books_are_read_line_by_line(local):
    books = list(local.sentences.lines(database(vector(BOOK), vector(["ça", "", "b"]))))
    assert books == [BOOK, ["ça", "", "b"]]


def test_sentences_are_whole_plain_and_there_once(local):
    found = local.sentences.sentences(database(vector(BOOK[:9]), vector(BOOK)))
    assert set(found) == {
        "Emma Woodhouse, handsome, clever, and rich, with a comfortable home, seemed happy.",
        "Mister Knightley came; he was sensible!",
        "You must be mistaken, my dear.",
        "They walked all the way to Saint James's without an umbrella.",
    }
    assert found == sorted(found, key=local.sentences.digest)


BAD = {
    "no database": b"no R data at all",
    "cut": database(vector(BOOK))[:-9],
    "version": database(vector(BOOK, version=2)),
    "type": database(vector(BOOK, kind=14)),
    "short": database(vector(BOOK)[:-30]),
}


@pytest.mark.parametrize("fault", BAD)
def test_another_format_is_refused(local, fault):
    with pytest.raises(Refusal, match="its books are not in the format that is known"):
        list(local.sentences.lines(BAD[fault]))
