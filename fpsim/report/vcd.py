"""What signals showed at each rising clock edge, out of a VCD file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vcd.reader import Token, TokenKind, tokenize

Samples = dict[str, list[int | None]]  # None: X or Z


def read_cycles(path: str | Path, module: str, signals: Sequence[str], clock: str = "clk_i") -> Samples:
    """Sample signals of a module just before every rising edge of its clock, as its registers do.

    Args:
        path: VCD file.
        module: name of the scope that holds the signals; of several the first.
        signals: their names, without bit ranges.
        clock: name of the clock.

    Raises:
        ValueError: the file has no such scope or signal.
    """
    scopes: list[str] = []
    codes: dict[str, str] = {}  # signal to identifier code
    now: dict[str, int | None] = {}  # identifier code to value
    samples: Samples = {name: [] for name in signals}
    with Path(path).open("rb") as stream:
        batch: list[Token] = []
        for token in tokenize(stream):
            if token.kind is TokenKind.SCOPE:
                scopes.append(token.scope.ident)
            elif token.kind is TokenKind.UPSCOPE:
                scopes.pop()
            elif token.kind is TokenKind.VAR and scopes and scopes[-1] == module:
                codes.setdefault(token.var.reference, token.var.id_code)
            elif token.kind is TokenKind.ENDDEFINITIONS:
                missing = [name for name in (*signals, clock) if name not in codes]
                if missing:
                    raise ValueError(f"{str(path)!r}: no signal {missing[0]!r} in a module {module!r}")
            elif token.kind is TokenKind.CHANGE_TIME:
                _take(batch, now, samples, codes, clock)
                batch = []
            elif token.kind in (TokenKind.CHANGE_SCALAR, TokenKind.CHANGE_VECTOR):
                batch.append(token)
        _take(batch, now, samples, codes, clock)
    return samples


def _take(
    batch: list[Token], now: dict[str, int | None], samples: Samples, codes: dict[str, str], clock: str
) -> None:
    """Apply what changed at one time; where the clock rises in it, first sample what was there before."""
    changes = dict(map(_change, batch))
    edge = codes.get(clock)
    if edge in changes and changes[edge] == 1 and now.get(edge) == 0:
        for name, values in samples.items():
            values.append(now.get(codes[name]))
    now.update(changes)


def _change(token: Token) -> tuple[str, int | None]:
    if token.kind is TokenKind.CHANGE_SCALAR:
        value = token.scalar_change.value
        return token.scalar_change.id_code, int(value) if value in "01" else None
    word = token.vector_change.value
    return token.vector_change.id_code, word if isinstance(word, int) else None
