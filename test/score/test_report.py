from __future__ import annotations

import re
from html.parser import HTMLParser


class Page(HTMLParser):
    """Collects tags, attributes that fetch something, and whether tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.fetched, self.names = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.fetched += [v for k, v in attrs if k in ("src", "href")]
        if tag not in {"meta", "img", "br", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_report_is_one_whole_file_without_a_network(run, request_, spec):
    run()
    text = (request_.out / "report.html").read_text()
    page = Page(text)
    assert page.open == []
    assert all(value.startswith(("data:", "#")) for value in page.fetched)
    assert "link" not in page.names
    assert not re.findall(r"url\(|@import|https?://", text)
    assert text.count('<article class="utterance"') == 2  # one worst, one median
    assert page.names.count("audio") == 6
    assert "training loss" in text
    assert "validation: SI-SDR" in text


def test_the_report_escapes_names_and_labels(run, request_, spec):
    run()
    text = (request_.out / "report.html").read_text()
    assert "<h1>demo &lt;1&gt;</h1>" in text
    assert "mini &lt;made&gt; | up" in text
    assert "<made>" not in text
