"""A bench that does everything wrong, for the tests of the runner; `FPSIM_BROKEN` says which."""

from __future__ import annotations

import os
from typing import Any

import cocotb

from fpsim.verify.benches.harness import Bench


class Pin:
    """A pin that shows what it is told."""

    def __init__(self, value: str) -> None:
        self.value = value


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """Misbehave."""
    bench = Bench(dut, "exhaustive")
    how = os.environ["FPSIM_BROKEN"]
    if how == "raises":
        raise KeyError("a mistake in the bench")
    if how == "dies":
        os._exit(3)
    if how.startswith("pin "):
        bench.read(Pin(how.removeprefix("pin ")), "sig_o")
    if how != "forgets":
        bench.finish()
