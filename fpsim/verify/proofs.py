"""What is proved of the RTL, for all inputs: a catalogue, and the run over it.

Every entry names its sizes (nothing else is proved) and a fault that the same proof must refute: a proof that
holds whatever the RTL says, as one with contradictory assumptions does, is found out by its twin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fpsim.verify.faults import FAULTS
from fpsim.verify.proof import Proof, ProofResult, prove, refute_twin, twin
from fpsim.verify.proof_tables import decode_table, product_table
from fpsim.verify.proofs_rows import ROW_PROOFS
from fpsim.verify.proofs_top import TOP_PROOFS

_FAULT = {fault.name: fault for fault in FAULTS}
Progress = Callable[[str, int, int], None]


def _queue_proof(depth: int) -> Proof:
    words = {f"words_q[{2 * i + 1}:{2 * i}]": f"dut.words_q[{i}]" for i in range(depth)}
    registers = {name: f"dut.{name}" for name in ("count_q", "read_q", "write_q")}
    return Proof(
        f"fifo-depth-{depth}",
        ("fpsim_fifo",),
        "no word is lost, doubled or reordered; what is offered stays until it is taken",
        "fifo",
        {"W": 2, "Depth": depth},
        _FAULT["fifo-index"] if depth > 1 else _FIFO_OVERRUN,
        steps=depth + 3,
        probes={**words, **registers},
    )


_FIFO_OVERRUN = twin("fifo", "in_valid_i && in_ready_o", "in_valid_i", "a full queue takes a word")
_CARRY = twin("mul_radix4", "sum[d-1] + row[d]", "sum[d-1] | row[d]", "digits are joined without carries")
_STICKY = twin("shift_jam", "|level[s][STEP:0]}", "|level[s][STEP:1]}", "the lowest bit is not jammed")


def _radix4(name: str, a: int, b: int, out: int, *, heavy: bool = False) -> Proof:
    return Proof(
        name,
        ("fpsim_mul_radix4",),
        "the product, or its low bits, for every pair",
        "mul_radix4",
        {"AW": a, "BW": b, "OutW": out},
        _CARRY,
        heavy=heavy,
    )


def _shift_jam(name: str, x: int, y: int, distance: int, *, heavy: bool = False) -> Proof:
    return Proof(
        name,
        ("fpsim_shift_jam",),
        "a shift whose lost bits stay as the lowest one; overflow where a bit is above the output",
        "shift_jam",
        {"InW": x, "OutW": y, "DistanceW": distance},
        _STICKY,
        heavy=heavy,
    )


def _array_handshake(name: str, overlap: int) -> Proof:
    return Proof(
        name,
        ("fpsim_mac_array",),
        "a row on offer stays, accumulators and last mark with it; a tile's rows leave without a gap",
        "mac_array",
        {"Rows": 2, "Cols": 2, "AccW": 9, "Overlap": overlap},
        twin(
            "mac_array_control",
            "if (out_ready_i) begin count_d",
            "if (out_ready_i || count_q == '0) begin count_d",
            "row 0 does not wait",
        ),
        steps=12,
        probes={register: f"dut.u_control.{register}" for register in ("count_q", "state_q")},
    )


PROOFS = (
    Proof(
        "decode",
        ("fpsim_decode",),
        "the law's operand of every code of every selector",
        "decode",
        {"Formats": 15},
        _FAULT["decode-entry"],
        generated=decode_table,
    ),
    Proof(
        "mul",
        ("fpsim_mul",),
        "the law's product of every two operands",
        "mul",
        {"Formats": 15},
        _FAULT["mul-sign"],
        generated=product_table,
    ),
    Proof(
        "mac",
        ("fpsim_mac",),
        "the sum of the law's products since the first one, 16-fold at every shift, modulo 2^AccW",
        "mac",
        {"AccW": 26, "Formats": 15},
        twin("mac", "hold = !first && !shift;", "hold = !shift;", "the first product is added, too"),
        steps=4,
        generated=product_table,
    ),
    _radix4("mul-radix4-6x5", 6, 5, 11),
    _radix4("mul-radix4-7x4-low", 7, 4, 9),
    _radix4("mul-radix4-8x7", 8, 7, 15, heavy=True),
    _shift_jam("shift-jam-12-6", 12, 6, 4),
    _shift_jam("shift-jam-align", 17, 17, 5),
    _shift_jam("shift-jam-epilogue", 90, 43, 7, heavy=True),
    Proof(
        "max",
        ("fpsim_max",),
        "one of the numbers, and none is larger",
        "max",
        {"Lanes": 5, "W": 8},
        twin("max", "node[2*i+1] > node[2*i+2] ?", "node[2*i+1] < node[2*i+2] ?", "the smaller one wins"),
    ),
    Proof(
        "amax",
        ("fpsim_amax",),
        "the magnitude of one of the integers, and none is larger",
        "amax",
        {"Lanes": 3, "W": 13},
        _FAULT["amax-negative"],
    ),
    Proof(
        "butterfly",
        ("fpsim_butterfly",),
        "a + b and a − b, or a and b",
        "butterfly",
        {"W": 16},
        _FAULT["hadamard-negation"],
    ),
    Proof(
        "align-lane",
        ("fpsim_align_lane",),
        "the contract's integer of every FP16 pattern under every exponent from 1 to 30",
        "align_lane",
        {"GuardBits": 4},
        _FAULT["align-tie"],
    ),
    Proof(
        "row-scale",
        ("fpsim_row_scale",),
        "the contract's amplitude and scale of every amax up to 2^(W−1) under every exponent from 1 to 30",
        "row_scale",
        {"GuardBits": 4, "W": 21},
        _FAULT["row-scale-tie"],
    ),
    Proof(
        "fixed-to-fp16",
        ("fpsim_fixed_to_fp16",),
        "the nearest FP16 number, ties to even, of every fixed-point number but the lowest",
        "fixed_to_fp16",
        {"W": 46},
        _FAULT["epilogue-tie"],
    ),
    Proof(
        "quantizer-6",
        ("fpsim_quantizer_thresholds", "fpsim_quantizer_lane"),
        "the contract's code for every integer, amplitude and format",
        "quantizer",
        {"W": 6},
        _FAULT["quantizer-tie"],
    ),
    # Together they say the same as quantizer-6, of every width that is built by default.
    Proof(
        "quantizer-thresholds",
        ("fpsim_quantizer_thresholds",),
        "a scaled magnitude reaches a threshold where the contract's comparison holds; thresholds ascend",
        "quantizer_thresholds",
        {"W": 21},
        _FAULT["quantizer-level"],
        solver="bitwuzla",
        heavy=True,
    ),
    Proof(
        "quantizer-lane",
        ("fpsim_quantizer_lane",),
        "the code of the number of thresholds reached, for any ascending thresholds",
        "quantizer_lane",
        {"W": 21},
        twin(
            "quantizer_lane",
            "reached[1] & ~reached[3] | reached[5]",
            "reached[1] | reached[5]",
            "index 4 has the bit of index 2",
        ),
        solver="bitwuzla",
        heavy=True,
    ),
    Proof(
        "delay",
        ("fpsim_delay",),
        "the word of Depth cycles ago",
        "delay",
        {"W": 2, "Depth": 3},
        twin("delay", "q_o = line_q[Depth*W-1 -: W]", "q_o = line_d[Depth*W-1 -: W]", "one cycle too few"),
        steps=6,
    ),
    Proof(
        "pipeline-control",
        ("fpsim_pipeline_control",),
        "no beat is lost, doubled or reordered; what is offered stays until it is taken; gaps close",
        "pipeline_control",
        {"Stages": 4, "W": 2},
        _FAULT["pipeline-overrun"],
        steps=10,
        probes={"valid_q": "dut.valid_q"},
    ),
    *map(_queue_proof, (1, 2, 3, 4)),
    Proof(
        "skid",
        ("fpsim_skid",),
        "no word is lost, doubled or reordered; what is offered stays until it is taken",
        "skid",
        {"W": 2},
        _FAULT["skid-spare"],
        steps=8,
        probes={name: f"dut.{name}" for name in ("valid_q", "spare_q", "spare_word_q")},
    ),
    _array_handshake("mac-array-handshake", overlap=1),
    _array_handshake("mac-array-handshake-one-tile", overlap=0),
    *ROW_PROOFS,
    *TOP_PROOFS,
)
PROOF_NAMES = tuple(proof.name for proof in PROOFS)


@dataclass(frozen=True)
class CheckedProof:
    """A proof and its twin.

    Attributes:
        proof: what was claimed, for which sizes.
        result: of the RTL; must be "proved".
        twin: of our RTL with the proof's fault; must be "refuted".
    """

    proof: Proof
    result: ProofResult
    twin: ProofResult

    @property
    def passed(self) -> bool:
        """The RTL is right for all inputs, and a wrong one would have been noticed."""
        return self.result.verdict == "proved" and self.twin.verdict == "refuted"


def proof(name: str) -> Proof:
    """The proof of that name; ValueError lists the known names."""
    for known in PROOFS:
        if known.name == name:
            return known
    raise ValueError(f"proof={name!r}: expected one of {', '.join(PROOF_NAMES)}")


def check_proof(name: str, rtl: Path | None = None) -> CheckedProof:
    """Prove one property, and refute its twin.

    Raises:
        ValueError: an unknown name.
        ToolMissing, YosysError: see `fpsim.verify.proof.prove`.
    """
    known = proof(name)
    return CheckedProof(known, prove(known, rtl), refute_twin(known))


def run_proofs(
    names: Sequence[str] | None = None,
    *,
    quick: bool = False,
    rtl: Path | None = None,
    progress: Progress = lambda what, done, total: None,
) -> list[CheckedProof]:
    """Check proofs one after the other.

    Args:
        names: of proofs; None: all.
        quick: leave out those that take more than some seconds.
        rtl: folder of the SystemVerilog; None: the repository's own.
        progress: called with (what, proofs done, proofs in all).

    Returns:
        One result per proof. A proof that fails is a result, not an exception.

    Raises:
        ValueError: an unknown name.
        ToolMissing, YosysError: see `fpsim.verify.proof.prove`.
    """
    wanted = [proof(name) for name in (PROOF_NAMES if names is None else names)]
    chosen = [known for known in wanted if not (quick and known.heavy)]
    results = []
    for done, known in enumerate(chosen):
        progress(known.name, done, len(chosen))
        results.append(check_proof(known.name, rtl))
    progress("proofs", len(chosen), len(chosen))
    return results
