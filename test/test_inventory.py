import os

from diffaudio import inventory


def fill(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


def names(folder, **options):
    return [str(path.relative_to(folder)) for path in inventory.below(folder, **options)]


def test_links_are_followed_and_loops_end(tmp_path):
    fill(tmp_path, "corpus/a/1", "corpus/2", "corpus/.hidden", "disk/deep/3")
    (tmp_path / "corpus/link").symlink_to(tmp_path / "disk")
    (tmp_path / "disk/back").symlink_to(tmp_path / "corpus")
    (tmp_path / "corpus/broken").symlink_to(tmp_path / "nowhere")
    assert names(tmp_path / "corpus") == ["2", "broken", "a/1", "link/deep/3"]


def test_folders_with_the_mark_are_left_out_but_the_top(tmp_path):
    fill(tmp_path, ".stage.json", "1", "out/.stage.json", "out/2", "other/3")
    assert names(tmp_path, mark=".stage.json") == ["1", "other/3"]


def test_state_changes_with_name_size_time_and_target(tmp_path):
    fill(tmp_path, "disk/a", "corpus/b")
    (tmp_path / "corpus/link").symlink_to(tmp_path / "disk/a")
    corpus = tmp_path / "corpus"
    found = [inventory.state(corpus)]
    os.utime(tmp_path / "disk/a", (1, 1))
    found.append(inventory.state(corpus))
    (tmp_path / "disk/a").write_text("longer")
    os.utime(tmp_path / "disk/a", (1, 1))
    found.append(inventory.state(corpus))
    (corpus / "b").rename(corpus / "c")
    found.append(inventory.state(corpus))
    (tmp_path / "disk/a").unlink()
    found.append(inventory.state(corpus))
    assert len(set(found)) == 5
    assert inventory.state(corpus) == found[-1]
    assert all(each.startswith(inventory.MARK) for each in found)


def test_a_hundred_thousand_outputs_are_checked_by_stat_alone(tmp_path, monkeypatch):
    """No file is opened but the list itself: the time grows with the files, not their bytes."""
    fill(tmp_path, *(f"wavs/{number}.wav" for number in range(200)))
    inventory.write(tmp_path / "list", inventory.sizes(tmp_path, ["wavs"]))
    opened = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda *a, **k: opened.append(a) or real(*a, **k))
    assert inventory.lost(tmp_path, tmp_path / "list") == ""
    assert opened == []
    (tmp_path / "wavs/7.wav").unlink()
    assert inventory.lost(tmp_path, tmp_path / "list") == f"{tmp_path}/wavs/7.wav is gone"
