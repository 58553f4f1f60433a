import pytest

from diffaudio.text import Pauses, split_sentences


def parts(text, **options):
    return [sentence.text for sentence in split_sentences(text, **options)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rained. We left.", ["It rained.", "We left."]),
        ("Did it rain? Yes! We left.", ["Did it rain?", "Yes!", "We left."]),
        ("Mr. Hall met Dr. Reed. They spoke.", ["Mr. Hall met Dr. Reed.", "They spoke."]),
        ("J. R. R. Tolkien wrote. I read.", ["J. R. R. Tolkien wrote.", "I read."]),
        ("Take plan B. Then rest.", ["Take plan B.", "Then rest."]),
        ("It was I. He knew.", ["It was I.", "He knew."]),
        ("It is 3.5 km. It is $2.50 now.", ["It is 3.5 km.", "It is $2.50 now."]),
        ("See No. 5 and p. 12. Go on.", ["See No. 5 and p. 12.", "Go on."]),
        ("He said no. Then he left.", ["He said no.", "Then he left."]),
        ("At 7 a.m. Monday came. He left at 9 p.m. It was dark.",
         ["At 7 a.m. Monday came.", "He left at 9 p.m.", "It was dark."]),
        ("The U.S. Senate met. She came from the U.S. He did not.",
         ["The U.S. Senate met.", "She came from the U.S.", "He did not."]),
        ("Pens, e.g. Blue ones, etc. are here.", ["Pens, e.g. Blue ones, etc. are here."]),
        ("He works for Acme Inc. He is tired.", ["He works for Acme Inc.", "He is tired."]),
        ("Acme Inc. Chairman Hall left.", ["Acme Inc. Chairman Hall left."]),
        ('"Is it you?" he asked. "Yes."', ['"Is it you?" he asked.', '"Yes."']),
        ('He said, "Go." She went.', ['He said, "Go."', "She went."]),
        ("“Come in.” She came… And left.", ["“Come in.”", "She came…", "And left."]),
        ("...and so it went on... nobody knew.", ["...and so it went on... nobody knew."]),
        ("1. Take the pen. 2. Write.", ["1. Take the pen.", "2. Write."]),
        ("On Jan. 5 it ended. On May 6 too.", ["On Jan. 5 it ended.", "On May 6 too."]),
        ("One line\nof text. Two.", ["One line of text.", "Two."]),
        ("At 5 p.m. Doors open. Bring pens etc. Visitors pay.",
         ["At 5 p.m.", "Doors open.", "Bring pens etc.", "Visitors pay."]),
        ("At 6 a.m. EST it rang.", ["At 6 a.m. EST it rang."]),
        ("To buy:\n- Milk\n- Eggs\n1. Pay", ["To buy:", "Milk", "Eggs", "1. Pay"]),
        ("BIG NEWS\nThe mayor won.", ["BIG NEWS", "The mayor won."]),
        ("Roses are red\nViolets are blue\nSugar is sweet",
         ["Roses are red", "Violets are blue", "Sugar is sweet"]),
        ("It was the best of times in old\nLondon and in all the\nrest, and the worst.",
         ["It was the best of times in old London and in all the rest, and the worst."]),
        ("He was brought before the magistrate at\nBow Street, and was afterwards taken to\n"
         "Newgate, where he was tried at the\nOld Bailey.",
         ["He was brought before the magistrate at Bow Street, and was afterwards taken to "
          "Newgate, where he was tried at the Old Bailey."]),
        ("THE ENTIRE RISK AS TO THE QUALITY AND PERFORMANCE OF THE\nCOVERED CODE IS WITH YOU, AND "
         "SHOULD IT PROVE DEFECTIVE,\nYOU BEAR IT.",
         ["THE ENTIRE RISK AS TO THE QUALITY AND PERFORMANCE OF THE COVERED CODE IS WITH YOU, AND "
          "SHOULD IT PROVE DEFECTIVE, YOU BEAR IT."]),
        ("He wrote a long letter to his sister in London about it,\nwhich was afterwards read by\n"
         "Peter to the others.",
         ["He wrote a long letter to his sister in London about it, which was afterwards read by "
          "Peter to the others."]),
        ("The curfew tolls the knell of parting day,\nThe lowing herd wind slowly o'er the lea,\n"
         "The ploughman homeward plods his weary way,\nAnd leaves the world to darkness.",
         ["The curfew tolls the knell of parting day,", "The lowing herd wind slowly o'er the lea,",
          "The ploughman homeward plods his weary way,", "And leaves the world to darkness."]),
        ("Ticking away the hours that make up a day\nFritter and waste them in an offhand way\n"
         "Kicking around on a piece of ground",
         ["Ticking away the hours that make up a day", "Fritter and waste them in an offhand way",
          "Kicking around on a piece of ground"]),
        ("# One\nText of it\ngoes on.\n## Two\n#3 is red.",
         ["One", "Text of it goes on.", "Two", "#3 is red."]),
        ("THIS COMES WITHOUT A WARRANTY OF FITNESS FOR A PARTICULAR PURPOSE\nARE DISCLAIMED. IN NO "
         "EVENT\nSHALL WE\nBE LIABLE FOR ANY DIRECT OR INDIRECT LOSSES.",
         ["THIS COMES WITHOUT A WARRANTY OF FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED.",
          "IN NO EVENT SHALL WE BE LIABLE FOR ANY DIRECT OR INDIRECT LOSSES."]),
        ("To buy\n- one\n- two", ["To buy", "one", "two"]),
        ("Take:\n(a) one of the many here", ["Take:", "(a) one of the many here"]),
        ("====\n4. One", ["====", "4. One"]),
        ("The New York Mercantile Exchange set\nApril one for the debut of a new procedure in the "
         "complex\nthat will grow.",
         ["The New York Mercantile Exchange set April one for the debut of a new procedure in the "
          "complex that will grow."]),
        ("Esselte Business Systems Inc's\nEsselte Meto division said it has bought the Antonson "
         "America\nCo, a subsidiary.",
         ["Esselte Business Systems Inc's Esselte Meto division said it has bought the Antonson "
          "America Co, a subsidiary."]),
        ("Deputy oil ministers from six Gulf\nArab states will meet in Bahrain today to discuss it "
         "all.",
         ["Deputy oil ministers from six Gulf Arab states will meet in Bahrain today to discuss it "
          "all."]),
        ("I owe, I owe,\nIt's off to work I go all day...",
         ["I owe, I owe,", "It's off to work I go all day..."]),
        ("no stop at all", ["no stop at all"]),
        ("  \n\n ", []),
    ],
)  # fmt: skip
def test_a_text_is_split_where_sentences_end(text, expected):
    assert parts(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Mr. C. A. Keeler spoke to E. A. Poe. | A. A. Milne met Gen. E. A. Walker. | He left.",
        "George W. A. Smith saw Mr. I. Hall. | I. A. Richards came. | It was I. | Mary knew.",
        "It was P. Smith or plan C. | Then he left.",
        "He paid 5s. 6d. for it, £5 10s. 6d. in all. | It was 5s. | Mary paid.",
        "It has 1 lb. 4 oz. of it. | It took 2 hrs. 10 min. or 5 min. 20 sec. | Then it broke.",
        "It was in the 1990s. | 20 people came.",
        "Call ext. 12, tel. (555) 0123, Apt. 5. | Pay Rs. 500, max. 5, approx. $9. | He did.",
        "It is est. 1900, par. 5, eq. 7, ed. 2, Fig. B, Vol. I of it. | On Tues. 5 March too.",
        "He said no. | I left. | Wait a sec. | I must go. | He said no. | J. Hall did not.",
        "Turn right in 500 ft. | Then turn left to Ft. Worth. | He saw Mt. Hood and GEN. LEE.",
        "The cat sat. | Mary laughed in the sun. | Peter was wed. | Tom saw the col. | Ann, too.",
        "On Sat. Mary came. | He left on Sun. | It rained.",
        '"I . . . I don\'t know." | He said . . . nothing. | She left . . . | He did. . . . | No.',
        '"N... No," he said. | "Oh . . . , yes." | What . . . ? | He ran.',
        "_He came._ | She left. | *Stop.* | **Go.** | _Mr._ Hall came—Dr. Reed did.",
        "He read it.[1] | Then he left.¹ | Then she did.[2][3] | All slept.",
        "Drs. Hall and Reed saw Lieut. Ward, Revd. Lee, the Rt. Hon. Wm. Pitt and Thos. More.",
        "Chas. Lamb, Geo. Ray, Jas. Roy, Det. Ray, Atty. Bell, Asst. Dean Bo and Pvt. Po came.",
        "Serg. Bo, Ens. Kim, Pfc. Lee, Messrs. Hall, Mmes. Roy, M. Duval, MM. Duval et Roy came.",
        "Thanks for the RT. | Hoping it helps. | MR. PICKWICK saw MT. ETNA, ST. PAUL and RT. 5.",
        "It is in C. | Despite this it is Standard C. | See Vitamin C. | Everyone got an A. | So.",
        "Hepatitis C. | Patients got Plan B. | Everyone has a grade of B. | People do.",
        "Arthur C. Clarke met Mr. C. Keeler, son of J. Keeler, in C. S. Lewis or J. Edgar Hoover.",
        "See dane_query_t. | Contributed by c*ntr*l. | Compare it. | I can't. | Everybody can.",
        "See it [ **Cit.** ]). | However {it is. } so.",
        "At 5 p.m. | Mr. Hall spoke of No. 5. | He is in the U.S. Senate.",
    ],
)
def test_a_bar_stands_where_sentences_end(text):
    assert parts(text.replace(" |", "")) == text.split(" | ")


