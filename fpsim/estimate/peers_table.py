"""The table of peers: what they say, the same by our closed forms, what this machine does, and why it "
"differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fpsim.array.config import ArrayConfig
from fpsim.estimate.bandwidth import Memory
from fpsim.estimate.constants import load_constants
from fpsim.estimate.costs import find_units
from fpsim.estimate.dataflow import Product, cycles, folds, machine_cycles, scale_sim_cycles
from fpsim.estimate.estimate import estimate, total_cost
from fpsim.estimate.shapes import Layer, Operands
from fpsim.estimate.traffic import traffic

LIBRARY = "asap7"
OTHER_DATAFLOW = "this machine has no such array"
_SCALESIM_OS = (
    "theirs is the number of the last cycle, counted from 0; this machine fills and drains once, not per "
    "tile, and takes 3 cycles more to hand over the last rows"
)
_SCALESIM_OTHER = f"theirs is the number of the last cycle, counted from 0; {OTHER_DATAFLOW}"
_SCALESIM_SLOTS = "theirs counts R + C empty slots per tile as writes"
_ZIGZAG_CYCLES = (
    "theirs: activations through its DRAM port before it starts ({loading} cycles, in alike), {stall} "
    "stalls of its memories, the drain of {drain} (in alike) and {unloading} for the last results; ours: "
    "fill and drain, and no limit of memory"
)
_ZIGZAG_ENERGY = (
    "theirs is 0.04 pJ a multiply-accumulate whatever the width or the data (13.6 µJ of it) and its own "
    "table of memories; ours: {parts}, at 7 nm, DRAM at 8 pJ a bit against their 11"
)
_HWCOMPONENTS = (
    "theirs: multiplier (quadratic in the width), adder and registers at a fixed activity, scaled to the "
    "node; ours: the whole array's netlist with {wide}four formats' decoders and second registers, wires "
    "as heavy as pins"
)


@dataclass(frozen=True)
class PeerRow:
    """A line of the table; ours may be missing where this machine has nothing like it.

    Attributes:
        peer, what, unit: whose figure, of what, in which unit.
        theirs: their figure.
        alike: ours under their assumptions, from the closed forms.
        ours: what this machine does (from costs of `LIBRARY`, mid of the band).
        why: what the difference between theirs and ours comes from.
    """

    peer: str
    what: str
    unit: str
    theirs: float
    alike: float | None
    ours: float | None
    why: str


def peers_table(record: dict[str, Any]) -> list[PeerRow]:
    """Lines for everything in a file of peers (`fpsim.estimate.peers.load_peers`)."""
    return [
        *(row for run in record["scalesim"]["runs"] for row in _scalesim(run, _peer(record, "scalesim"))),
        *(row for run in record["zigzag"]["runs"] for row in _zigzag(run, _peer(record, "zigzag"))),
        *(_hwcomponents(mac, _peer(record, "hwcomponents")) for mac in record["hwcomponents"]["macs"]),
        *(
            _cacti(bank, _peer(record, "cacti"))
            for bank in record["cacti"]["banks"]
            if bank["device"] == "itrs-hp"
        ),
    ]


def markdown(rows: list[PeerRow]) -> str:
    """The table in Markdown."""
    lines = ["| peer | what | theirs | alike | ours | why |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {row.peer} | {row.what}, {row.unit} | {_number(row.theirs)} | {_number(row.alike)} "
        f"| {_number(row.ours)} | {row.why} |"
        for row in rows
    ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _peer(record: dict[str, Any], name: str) -> str:
    return ", ".join(f"{tool} {version}" for tool, version in record[name]["versions"].items())


def _case(run: dict[str, Any]) -> tuple[Product, ArrayConfig, str]:
    product, config = Product(run["m"], run["n"], run["k"]), ArrayConfig(run["rows"], run["cols"])
    return product, config, f"{run['m']}x{run['n']}x{run['k']} on {run['rows']}x{run['cols']}"


def _scalesim(run: dict[str, Any], peer: str) -> list[PeerRow]:
    (product, config, case), flow = _case(run), run["dataflow"]
    shape, is_ours = (config.rows, config.cols), flow == "os"
    words = traffic(flow, product, *shape)
    slots = folds(flow, product, *shape) * sum(shape) if is_ours else 0
    read = {"activation": words.activation.sram_read, "weight": words.weight.sram_read}
    return [
        PeerRow(
            peer,
            f"{flow} {case}",
            "cycles",
            run["cycles"],
            scale_sim_cycles(flow, product, *shape),
            machine_cycles(product, config) if is_ours else None,
            _SCALESIM_OS if is_ours else _SCALESIM_OTHER,
        ),
        *(
            PeerRow(
                peer,
                f"{flow} {case}: {operand}s read from SRAM",
                "words",
                run[f"sram_{operand}_read_words"],
                count,
                count if is_ours else None,
                "none" if is_ours else OTHER_DATAFLOW,
            )
            for operand, count in read.items()
        ),
        PeerRow(
            peer,
            f"{flow} {case}: outputs written to SRAM",
            "words",
            run["sram_output_written_words"],
            words.output.sram_written + slots,
            words.output.sram_written if is_ours else None,
            _SCALESIM_SLOTS if is_ours else OTHER_DATAFLOW,
        ),
    ]


def _zigzag(run: dict[str, Any], peer: str) -> list[PeerRow]:
    (product, config, case), flow, bits = _case(run), run["dataflow"], run["operand_bits"]
    drain = run["cycles"] - sum(
        run[f"{part}_cycles"] for part in ("ideal", "stall", "rounding", "loading", "unloading")
    )
    passes = (bits // 4) ** 2
    operands = Operands("int4" if passes > 1 else "e2m1", bits, bits, passes)
    layer = Layer("gemm", product.m, product.n, product.k, operands=operands)
    costs = estimate([layer], config, find_units(LIBRARY, config.unit))
    total = total_cost(costs, config)
    parts = ", ".join(
        f"{part} {band.mid / 1e6:.3g} µJ" for part, band in total.parts_pj.items() if band.mid > 1e5
    )
    wide = f"; {passes} passes of nibbles, theirs one of {bits} bits" if passes > 1 else ""
    what = f"{flow} {case}, {bits} bits"
    return [
        PeerRow(
            peer,
            what,
            "cycles",
            run["cycles"],
            cycles("os", product, config.rows, config.cols, overlap=True) + _activations_in(product, bits),
            total.cycles,
            _ZIGZAG_CYCLES.format(
                loading=run["loading_cycles"],
                stall=run["stall_cycles"],
                drain=drain,
                unloading=run["unloading_cycles"],
            )
            + wide,
        ),
        PeerRow(
            peer,
            f"{what}: energy",
            "µJ",
            run["energy_pj"] / 1e6,
            None,
            total.energy_pj.mid / 1e6,
            _ZIGZAG_ENERGY.format(parts=parts) + wide,
        ),
    ]


def _activations_in(product: Product, bits: int) -> int:
    """Cycles in which ZigZag's DRAM port of 64 bits brings the activations."""
    return Memory(dram_bytes_per_cycle=8).dram_cycles(product.m * product.k * bits)


def _hwcomponents(mac: dict[str, Any], peer: str) -> PeerRow:
    config, k = ArrayConfig(), 1152
    passes = (mac["operand_bits"] // 4) ** 2
    units = find_units(LIBRARY, config.unit)
    energy = units.array_energy(config, k * passes, 1, "gaussian", "int4").mid
    return PeerRow(
        peer,
        f"INT{mac['operand_bits']} multiply-accumulate at {mac['node_nm']} nm",
        "pJ",
        mac["multiply_pj"] + mac["add_pj"] + mac["registers_pj"],
        None,
        energy / (k * config.rows * config.cols),
        _HWCOMPONENTS.format(wide=f"{passes} passes of nibbles, " if passes > 1 else ""),
    )


def _cacti(bank: dict[str, Any], peer: str) -> PeerRow:
    ours = load_constants().bank(bank["size_bytes"], bank["node_nm"]).access.value
    return PeerRow(
        peer,
        f"{bank['size_bytes']} bytes at {bank['node_nm']} nm: read of 128 bits",
        "pJ",
        bank["read_pj"],
        ours.mid,
        ours.mid,
        f"none; a write is {bank['write_pj']:.4g} pJ, we charge a read",
    )
