"""Mutants that neither a bench nor a proof decides, by unit and number, and what is known of them."""

from __future__ import annotations

UNDECIDED: dict[tuple[str, int], str] = {
    ("zero_point", 40): "equivalent by hand: nine steps under a span of 0 make 511, which is 0 modulo 256",
    ("mac_float", 14): "neither a difference nor a proof within the solver's time",
    ("dot_mx", 3): "neither a difference nor a proof within the solver's time",
}
