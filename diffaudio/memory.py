"""Memory that is freed stays with the process, which is about to ask for as much again.

The C library gives large blocks back to the system as soon as they are freed, and each page of the
next one is then fetched and cleared anew. A network frees and takes the same blocks in every call.
Dask makes it worse: its workers have MALLOC_TRIM_THRESHOLD_=65536 in their environment, with which
every block above 128 KiB is given back, at up to half of the processor time of decoding.
"""

from __future__ import annotations

import ctypes

__all__ = ["keep_freed"]

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # mallopt(3)
_LARGEST = 2**30  # bytes of a block that is still kept


def keep_freed() -> bool:
    """Have this process keep what it frees; True if its C library can be told so, as glibc can."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGEST) and mallopt(_M_TRIM_THRESHOLD, -1))
