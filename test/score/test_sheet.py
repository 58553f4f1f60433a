from diffaudio.score.sheet import sheet, verdicts


def test_the_sheet_reads_the_stored_verdict(made, silent):
    """Whatever the numbers look like; and it says why there is none."""
    better, same = made("demo", 1.9), made("demo", 1.9, verdict="same")
    assert "<b>▲ better</b> in PESQ" in verdicts(better)
    assert "▲ +0.40 [+0.30, +0.50]<small>p &lt; 0.001" in sheet(better, [])
    assert "<b>≈ not significantly different</b> in PESQ" in verdicts(same)
    assert "▲" not in verdicts(same) + sheet(same, [])
    for count in (3, 128):
        assert f"no verdict ({count} of 128 failed)</b> in PESQ" in verdicts(silent(count))
        page = sheet(silent(count), ["PESQ failed for some"])
        assert f"{count} of 128 failed</small>" in page
        assert "<li>PESQ failed for some</li>" in page
