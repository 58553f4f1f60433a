"""Being asked to stop: signals set a flag, and the loop reads it where stopping is clean."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType

from diffaudio.log import log
from diffaudio.orphans import end_with_parent

__all__ = ["INTERRUPTED", "LAUNCHER", "Stop", "die_with_parent", "stopping"]

INTERRUPTED = 75  # exit status of a run that saved and can go on (EX_TEMPFAIL)
LAUNCHER = "DIFFAUDIO_LAUNCHER"  # the process that started this rank, in a rank's environment
_ASKS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


class Stop:
    """Whether this process was asked to stop, and by which signal."""

    def __init__(self) -> None:
        self.reason = ""

    def __bool__(self) -> bool:
        return bool(self.reason)

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Remember the signal; a second Ctrl-C is not waited for."""
        del frame
        self.reason = signal.Signals(number).name
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def stopping() -> Iterator[Stop]:
    """Catch SIGTERM, SIGUSR1 and the first Ctrl-C inside the block."""
    stop = Stop()
    before = {number: signal.signal(number, stop.ask) for number in _ASKS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def die_with_parent() -> None:
    """Have the system kill this process when the process that started it ends, however it ends.

    A rank that outlives its launcher would go on writing into the experiment. On Linux only.
    """
    end_with_parent()
    launcher = os.environ.get(LAUNCHER)
    if launcher and int(launcher) != os.getppid():  # it ended before the line above
        log.error("the launcher has ended")
        os._exit(1)
