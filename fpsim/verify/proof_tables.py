"""Tables for the proofs, written from the law: SystemVerilog that shares no line with the RTL."""

from __future__ import annotations

from collections.abc import Iterable

from fpsim.arith.decode import Operand, decode
from fpsim.arith.hadamard import hadamard_matrix
from fpsim.arith.mul import mul
from fpsim.array.config import OPERAND_FORMATS

LOW = "int4"  # whose selector low nibbles come under
SIG_BITS, SHIFT_BITS, PRODUCT_BITS = 4, 3, 14


def _bits(value: int, width: int) -> str:
    return f"{width}'h{value & ((1 << width) - 1):x}"


def _packed(operand: Operand) -> int:
    sign = int(operand.neg) << (SIG_BITS + SHIFT_BITS)
    return sign | operand.sig << SHIFT_BITS | operand.shift


def known_operands(formats: Iterable[str]) -> set[Operand]:
    """What the decoder can make of the codes of these formats, low nibbles of wider integers among them."""
    every = {decode(code, name) for name in formats for code in range(16)}
    return every | {decode(code, LOW, low=True) for code in range(16) if LOW in formats}


def decode_table() -> str:
    """The module `expected`: the operand of every code of every selector, as low nibble and not."""
    rows = [
        f"      {{1'd{low}, 2'd{selector}, {_bits(code, 4)}}}: "
        f"{{neg_o, sig_o, shift_o}} = {_bits(_packed(decode(code, name, low=bool(low and name == LOW))), 8)};"
        for low in range(2)
        for selector, name in enumerate(OPERAND_FORMATS)
        for code in range(16)
    ]
    return "\n".join(
        [
            "module expected (input logic low_i, input logic [1:0] fmt_i, input logic [3:0] code_i,",
            "  output logic neg_o, output logic [3:0] sig_o, output logic [2:0] shift_o);",
            "  always_comb begin",
            "    {neg_o, sig_o, shift_o} = 8'd0;",
            "    case ({low_i, fmt_i, code_i})",
            *rows,
            "      default: {neg_o, sig_o, shift_o} = 8'd0;",
            "    endcase",
            "  end",
            "endmodule",
            "",
        ]
    )


def product_table() -> str:
    """The module `expected`: the product of every two operands, and which words are operands."""
    operands = sorted(known_operands(OPERAND_FORMATS))
    rows = [line for a in operands for line in _products_of(a, operands)]
    return "\n".join(
        [
            "module expected (input logic [7:0] a_i, input logic [7:0] b_i,",
            "  output logic legal_o, output logic signed [13:0] product_o);",
            "  always_comb begin",
            "    legal_o   = 1'b1;",
            "    product_o = 14'd0;",
            "    case (a_i)",
            *rows,
            "      default: legal_o = 1'b0;",
            "    endcase",
            "  end",
            "endmodule",
            "",
        ]
    )


def _products_of(a: Operand, operands: list[Operand]) -> list[str]:
    # A case within a case: yosys makes a chain of each, and one long chain exhausts its stack.
    rows = [
        f"        {_bits(_packed(b), 8)}: product_o = {_bits(mul(a, b), PRODUCT_BITS)};" for b in operands
    ]
    begin = f"      {_bits(_packed(a), 8)}: case (b_i)"
    return [begin, *rows, "        default: legal_o = 1'b0;", "      endcase"]


def sign_table() -> str:
    """The module `expected`: where the matrix of base 1 (H12) or 2 (H36) has −1 in row i, column j."""
    rows = [
        f"      {{2'd{base}, 6'd{i}}}: row = 36'h{sum((entry < 0) << j for j, entry in enumerate(row)):x};"
        for base, order in ((1, 12), (2, 36))
        for i, row in enumerate(hadamard_matrix(order, order))
    ]
    return "\n".join(
        [
            "module expected (input logic [1:0] base_i, input logic [5:0] i_i, j_i, output logic minus_o);",
            "  logic [35:0] row;",
            "  always_comb begin",
            "    case ({base_i, i_i})",
            *rows,
            "      default: row = 36'd0;",
            "    endcase",
            "  end",
            "  assign minus_o = j_i < 36 && row[j_i];",
            "endmodule",
            "",
        ]
    )
