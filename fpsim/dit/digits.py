"""The training data: scikit-learn's 8x8 digits, the UCI Optical Recognition of Handwritten Digits test set.

Only training and evaluation of the checkpoint need it; everything else runs from the committed files.
"""

from __future__ import annotations

import numpy as np

from fpsim.dit.dataset import DataSet

TEST_IMAGES = 360
SPLIT_SEED = 0


def load_digits() -> DataSet:
    """Load and split the digits: stratified, seed 0, pixel `p` in 0..16 becomes `p / 8 - 1`.

    Returns:
        1437 training and 360 test images (1, 8, 8), -1 is paper and 1 is ink, with labels 0 to 9.

    Raises:
        ModuleNotFoundError: if scikit-learn is not installed, with the way to get it.
    """
    try:
        from sklearn.datasets import load_digits as load
        from sklearn.model_selection import train_test_split
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'the digits come with scikit-learn, which is not installed: pip install "fpsim[train]"'
        ) from error
    pixels, labels = load(return_X_y=True)
    images = (pixels / 8 - 1).astype(np.float32).reshape(-1, 1, 8, 8)
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels.astype(np.int64), test_size=TEST_IMAGES, stratify=labels, random_state=SPLIT_SEED
    )
    return DataSet(train_x, train_y, test_x, test_y)
