"""Pillow: JPEG's own shrinking on load (draft), then Lanczos on the middle square."""

import numpy as np
import PIL
from decoding import runs
from PIL import Image, ImageOps


def version():
    return f"Pillow {PIL.__version__}"


def decode(path):
    with Image.open(path) as image:
        image.draft("RGB", (64, 64))
        return np.asarray(ImageOps.fit(image.convert("RGB"), (64, 64), Image.Resampling.LANCZOS))


def prepare(job, folder):
    return runs(decode, job, folder)
