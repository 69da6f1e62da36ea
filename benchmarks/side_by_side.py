#!/usr/bin/python3
"""Puts samples of two generators side by side: a row for each pair of files, 10 x 5 images of each.

usage: side_by_side.py OUT.png LEFT.npy RIGHT.npy [LEFT.npy RIGHT.npy ...]     (float images in [-1, 1], any shape of [N, 784 values])
"""
import sys

import numpy as np
from PIL import Image

COLUMNS, ROWS, SIDE, GAP = 10, 5, 28, 8


def grid(path):
    images = np.load(path)[: COLUMNS * ROWS].reshape(ROWS, COLUMNS, SIDE, SIDE)
    pixels = np.clip((images + 1) * 127.5, 0, 255).astype(np.uint8)
    return pixels.transpose(0, 2, 1, 3).reshape(ROWS * SIDE, COLUMNS * SIDE)


def main():
    out, paths = sys.argv[1], sys.argv[2:]
    if not paths or len(paths) % 2:
        sys.exit(__doc__)
    height, width = ROWS * SIDE, COLUMNS * SIDE
    sheet = np.full((len(paths) // 2 * (height + GAP) - GAP, 2 * width + 3 * GAP), 255, np.uint8)
    for i, path in enumerate(paths):
        top, left = i // 2 * (height + GAP), i % 2 * (width + 3 * GAP)
        sheet[top : top + height, left : left + width] = grid(path)
    Image.fromarray(sheet).save(out, optimize=True)


main()
