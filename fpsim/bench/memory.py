"""How much memory a function takes at its peak, beyond what was there before.

Linux keeps the largest resident set that a process ever had, and resets it to the present one on request
(proc(5), clear_refs). The difference counts whatever was allocated, by numpy, by compiled loops or by torch,
and only pages that were touched. Free memory that the C library still holds would hide new memory put into
it, so it is given back first. Other systems have no such mark; there numpy's allocations are counted as
Python traces them, which leaves out torch's and the few kilobytes of the loops themselves.
"""

from __future__ import annotations

import ctypes
import gc
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


def peak_memory(function: Callable[[], object]) -> int:
    """Bytes that a call of the function takes at its peak, its result included."""
    gc.collect()
    if not _reset_peak():
        return _traced(function)
    before = _status("VmRSS")
    function()
    return max(0, _status("VmHWM") - before)


def _reset_peak() -> bool:
    """Start a new high-water mark; False where the system has none."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
        _RESET.write_text("5", encoding="ascii")
    except (OSError, AttributeError, TypeError):
        return False
    return True


def _status(key: str) -> int:
    found = re.search(rf"^{key}:\s*(\d+) kB$", _STATUS.read_text(encoding="ascii"), re.MULTILINE)
    assert found is not None
    return int(found[1]) << 10


def _traced(function: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
