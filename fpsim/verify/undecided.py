"""Mutants that neither a bench nor a proof decides, by unit and number, and what is known of them."""

from __future__ import annotations

# Judged by hand: no input shows a difference, and why. None: what was argued by hand is a lemma now.
BY_HAND: dict[tuple[str, int], str] = {}
# Not judged at all: a sign-off does not pass with them.
UNDECIDED: dict[tuple[str, int], str] = {}
