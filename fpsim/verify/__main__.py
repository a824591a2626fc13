"""Check one unit again, as a failure message says: python -m fpsim.verify mul --kind exhaustive --seed 0."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from fpsim.array.config import OPERAND_FORMATS, OVERFLOWS, ArrayConfig, UnitConfig
from fpsim.array.float_accumulator import FloatAccumulator
from fpsim.vectors.golden_set import read as read_golden
from fpsim.verify.job import Job
from fpsim.verify.runner import simulate
from fpsim.verify.top_unit import TOP_UNITS
from fpsim.verify.units import KINDS, UNIT_NAMES


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fpsim.verify", description=__doc__)
    standard = UnitConfig()
    parser.add_argument("unit", choices=(*UNIT_NAMES, *TOP_UNITS))
    parser.add_argument("--kind", choices=[kind for kind in KINDS if kind != "golden"], default="exhaustive")
    parser.add_argument("--golden", metavar="DIR", help="a golden set, in the configuration it was made for")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="fewer vectors")
    parser.add_argument("--rtl", metavar="DIR", help="folder of the SystemVerilog; default: the repository's")
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--cols", type=int, default=8)
    parser.add_argument("--formats", default=",".join(OPERAND_FORMATS))
    parser.add_argument("--acc-bits", type=int, default=standard.acc_bits)
    parser.add_argument("--guard-bits", type=int, default=standard.guard_bits)
    parser.add_argument("--hadamard-n", type=int, default=standard.hadamard_n)
    parser.add_argument(
        "--float-acc",
        default=str(standard.float_acc),
        help="accumulator of mac_float: format:specials:rounding:overflow:random bits; default: %(default)s",
    )
    parser.add_argument("--overflow", choices=OVERFLOWS, default=standard.overflow)
    parser.add_argument("--overlap", type=int, choices=(0, 1), default=int(standard.overlap))
    parser.add_argument("--product-cut", type=int, choices=(0, 1), default=int(standard.product_cut))
    parser.add_argument("--hadamard-cut", type=int, default=standard.hadamard_cut)
    return parser


def _job(options: argparse.Namespace) -> Job:
    if options.golden is not None:
        config = read_golden(options.golden).config
        return Job(options.unit, config, kinds=("golden",), golden=options.golden, rtl=options.rtl)
    formats = tuple(options.formats.split(","))
    unit = UnitConfig(
        formats,
        options.acc_bits,
        options.guard_bits,
        options.hadamard_n,
        options.overflow,
        bool(options.overlap),
        bool(options.product_cut),
        options.hadamard_cut,
        FloatAccumulator.parse(options.float_acc),
    )
    return Job(
        options.unit,
        ArrayConfig(options.rows, options.cols, unit),
        kinds=(options.kind,),
        seed=options.seed,
        quick=options.quick,
        rtl=options.rtl,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one kind of vectors of one unit; 0 if every bit was right, 1 with the failure if not."""
    try:
        run = simulate(_job(_parser().parse_args(arguments)))
    except (RuntimeError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for kind, count in run.vectors.items():
        print(f"{count} {kind} results compared in {run.cycles} cycles, {run.run_seconds:.1f} s: all equal")
    return 0


if __name__ == "__main__":
    sys.exit(main())