@pytest.mark.parametrize(
    "text",
    [
        "It is also distinguished from the state {wedged}\n— hung software is not.",
        "It was the first one ever\n- and only then - of all.",
        "It counts down from 10 to\n0. | See also this.",
        "It was so at first (since VMS version\n5) DEC made it.",
        "They are all powers of\n2. | If so, it is well.",
        "It was so in the year\n12. | Nobody knew of it.",
        "This is all as under section\n7. | This is so.",
        'He got it to run\n("Even the first of them was written in it," he said).',
        "See default.target\n(as well as many others of its kind in the house).",
        'It was put into the string\n"ABC of the old town was not there when he came".',
    ],
)
def test_a_wrapped_line_goes_on(text):
    assert parts(text.replace(" |", "")) == text.replace("\n", " ").split(" | ")


def test_a_long_text_is_split_as_a_short_one():
    one = ["He saw Mr. A. B. Hall, who was ill.", '"No," he said; it cost 5s. 6d. then.']
    assert parts(" ".join(one * 2000)) == one * 2000
    assert parts(" ".join(one * 2000).replace(", who", ",\nwho")) == one * 2000
    assert parts("St. " * 2000, limit=7) == ["St. St."] * 1000


def test_pauses_say_what_ended():
    found = split_sentences("One. Two.\n\nThree.\n \nFour", pauses=Pauses(0.3, 1.0, 0.1))
    assert [(one.text, one.pause) for one in found] == [
        ("One.", 0.3), ("Two.", 1.0), ("Three.", 1.0), ("Four", 0.0),
    ]  # fmt: skip


