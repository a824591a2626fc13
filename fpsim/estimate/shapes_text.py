"""Diffusion transformers that read a text, from their shapes: PixArt-alpha and -sigma, STDiT (Open-Sora).

A block attends to its own tokens, in a video to the same place of every frame too, and to the text's tokens;
one modulation for all blocks. Shapes as in
    PixArt-alpha  github.com/PixArt-alpha/PixArt-alpha, diffusion/model/nets/PixArt.py (0d29cbd),
                  PixArt_blocks.py (3dd1ca0): 120 text tokens of 4096 values; 0.6 B parameters (README,
                  00c8348)
    PixArt-sigma  github.com/PixArt-alpha/PixArt-sigma, diffusion/model/nets/PixArtMS.py (3de0cab),
                  configs/pixart_sigma_config/PixArt_sigma_xl2_img1024_internalms.py (82164a5): 300 text
                  tokens; keys and values as they are (the 2K model's compression of them is left out)
    STDiT         github.com/hpcaitech/Open-Sora, opensora/models/stdit/stdit.py (04ddc76),
                  configs/opensora/inference/16x512x512.py (0a10e6c): 16 frames, 120 text tokens; 724 M
                  parameters, 580 M before the temporal attention (docs/report_01.md, 0dc7e85), which are
                  millions of 2^20
One forward pass of one sample; the text is read at its longest, padding included, in every one, as the code
does.
"""

from __future__ import annotations

from dataclasses import dataclass

from fpsim.estimate.shapes import LATENT_CHANNELS, LATENT_FACTOR, Kind, Layer, total_macs, trained_parameters

CAPTION_CHANNELS = 4096  # T5-XXL
_PATCH = 2
_VALUES = _PATCH * _PATCH * LATENT_CHANNELS
_ALPHA_TEXT, _SIGMA_TEXT, _STDIT_TEXT = 120, 300, 120
_MICRO_FROM = 1024  # px: from here on PixArt-alpha is told the image's size and aspect ratio


@dataclass(frozen=True)
class TextShape:
    """The shape of a diffusion transformer with cross-attention.

    Attributes:
        name: as printed.
        tokens: tokens of one frame.
        text_tokens: tokens of the text.
        frames: frames of a video; 1: an image, and no temporal attention.
        hidden, depth, heads: width of a token, blocks, attention heads.
        size_embedders: whether the model is told the image's size and aspect ratio.
    """

    name: str
    tokens: int
    text_tokens: int
    frames: int = 1
    hidden: int = 1152
    depth: int = 28
    heads: int = 16
    size_embedders: bool = False

    TIME_FREQUENCIES = 256
    MLP_RATIO = 4

    @property
    def layers(self) -> list[Layer]:
        """Every matrix multiplication of one forward pass."""
        d, text = self.hidden, self.text_tokens
        every = self.tokens * self.frames
        return [
            Layer("x_embedder", every, d, _VALUES, kind="embedding"),
            Layer("t_embedder.0", 1, d, self.TIME_FREQUENCIES, kind="embedding"),
            Layer("t_embedder.2", 1, d, d, kind="embedding"),
            *self._size_embedders(),
            Layer("y_embedder.fc1", text, d, CAPTION_CHANNELS, kind="embedding"),
            Layer("y_embedder.fc2", text, d, d, kind="embedding"),
            Layer("t_block", 1, 6 * d, d, kind="modulation"),
            *self._self_attention("attn", self.tokens, self.frames),
            *(self._self_attention("attn_temp", self.frames, self.tokens) if self.frames > 1 else []),
            self._linear("cross_attn.q", every, d, d),
            self._linear("cross_attn.kv", text, 2 * d, d),
            *self._products("cross_attn", every, text, 1),
            self._linear("cross_attn.proj", every, d, d),
            self._linear("mlp.fc1", every, self.MLP_RATIO * d, d),
            self._linear("mlp.fc2", every, d, self.MLP_RATIO * d),
            Layer("final.linear", every, 2 * _VALUES, d, kind="embedding"),
        ]

    @property
    def parameters(self) -> int:
        """Trained parameters: of the linears; six rows per block and two at the end join the modulation."""
        return trained_parameters(self.layers) + (6 * self.depth + 2) * self.hidden

    def macs(self, *kinds: Kind) -> int:
        """Multiply-accumulates of the layers of these kinds, all kinds if none is named."""
        return total_macs(self.layers, kinds)

    def _linear(self, name: str, m: int, n: int, k: int) -> Layer:
        return Layer(name, m, n, k, self.depth, blocks=self.depth)

    def _self_attention(self, name: str, tokens: int, times: int) -> list[Layer]:
        d, every = self.hidden, tokens * times
        return [
            self._linear(f"{name}.qkv", every, 3 * d, d),
            *self._products(name, tokens, tokens, times),
            self._linear(f"{name}.proj", every, d, d),
        ]

    def _products(self, name: str, queries: int, keys: int, times: int) -> list[Layer]:
        width, count = self.hidden // self.heads, times * self.heads * self.depth
        return [
            Layer(f"{name}.qk", queries, keys, width, count, "attention", blocks=self.depth),
            Layer(f"{name}.pv", queries, width, keys, count, "attention", blocks=self.depth),
        ]

    def _size_embedders(self) -> list[Layer]:
        """Height and width through one embedder, the aspect ratio through another, a third of a token."""
        if not self.size_embedders:
            return []
        third = self.hidden // 3
        return [
            Layer(f"{name}.{index}", rows, third, k, kind="embedding")
            for name, rows in (("csize_embedder", 2), ("ar_embedder", 1))
            for index, k in ((0, self.TIME_FREQUENCIES), (2, third))
        ]


def pixart_alpha(image: int) -> TextShape:
    """PixArt-alpha XL/2. ValueError for an image that is not of whole patches of 16 pixels."""
    return TextShape(
        f"PixArt-alpha at {image} px", _tokens(image), _ALPHA_TEXT, size_embedders=image >= _MICRO_FROM
    )


def pixart_sigma(image: int) -> TextShape:
    """PixArt-sigma XL/2. ValueError for an image that is not of whole patches of 16 pixels."""
    return TextShape(f"PixArt-sigma at {image} px", _tokens(image), _SIGMA_TEXT)


def stdit(image: int, frames: int = 16) -> TextShape:
    """STDiT-XL/2 of Open-Sora 1.0.

    Args:
        image: side of a frame in pixels.
        frames: frames, at least 2.

    Raises:
        ValueError: a frame that is not of whole patches of 16 pixels, fewer than 2 frames.
    """
    if isinstance(frames, bool) or not isinstance(frames, int) or frames < 2:
        raise ValueError(f"frames={frames!r}: expected an integer of at least 2")
    return TextShape(f"STDiT-XL/2, {frames} frames at {image} px", _tokens(image), _STDIT_TEXT, frames)


def _tokens(image: int) -> int:
    side = LATENT_FACTOR * _PATCH
    if isinstance(image, bool) or not isinstance(image, int) or image < side or image % side:
        raise ValueError(f"image={image!r}: expected whole patches of {side} pixels")
    return (image // side) ** 2
