"""Folders of wavs in, numbers with intervals out. What made the wavs is not known here."""

from __future__ import annotations

from diffaudio.score.publish import SWEEPS, beside, link, publish, show, shown, summarise
from diffaudio.score.request import Request
from diffaudio.score.spec import ScoreSpec
from diffaudio.score.stage import score

__all__ = ["SWEEPS", "Request", "ScoreSpec", "beside", "link", "publish", "score", "show"]
__all__ += ["shown", "summarise"]