def test_a_long_sentence_is_cut_at_its_clauses():
    text = "They came, one by one, out of the fog; the old, the young, and the tired too."
    found = split_sentences(text, limit=45)
    assert [one.text for one in found] == [
        "They came, one by one, out of the fog;",
        "the old, the young, and the tired too.",
    ]
    assert found[0].pause == Pauses().clause
    early = "No; it was, as they said, over and done"
    assert parts(early, limit=26) == ["No; it was, as they said,", "over and done"]
    assert parts(text, limit=30)[0] == "They came, one by one,"


def test_without_clauses_it_is_cut_between_words_and_without_words_anywhere():
    assert parts("one two three four", limit=9) == ["one two", "three", "four"]
    assert split_sentences("one two three four", limit=9)[0].pause == 0
    assert parts("abcdefghij", limit=4) == ["abcd", "efgh", "ij"]
    with pytest.raises(ValueError, match="limit"):
        split_sentences("a", limit=0)


@pytest.mark.parametrize("limit", [1, 7, 20, 33, 60, 200])
def test_nothing_is_lost_and_nothing_is_longer_than_the_limit(limit):
    text = (
        'Mr. Hall, who knew it, said: "No, never!" But -- as ever -- they went on, '
        "1,000 strong; the U.S. Navy, etc. came too.\n\nWho else? J. F. Ward (of Acme Inc.) did."
    )
    found = parts(text, limit=limit)
    assert all(0 < len(one) <= limit for one in found)
    assert "".join("".join(found).split()) == "".join(text.split())
