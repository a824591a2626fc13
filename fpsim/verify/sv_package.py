"""rtl/fpsim_pkg.sv, generated: what the RTL must know about formats and configuration, typed nowhere else.

`python -m fpsim.verify.sv_package` writes the committed file; a test checks that it is fresh.
"""

from __future__ import annotations

from pathlib import Path

from fpsim.array.config import OPERAND_FORMATS, ArrayConfig
from fpsim.array.float_accumulator import OVERFLOWS, ROUNDINGS, SPECIALS
from fpsim.formats import Format, get

PACKAGE_PATH = Path(__file__).resolve().parents[2] / "rtl" / "fpsim_pkg.sv"

CODE_BITS = 4
UNIT_EXP_BITS = 8
LEVELS = 1 << (CODE_BITS - 1)
LARGEST_LOW = (1 << CODE_BITS) - 1
# What a beat does with the accumulator before it adds its product; the order is the code.
OPERATIONS = {
    "ADD": "acc + product",
    "CLEAR": "product: first beat of a tile",
    "SHIFT": "16 * acc + product: first beat of a lighter pass",
    "TAKE": "product, as CLEAR; the finished sum moves out",
}

# Which thresholds between levels i and i+1 send a tie up, to i+1: to the even code, i.e. i odd; E3M0 as
# the torch formula of LLM-FP4 rounds, all but the first. rtl/README.md, "Operand codes".
_TIE_UP_EVEN = sum(1 << i for i in range(LEVELS - 1) if (i + 1) % 2 == 0)
_TIE_UP = {"e3m0": sum(1 << i for i in range(1, LEVELS - 1))}


def levels(operand: Format) -> list[int]:
    """The quantizer's non-negative levels l_0 ... l_7 in units of the smallest step."""
    values = []
    for code in range(LEVELS):
        value = operand.value(code)
        assert not isinstance(value, str)
        units = value / operand.step
        assert units.denominator == 1
        values.append(int(units))
    return values


def tie_up_mask(operand: Format) -> int:
    """Bit i is 1 where a tie between the levels i and i+1 goes to i+1."""
    return _TIE_UP.get(operand.name, _TIE_UP_EVEN)


def largest_magnitude(operand: Format) -> int:
    """The largest magnitude of any code, in units; INT4 has -8."""
    return max(abs(_units(operand, code)) for code in range(operand.n_codes))


def significand_mask(operand: Format) -> int:
    """The bits that `sig` of a decoded code can have: its significand, for INT4 its magnitude."""
    bits = operand.man_bits + 1
    return (1 << bits) - 1


def shift_mask(operand: Format) -> int:
    """The bits that `shift` of a decoded code can have; 0 where the value is the significand itself."""
    largest_shift = max((1 << operand.exp_bits) - 2, 0)
    return (1 << largest_shift.bit_length()) - 1


