"""Mutants that neither a bench nor a proof decides, by unit and number, and what is known of them."""

from __future__ import annotations

_OPEN = "neither a difference nor a proof within the solver's time"

# Judged by hand: no input shows a difference, and why.
BY_HAND: dict[tuple[str, int], str] = {
    ("zero_point", 40): "equivalent by hand: nine steps under a span of 0 make 511, which is 0 modulo 256",
}
# Not judged at all: a sign-off does not pass with them.
UNDECIDED: dict[tuple[str, int], str] = {
    ("epilogue", 13): _OPEN,
    ("epilogue", 16): _OPEN,
    ("mac_float", 14): _OPEN,
    ("dot_mx", 3): _OPEN,
    ("dot_nvfp4", 6): _OPEN,
    ("dot_nvfp4", 12): _OPEN,
    ("dot_nvfp4", 37): _OPEN,
}
