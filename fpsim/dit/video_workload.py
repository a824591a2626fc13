"""A trained video model, loaded as what it is."""

from __future__ import annotations

from pathlib import Path

from fpsim.dit.checkpoint import load_trained
from fpsim.dit.files import DATA_DIR
from fpsim.dit.video_model import VideoDiT


def load_video_dit(domain: str = "video", directory: Path = DATA_DIR) -> tuple[VideoDiT, dict[str, str]]:
    """Load the trained model of a video domain, as `fpsim.dit.checkpoint.load_trained`.

    Args:
        domain: a video domain.
        directory: folder with the checkpoint and its manifest.

    Returns:
        The model in FP32, in evaluation mode, without gradients, and the metadata of its training.

    Raises:
        ValueError: an unknown domain, or one whose model is no `VideoDiT`.
        DataFileError: if a file is missing, truncated or altered; says how to get it back.
    """
    model, metadata = load_trained(domain, directory)
    if not isinstance(model, VideoDiT):
        raise ValueError(f"domain={domain!r}: its model is a {type(model).__name__}, expected a VideoDiT")
    return model, metadata