def render(config: ArrayConfig) -> str:
    """The text of the package: format tables, port widths, and the defaults that `config` gives."""
    operands = [get(name) for name in OPERAND_FORMATS]
    magnitudes = [largest_magnitude(operand) for operand in operands]
    sig_bits = max(significand_mask(operand).bit_length() for operand in operands)
    shift_bits = max(shift_mask(operand).bit_length() for operand in operands)
    level_bits = max(max(levels(operand)) for operand in operands).bit_length()
    fmt_bits = (len(operands) - 1).bit_length()
    largest_product = max(magnitudes) ** 2
    parts = [
        _HEADER,
        _section("Operand formats: selectors; bit number in the parameter Formats"),
        _int("CODE_W", CODE_BITS, "one operand code"),
        _int("FMT_W", fmt_bits, "format selector"),
        *(
            f"  localparam logic [FMT_W-1:0] FMT_{operand.name.upper()} = {fmt_bits}'d{i};"
            for i, operand in enumerate(operands)
        ),
        _section("Decoded operand: value = (-1)^neg * sig * 2^shift, in units of the smallest step"),
        _int("SIG_W", sig_bits, "INT4 magnitude, 0 to 8; low nibble, 0 to 15"),
        _int("SHIFT_W", shift_bits, "E3M0 exponent field - 1, 0 to 6"),
        _int("OPERAND_W", 1 + sig_bits + shift_bits, "{neg, sig, shift}"),
        _int("PRODUCT_W", 1 + largest_product.bit_length(), f"sign, magnitude up to {largest_product}"),
        *(
            f"  localparam int LARGEST_{operand.name.upper()} = {magnitude};  // largest magnitude, units"
            for operand, magnitude in zip(operands, magnitudes, strict=True)
        ),
        _int("LARGEST_LOW", LARGEST_LOW, "the low nibble of a wider integer, which comes with INT4"),
        *_mask_table("SIG_BITS", "SIG_W", sig_bits, [significand_mask(o) for o in operands]),
        *_mask_table("SHIFT_BITS", "SHIFT_W", shift_bits, [shift_mask(o) for o in operands]),
        _section("Accumulator: what a beat does with it"),
        _int("OP_W", (len(OPERATIONS) - 1).bit_length(), "operation"),
        *(
            f"  localparam logic [OP_W-1:0] OP_{name} = 2'd{code};  // {meaning}"
            for code, (name, meaning) in enumerate(OPERATIONS.items())
        ),
        _section("Quantizer: levels l_i in units at LEVELS_*[i*LEVEL_W +: LEVEL_W]; ties that go up"),
        _int("LEVEL_COUNT", LEVELS, "magnitudes of a code"),
        _int("LEVEL_W", level_bits, f"largest level, {max(max(levels(o)) for o in operands)}"),
        *(_level_table(operand, level_bits) for operand in operands),
        *(
            f"  localparam logic [LEVEL_COUNT-2:0] TIE_UP_{operand.name.upper()} = "
            f"{LEVELS - 1}'b{tie_up_mask(operand):0{LEVELS - 1}b};"
            for operand in operands
        ),
        _section("Floating-point ports"),
        *_float_constants(get("fp16")),
        *_float_constants(get("tf32")),
        *_float_constants(get("fp32")),
        *_float_constants(get("ue4m3")),
        *_scale_constants(get("e8m0")),
        _section("Floating accumulators: their rounding, what lies beyond the range, their special codes"),
        *_choices("ROUND", ROUNDINGS),
        *_choices("OVERFLOW", OVERFLOWS),
        *_choices("SPECIALS", SPECIALS),
        _int("UNIT_EXP_W", UNIT_EXP_BITS, "exponent of a product's unit, signed"),
        _section("Defaults of the parameters"),
        *(_int(_upper(name), value, f"parameter {name}") for name, value in config.rtl_parameters().items()),
        _FUNCTIONS,
    ]
    return "\n".join(parts)


def write(path: Path = PACKAGE_PATH) -> None:
    """Write the package of the default configuration."""
    path.write_text(render(ArrayConfig()))


_HEADER = """\
// Generated by `python -m fpsim.verify.sv_package`; do not edit.
// What the units share: operand formats, port widths, quantizer tables, defaults.
// Sources: fpsim.formats, fpsim.array.config.

`default_nettype none

// No unit uses every constant.
// verilator lint_off UNUSEDPARAM

package fpsim_pkg;"""

