"""Folders of wavs in, numbers with intervals out. What made the wavs is not known here."""

from __future__ import annotations

from diffaudio.score.publish import link, publish, shown, summarise
from diffaudio.score.request import Request
from diffaudio.score.spec import ScoreSpec
from diffaudio.score.stage import score

__all__ = ["Request", "ScoreSpec", "link", "publish", "score", "shown", "summarise"]
