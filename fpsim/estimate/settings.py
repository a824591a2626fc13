"""Everything that an estimate can be told, with its defaults; what is not legal is refused by name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from fpsim.array.config import NIBBLE_BITS, ArrayConfig, UnitConfig
from fpsim.estimate.bandwidth import Memory
from fpsim.estimate.estimate import ON_ARRAY
from fpsim.estimate.shapes import KINDS, Kind, Layer, Operands
from fpsim.estimate.traffic import Sram

STIMULI = ("gaussian", "uniform", "file")
WIDTHS = (4, 6, 8)
NIBBLES = "int4"  # whose unit energies wider operands are charged with, pass by pass
MOST_STEPS, MOST_SIDE = 1000, 8192


@dataclass(frozen=True)
class OperandSettings:
    """What the array multiplies.

    Attributes:
        format: 4-bit format: e2m1, e3m0, e1m2, int4. Wider operands are integers.
        activation_bits, weight_bits: 4, 6 or 8; more than 4 take passes of nibbles.
        static: whether scales of activations are fixed before the run.
        rotated: whether rows pass the Hadamard engine.
        zero_points: whether activations or weights have zero points; integers only.
        block: elements that share a block scale (MX 32, NVFP4 16); 0: no block scales.
        scale_bits: width of a block scale, 1 to 32.
    """

    format: str = "e2m1"
    activation_bits: int = 4
    weight_bits: int = 4
    static: bool = False
    rotated: bool = True
    zero_points: bool = False
    block: int = 0
    scale_bits: int = 8

    def __post_init__(self) -> None:
        _check_text("format", self.format)
        for name in ("activation_bits", "weight_bits"):
            if getattr(self, name) not in WIDTHS or isinstance(getattr(self, name), bool):
                raise ValueError(f"{name}={getattr(self, name)!r}: expected one of 4, 6, 8")
        for name in ("static", "rotated", "zero_points"):
            _check_flag(name, getattr(self, name))
        _check_integer("block", self.block, 0, 4096)
        _check_integer("scale_bits", self.scale_bits, 1, 32)

    def check(self, unit: UnitConfig) -> None:
        """Raise ValueError unless units built like this multiply such operands."""
        for name, bits in (("activation_bits", self.activation_bits), ("weight_bits", self.weight_bits)):
            narrow = bits == NIBBLE_BITS
            try:
                unit.operand_format(self.format if narrow else f"int{bits}")
            except ValueError as error:
                field = f"format={self.format!r}" if narrow else f"{name}={bits}"
                raise ValueError(f"{field}: {str(error).partition(': ')[2]}") from error
        floating = NIBBLE_BITS in (self.activation_bits, self.weight_bits) and self.format != NIBBLES
        if self.zero_points and (floating or not unit.wide):
            raise ValueError("zero_points=True: expected false, or integers on a machine whose sums wrap")

    def operands(self) -> Operands:
        """The same as a layer has it."""
        passes = -(-self.activation_bits // NIBBLE_BITS) * -(-self.weight_bits // NIBBLE_BITS)
        return Operands(
            fmt=self.format if passes == 1 else NIBBLES,
            activation_bits=self.activation_bits,
            weight_bits=self.weight_bits,
            passes=passes,
            static=self.static,
            rotated=self.rotated,
            zero_points=self.zero_points,
            block=self.block,
            scale_bits=self.scale_bits,
        )


@dataclass(frozen=True)
class SramSettings:
    """SRAM of each operand, for the words of the dataflows; none: everything fits.

    Attributes:
        activation_bytes, weight_bytes, output_bytes: capacity. Of weights one of two buffers.
    """

    activation_bytes: int | None = None
    weight_bytes: int | None = None
    output_bytes: int | None = None

    def __post_init__(self) -> None:
        for name in ("activation_bytes", "weight_bytes", "output_bytes"):
            if getattr(self, name) is not None:
                _check_integer(name, getattr(self, name), 1, 1 << 40)

    def words(self, operands: Operands, sum_bits: int) -> Sram:
        """Codes and sums that fit."""

        def fit(size: int | None, bits: int) -> int | None:
            return None if size is None else size * 8 // bits

        return Sram(
            fit(self.activation_bytes, operands.activation_bits),
            fit(self.weight_bytes, operands.weight_bits),
            fit(self.output_bytes, sum_bits),
        )


@dataclass(frozen=True)
class MemorySettings(Memory):
    """What the memories deliver, and whether activations lie in DRAM between layers."""

    activations_in_dram: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_flag("double_buffered", self.double_buffered)
        _check_flag("activations_in_dram", self.activations_in_dram)


@dataclass(frozen=True)
class Settings:
    """An estimate.

    Attributes:
        model: name of a model (`fpsim.demo.models`).
        resolution: side of an image in pixels, for models of several sizes.
        frames: frames of a video; None: the model's own.
        steps: sampler steps of an image, 1 to 1000.
        guidance: classifier-free guidance, two forward passes a step.
        library: characterized cell library.
        units: file of unit costs instead; None: the committed ones.
        clock_mhz: clock, for the leakage.
        stimulus: data whose unit energies are taken: gaussian, uniform or file.
        activity: recipe of an embedded model; array and Hadamard engine then take what its codes were
            measured to make them take (`fpsim.estimate.activity_model`).
        on_array: kinds of layers that the array runs: linear, attention, modulation, embedding.
        config: the accelerator.
        operands: of every layer that `layers` does not name.
        layers: name of a layer, or a pattern with *, to its operands; the last one that fits holds.
        memory: what the memories deliver.
        sram: what fits into them.
    """

    model: str = "dit-xl/2"
    resolution: int = 256
    frames: int | None = None
    steps: int = 1
    guidance: bool = False
    library: str = "asap7"
    units: Path | None = None
    clock_mhz: float = 100.0
    stimulus: str = "gaussian"
    activity: str | None = None
    on_array: tuple[Kind, ...] = ON_ARRAY
    config: ArrayConfig = field(default_factory=ArrayConfig)
    operands: OperandSettings = field(default_factory=OperandSettings)
    layers: dict[str, OperandSettings] = field(default_factory=dict)
    memory: MemorySettings = field(default_factory=MemorySettings)
    sram: SramSettings = field(default_factory=SramSettings)

    def __post_init__(self) -> None:
        _check_text("model", self.model)
        _check_text("library", self.library)
        _check_integer("resolution", self.resolution, 1, MOST_SIDE)
        if self.frames is not None:
            _check_integer("frames", self.frames, 2, 1024)
        _check_integer("steps", self.steps, 1, MOST_STEPS)
        _check_flag("guidance", self.guidance)
        number = isinstance(self.clock_mhz, int | float) and not isinstance(self.clock_mhz, bool)
        if not number or not 0 < self.clock_mhz <= 1e5:
            raise ValueError(f"clock_mhz={self.clock_mhz!r}: expected a number above 0, at most 100000")
        if self.stimulus not in STIMULI:
            raise ValueError(f"stimulus={self.stimulus!r}: expected one of {', '.join(STIMULI)}")
        if self.activity is not None:
            _check_text("activity", self.activity)
            if self.stimulus != "gaussian":
                raise ValueError(f"activity={self.activity!r}: expected none with stimulus={self.stimulus!r}")
        unknown = [kind for kind in self.on_array if kind not in KINDS]
        if unknown or not self.on_array or len(set(self.on_array)) != len(self.on_array):
            raise ValueError(
                f"on_array={list(self.on_array)!r}: expected distinct kinds out of {', '.join(KINDS)}"
            )

    @property
    def passes_per_image(self) -> int:
        """Forward passes of an image: steps, twice with guidance."""
        return self.steps * (2 if self.guidance else 1)

    def dressed(self, layers: list[Layer]) -> list[Layer]:
        """The layers with their operands.

        Raises:
            ValueError: a format or width that the accelerator is not built with, a pattern that fits no
                layer.
        """
        for pattern in self.layers:
            if not any(fnmatchcase(layer.name, pattern) for layer in layers):
                names = ", ".join(layer.name for layer in layers)
                raise ValueError(f"layers: {pattern!r} fits no layer of the model; it has {names}")
        return [replace(layer, operands=self._operands(layer.name)) for layer in layers]

    def _operands(self, name: str) -> Operands:
        fitting = [chosen for pattern, chosen in self.layers.items() if fnmatchcase(name, pattern)]
        chosen = fitting[-1] if fitting else self.operands
        chosen.check(self.config.unit)
        return chosen.operands()


def _check_integer(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name}={value!r}: expected an integer from {low} to {high}")


def _check_flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{name}={value!r}: expected true or false")


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name}={value!r}: expected a name")
