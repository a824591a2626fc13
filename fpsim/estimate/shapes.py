"""The matrix multiplications of a diffusion transformer, from its shape alone.

One forward pass of one sample; classifier-free guidance and sampling steps multiply it. Shapes as in
facebookresearch/DiT, models.py (ed81ce2); the digits model is fpsim.dit's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

Kind = Literal["linear", "attention", "modulation", "embedding"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Operands:
    """What the accelerator multiplies in a layer.

    Attributes:
        fmt: 4-bit format whose measured unit energies are taken; None: the estimate's own.
        activation_bits, weight_bits: width of a code.
        passes: passes over the 4-bit array; 8-bit operands go through it nibble by nibble.
        static: whether the activation scale is fixed before the run: no second pass over a row.
        rotated: whether rows pass the Hadamard engine.
        zero_points: whether activations or weights have zero points, so that sums are corrected.
        block, scale_bits: elements of K that share a scale, and its width; 0: none beside the row's and
            column's.
    """

    fmt: str | None = None
    activation_bits: int = 4
    weight_bits: int = 4
    passes: int = 1
    static: bool = False
    rotated: bool = True
    zero_points: bool = False
    block: int = 0
    scale_bits: int = 8


@dataclass(frozen=True)
class Layer:
    """`count` equal multiplications (M, K) @ (K, N).

    Attributes:
        name: its name in a block or in the model.
        m, n, k: M rows (tokens), N output channels, K inner dimension.
        count: how many of them one forward pass has.
        kind: "linear" (block linears: the array runs them, the others where it is asked to), "attention"
            (both of its products), "modulation" (adaLN), "embedding" (patches, timestep, text, final layer).
        operands: of a layer that the array runs.
        blocks: transformer blocks that the `count` belong to, so many to each; 0: to none.
    """

    name: str
    m: int
    n: int
    k: int
    count: int = 1
    kind: Kind = "linear"
    operands: Operands = Operands()
    blocks: int = 0

    def __post_init__(self) -> None:
        for field in ("m", "n", "k", "count"):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{self.name}: {field}={value!r}: expected an integer of at least 1")
        if self.blocks and self.count % self.blocks:
            raise ValueError(f"{self.name}: blocks={self.blocks}: expected a divisor of count={self.count}")

    @property
    def on_accelerator(self) -> bool:
        """Whether the array runs it unless it is asked for more."""
        return self.kind == "linear"

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all of them."""
        return self.m * self.n * self.k * self.count


class Shape(Protocol):
    """What a workload is: a name, the matrix multiplications of one forward pass, trained parameters."""

    @property
    def name(self) -> str:
        """As printed."""

    @property
    def layers(self) -> list[Layer]:
        """Every matrix multiplication of one forward pass."""

    @property
    def parameters(self) -> int:
        """Trained parameters."""


def total_macs(layers: list[Layer], kinds: tuple[Kind, ...] = ()) -> int:
    """Multiply-accumulates of the layers of these kinds, all kinds if none is named."""
    return sum(layer.macs for layer in layers if not kinds or layer.kind in kinds)


def trained_parameters(layers: list[Layer]) -> int:
    """A weight and a bias for each linear layer; attention's products have none."""
    return sum((layer.n * layer.k + layer.n) * layer.count for layer in layers if layer.kind != "attention")


@dataclass(frozen=True)
class ModelShape:
    """The shape of a DiT.

    Attributes:
        name: as printed.
        hidden, depth, heads: width of a token, blocks, attention heads.
        tokens: tokens of one sample.
        patch_in, patch_out: values of a patch going in and predicted.
        classes: rows of the label table (the null class included).
    """

    name: str
    hidden: int
    depth: int
    heads: int
    tokens: int
    patch_in: int
    patch_out: int
    classes: int

    TIME_FREQUENCIES = 256
    MLP_RATIO = 4

    @property
    def layers(self) -> list[Layer]:
        """Every matrix multiplication of one forward pass."""
        d, t, blocks, dh = self.hidden, self.tokens, self.depth, self.hidden // self.heads
        per_head = self.depth * self.heads
        return [
            Layer("x_embedder", t, d, self.patch_in, kind="embedding"),
            Layer("t_embedder.0", 1, d, self.TIME_FREQUENCIES, kind="embedding"),
            Layer("t_embedder.2", 1, d, d, kind="embedding"),
            Layer("adaLN", 1, 6 * d, d, blocks, "modulation", blocks=blocks),
            Layer("attn.qkv", t, 3 * d, d, blocks, blocks=blocks),
            Layer("attn.qk", t, t, dh, per_head, "attention", blocks=blocks),
            Layer("attn.pv", t, dh, t, per_head, "attention", blocks=blocks),
            Layer("attn.proj", t, d, d, blocks, blocks=blocks),
            Layer("mlp.fc1", t, self.MLP_RATIO * d, d, blocks, blocks=blocks),
            Layer("mlp.fc2", t, d, self.MLP_RATIO * d, blocks, blocks=blocks),
            Layer("final.adaLN", 1, 2 * d, d, kind="embedding"),
            Layer("final.linear", t, self.patch_out, d, kind="embedding"),
        ]

    @property
    def parameters(self) -> int:
        """Trained parameters: a weight and a bias for each linear layer, and the label table."""
        return trained_parameters(self.layers) + self.classes * self.hidden

    def macs(self, *kinds: Kind) -> int:
        """Multiply-accumulates of the layers of these kinds, all kinds if none is named."""
        return total_macs(self.layers, kinds)


_SIZES = {"S": (384, 12, 6), "B": (768, 12, 12), "L": (1024, 24, 16), "XL": (1152, 28, 16)}
LATENT_CHANNELS, LATENT_FACTOR, _IMAGENET_CLASSES = 4, 8, 1000


def dit(size: str, patch: int, image: int) -> ModelShape:
    """A DiT of the paper, for instance dit("XL", 2, 256): tokens (image / 8 / patch)².

    The noise and its variance are predicted, hence twice the channels out.

    Raises:
        ValueError: an unknown size, or a patch that does not divide the latent's side.
    """
    if size not in _SIZES:
        raise ValueError(f"size={size!r}: expected one of {', '.join(_SIZES)}")
    if image % (LATENT_FACTOR * patch):
        raise ValueError(
            f"image={image}, patch={patch}: expected an image of whole patches of 8 x patch pixels"
        )
    hidden, depth, heads = _SIZES[size]
    values = patch * patch * LATENT_CHANNELS
    return ModelShape(
        name=f"DiT-{size}/{patch} at {image} px",
        hidden=hidden,
        depth=depth,
        heads=heads,
        tokens=(image // LATENT_FACTOR // patch) ** 2,
        patch_in=values,
        patch_out=2 * values,
        classes=_IMAGENET_CLASSES + 1,
    )


def digits() -> ModelShape:
    """The embedded digits model: 8 x 8 pixels, patches of 2, predicts the noise only."""
    return ModelShape("digits DiT", 96, 6, 3, 16, 4, 4, 11)


def glyphs() -> ModelShape:
    """The embedded glyphs model: 16 x 16 pixels, patches of 4, 26 letters; else as `digits`."""
    return ModelShape("glyphs DiT", 96, 6, 3, 16, 16, 16, 27)