_FUNCTIONS = """
  // ----- What a mask of formats leaves to build ---------------------------------------------------------

  // Whether a format is built in.
  function automatic logic has_format(input int formats, input logic [FMT_W-1:0] fmt);
    has_format = ((formats >> fmt) & 1) != 0;
  endfunction

  // Whether fmt selects the wanted format; with that one alone built in there is nothing to compare.
  function automatic logic is_format(
    input int formats, input logic [FMT_W-1:0] fmt, input logic [FMT_W-1:0] wanted
  );
    is_format = has_format(formats, wanted) && (formats == (1 << wanted) || fmt == wanted);
  endfunction

  // The bits of sig that some built-in format uses.
  function automatic logic [SIG_W-1:0] sig_mask(input int formats);
    sig_mask = '0;
    for (int i = 0; i < (1 << FMT_W); i++) begin
      if (((formats >> i) & 1) != 0) sig_mask = sig_mask | SIG_BITS[i*SIG_W +: SIG_W];
    end
  endfunction

  // The bits of shift that some built-in format uses.
  function automatic logic [SHIFT_W-1:0] shift_mask(input int formats);
    shift_mask = '0;
    for (int i = 0; i < (1 << FMT_W); i++) begin
      if (((formats >> i) & 1) != 0) shift_mask = shift_mask | SHIFT_BITS[i*SHIFT_W +: SHIFT_W];
    end
  endfunction

  // The largest magnitude of a built-in format, in units; with INT4 the low nibble counts too.
  function automatic int largest(input int formats);
    largest = 0;
LARGEST_LINES
  endfunction

  // Number of zeros below the lowest 1 of a positive constant.
  function automatic int trailing_zeros(input int x);
    trailing_zeros = 0;
    for (int i = 30; i >= 0; i--) begin
      if (((x >> i) & 1) != 0) trailing_zeros = i;
    end
  endfunction

endpackage

// verilator lint_on UNUSEDPARAM
`default_nettype wire
""".replace(
    "LARGEST_LINES",
    "\n".join(
        f"    if (has_format(formats, FMT_{name}) && LARGEST_{name} > largest) largest = LARGEST_{name};"
        for name in (operand.upper() for operand in OPERAND_FORMATS)
    )
    + "\n    if (has_format(formats, FMT_INT4) && LARGEST_LOW > largest) largest = LARGEST_LOW;",
)


def _units(operand: Format, code: int) -> int:
    value = operand.value(code)
    assert not isinstance(value, str)
    return int(value / operand.step)


def _section(title: str) -> str:
    return f"\n  // ----- {title} ".ljust(107, "-")


def _int(name: str, value: int, reason: str) -> str:
    return f"  localparam int {name} = {value};  // {reason}"


def _mask_table(name: str, width_name: str, width: int, masks: list[int]) -> list[str]:
    """A packed table over the selectors, selector 0 in the lowest bits."""
    entries = ", ".join(f"{width}'b{mask:0{width}b}" for mask in reversed(masks))
    size = f"[{len(masks)}*{width_name}-1:0]"
    return [f"  localparam logic {size} {name} = {{{entries}}};  // highest selector first"]


def _level_table(operand: Format, width: int) -> str:
    entries = ", ".join(f"{width}'d{level}" for level in reversed(levels(operand)))
    return f"  localparam logic [LEVEL_COUNT*LEVEL_W-1:0] LEVELS_{operand.name.upper()} = {{{entries}}};"


def _float_constants(spec: Format) -> list[str]:
    name = spec.name.upper()
    fields = "sign, exponent, significand" if spec.signed else "exponent, significand"
    lines = [
        _int(f"{name}_W", spec.bits, fields),
        _int(f"{name}_EXP_W", spec.exp_bits, "exponent field"),
        _int(f"{name}_MAN_W", spec.man_bits, "stored significand"),
        _int(f"{name}_BIAS", spec.bias, "exponent bias"),
    ]
    if spec.name == "fp16":
        largest = f"{spec.bits - 1}'h{spec.max_magnitude_code:X}"
        reason = f"magnitude bits of {spec.max_value}"
        lines.append(f"  localparam logic [{name}_W-2:0] {name}_MAX = {largest};  // {reason}")
    return lines


def _scale_constants(spec: Format) -> list[str]:
    name = spec.name.upper()
    return [
        _int(f"{name}_W", spec.bits, "exponent"),
        _int(f"{name}_BIAS", spec.bias, "exponent bias"),
    ]


def _choices(prefix: str, names: tuple[str, ...]) -> list[str]:
    """A number for each name, from 0 up, as the parameters of the modules take them."""
    return [
        _int(f"{prefix}_{name.upper()}", i, f"{prefix.lower()} = {name!r}") for i, name in enumerate(names)
    ]


def _upper(name: str) -> str:
    """HadamardN -> HADAMARD_N."""
    return "".join(f"_{c}" if c.isupper() and i else c for i, c in enumerate(name)).upper()


if __name__ == "__main__":
    write()
