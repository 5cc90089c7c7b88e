"""OpenCV: imread, shrunk on load, then the mean over areas (its Lanczos does not smooth when it shrinks)."""

import cv2
import numpy as np
from decoding import runs

cv2.setNumThreads(1)  # a thread a picture


def version():
    return f"OpenCV {cv2.__version__}"


# as far as sharp shrinks on load, to the next size above 64
FLAGS = {"made": cv2.IMREAD_REDUCED_COLOR_4, "photos": cv2.IMREAD_REDUCED_COLOR_2}


def prepare(job, folder):
    return runs(lambda path: decode(path, FLAGS[job["pictures"]]), job, folder)


def decode(path, flag):
    image = cv2.imread(path, flag)
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = cv2.resize(image[top : top + side, left : left + side], (64, 64), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(square[:, :, ::-1])
