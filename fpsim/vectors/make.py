"""From layer tiles to golden sets, one per unit; every expected value comes from the law."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fpsim.array.config import OPERAND_FORMATS, ArrayConfig
from fpsim.array.program import LayerProgram
from fpsim.array.reference import TileTrace, trace_tile
from fpsim.vectors.golden_set import Field, GoldenSet, pack_lanes
from fpsim.vectors.tiles import TileSpec

FP16_BITS = 16
TF32_BITS = 19
EXPONENT_BITS = 5
SELECTOR_BITS = 2
CODE_BITS = 4

Beats = dict[str, list[int]]


@dataclass(frozen=True)
class TracedTile:
    """A tile, the layer it belongs to, and what the law makes of it."""

    spec: TileSpec
    program: LayerProgram
    trace: TileTrace


def trace_tiles(
    config: ArrayConfig, tiles: list[tuple[TileSpec, LayerProgram, list[list[int]]]]
) -> list[TracedTile]:
    """Run tiles, each given with its FP16 rows (R, K), by the law."""
    return [
        TracedTile(spec, program, trace_tile(config, program, x, spec.first_col))
        for spec, program, x in tiles
    ]


def make_sets(
    config: ArrayConfig, tiles: list[TracedTile], *, seed: int, command: str
) -> dict[str, GoldenSet]:
    """Golden sets of all units: unit name to set, the tiles one after the other.

    Args:
        config: the machine.
        tiles: traced tiles; each must fill the array's rows and columns.
        seed: seed of everything random behind the tiles.
        command: the command that makes the sets again.
    """
    for tile in tiles:
        if len(tile.trace.rows) != config.rows or len(tile.trace.weights) != config.cols:
            raise ValueError(f"tiles: {tile.spec} has not {config.rows} rows and {config.cols} columns")
    makers = {
        "layer": (_layer_fields, _layer_beats),
        "align": (_align_fields, _align_beats),
        "hadamard": (_hadamard_fields, _hadamard_beats),
        "row_scale": (_row_scale_fields, _row_scale_beats),
        "quantizer": (_quantizer_fields, _quantizer_beats),
        "mac_array": (_mac_array_fields, _mac_array_beats),
        "epilogue": (_epilogue_fields, _epilogue_beats),
    }
    sets = {}
    for unit, (fields, beats) in makers.items():
        parts = [beats(config, tile) for tile in tiles]
        sets[unit] = GoldenSet(
            unit=unit,
            config=config,
            fields=fields(config),
            beats={name: [word for part in parts for word in part[name]] for name in fields(config)},
            seed=seed,
            source="tiles of the digits DiT, sampled with DDIM on the machine; expected values by the law",
            command=command,
            extra={"tiles": _describe(tiles, parts)},
        )
    return sets


def _describe(tiles: list[TracedTile], parts: list[Beats]) -> list[dict[str, Any]]:
    return [
        {
            **tile.spec.to_dict(),
            "k": tile.program.shape[1],
            "static": asdict(tile.program.static) if tile.program.static else None,
            "lines": {name: len(words) for name, words in part.items()},
        }
        for tile, part in zip(tiles, parts, strict=True)
    ]


def _chunks(values: list[int], lanes: int) -> list[list[int]]:
    return [values[i : i + lanes] for i in range(0, len(values), lanes)]


def _layer_fields(config: ArrayConfig) -> dict[str, Field]:
    return {"x": Field(FP16_BITS), "y": Field(FP16_BITS, config.cols, "out")}


def _layer_beats(config: ArrayConfig, tile: TracedTile) -> Beats:
    trace = tile.trace
    return {
        "x": [x for row in trace.rows for x in row.x],
        "y": [pack_lanes(y, FP16_BITS) for y in trace.y],
    }


def _align_fields(config: ArrayConfig) -> dict[str, Field]:
    unit = config.unit
    return {
        "x": Field(FP16_BITS, unit.hadamard_n),
        "exp": Field(EXPONENT_BITS),
        "int": Field(unit.align_bits, unit.hadamard_n, "out"),
        "exp_max": Field(EXPONENT_BITS, 1, "out"),
        "special": Field(1, 1, "out"),
    }


def _align_beats(config: ArrayConfig, tile: TracedTile) -> Beats:
    lanes, bits = config.unit.hadamard_n, config.unit.align_bits
    beats: Beats = {name: [] for name in ("x", "exp", "int", "exp_max", "special")}
    for row in tile.trace.rows:
        for x, ints in zip(_chunks(row.x, lanes), _chunks(row.aligned, lanes), strict=True):
            beats["x"].append(pack_lanes(x, FP16_BITS))
            beats["exp"].append(row.exp)
            beats["int"].append(pack_lanes(ints, bits))
            beats["exp_max"].append(max(max(v >> 10 & 31, 1) for v in x))
            beats["special"].append(0)
    return beats


def _hadamard_fields(config: ArrayConfig) -> dict[str, Field]:
    unit = config.unit
    return {
        "x": Field(unit.align_bits, unit.hadamard_n),
        "signs": Field(1, unit.hadamard_n),
        "enable": Field(1),
        "y": Field(unit.rotated_bits, unit.hadamard_n, "out"),
    }


def _hadamard_beats(config: ArrayConfig, tile: TracedTile) -> Beats:
    unit, program = config.unit, tile.program
    k = program.shape[1]
    signs = [0] * k if program.signs is None else [int(s < 0) for s in program.signs]
    sign_words = [pack_lanes(chunk, 1) for chunk in _chunks(signs, unit.hadamard_n)]
    beats: Beats = {name: [] for name in ("x", "signs", "enable", "y")}
    for row in tile.trace.rows:
        beats["x"] += [pack_lanes(c, unit.align_bits) for c in _chunks(row.aligned, unit.hadamard_n)]
        beats["signs"] += sign_words
        beats["enable"] += [int(program.signs is not None)] * len(sign_words)
        beats["y"] += [pack_lanes(c, unit.rotated_bits) for c in _chunks(row.rotated, unit.hadamard_n)]
    return beats


def _row_scale_fields(config: ArrayConfig) -> dict[str, Field]:
    bits = config.unit.rotated_bits
    return {
        "amax": Field(bits),
        "exp": Field(EXPONENT_BITS),
        "amp": Field(bits, 1, "out"),
        "scale": Field(TF32_BITS, 1, "out"),
    }


def _row_scale_beats(config: ArrayConfig, tile: TracedTile) -> Beats:
    rows = tile.trace.rows
    return {
        "amax": [row.amax for row in rows],
        "exp": [row.exp for row in rows],
        "amp": [row.amp for row in rows],
        "scale": [row.row_scale for row in rows],
    }


def _quantizer_fields(config: ArrayConfig) -> dict[str, Field]:
    unit = config.unit
    return {
        "h": Field(unit.rotated_bits, unit.hadamard_n),
        "amp": Field(unit.rotated_bits),
        "fmt": Field(SELECTOR_BITS),
        "codes": Field(CODE_BITS, unit.hadamard_n, "out"),
    }


def _quantizer_beats(config: ArrayConfig, tile: TracedTile) -> Beats:
    unit = config.unit
    beats: Beats = {name: [] for name in ("h", "amp", "fmt", "codes")}
    for row in tile.trace.rows:
        words = [pack_lanes(c, unit.rotated_bits) for c in _chunks(row.rotated, unit.hadamard_n)]
        beats["h"] += words
        beats["amp"] += [row.amp] * len(words)
        beats["fmt"] += [OPERAND_FORMATS.index(tile.program.act_fmt)] * len(words)
        beats["codes"] += [pack_lanes(c, CODE_BITS) for c in _chunks(row.codes, unit.hadamard_n)]
    return beats


def _mac_array_fields(config: ArrayConfig) -> dict[str, Field]:
    return {
        "a_fmt": Field(SELECTOR_BITS),
        "b_fmt": Field(SELECTOR_BITS),
        "in_first": Field(1),
        "in_last": Field(1),
        "a_codes": Field(CODE_BITS, config.rows),
        "b_codes": Field(CODE_BITS, config.cols),
        "out_acc": Field(config.unit.acc_bits, config.cols, "out"),
    }


def _mac_array_beats(config: ArrayConfig, tile: TracedTile) -> Beats:
    trace, program = tile.trace, tile.program
    k = program.shape[1]
    return {
        "a_fmt": [OPERAND_FORMATS.index(program.act_fmt)] * k,
        "b_fmt": [OPERAND_FORMATS.index(program.weight_fmt)] * k,
        "in_first": [int(i == 0) for i in range(k)],
        "in_last": [int(i == k - 1) for i in range(k)],
        "a_codes": [pack_lanes([row.codes[i] for row in trace.rows], CODE_BITS) for i in range(k)],
        "b_codes": [pack_lanes([w[i] for w in trace.weights], CODE_BITS) for i in range(k)],
        "out_acc": [pack_lanes(acc, config.unit.acc_bits) for acc in trace.acc],
    }


def _epilogue_fields(config: ArrayConfig) -> dict[str, Field]:
    return {
        "acc": Field(config.unit.acc_bits, config.cols),
        "row_scale": Field(TF32_BITS),
        "col_scale": Field(TF32_BITS, config.cols),
        "bias": Field(FP16_BITS, config.cols),
        "y": Field(FP16_BITS, config.cols, "out"),
    }


def _epilogue_beats(config: ArrayConfig, tile: TracedTile) -> Beats:
    trace, program = tile.trace, tile.program
    cols = slice(tile.spec.first_col, tile.spec.first_col + config.cols)
    rows = len(trace.rows)
    return {
        "acc": [pack_lanes(acc, config.unit.acc_bits) for acc in trace.acc],
        "row_scale": [row.row_scale for row in trace.rows],
        "col_scale": [pack_lanes(program.col_scale[cols].tolist(), TF32_BITS)] * rows,
        "bias": [pack_lanes(program.bias[cols].tolist(), FP16_BITS)] * rows,
        "y": [pack_lanes(y, FP16_BITS) for y in trace.y],
    }
