#!/usr/bin/env python3
"""Writes the small files below files/ that other programs made: NumPy's archives, and WAV by Python's wave and SciPy.

Run: python3 tests/reference/make_files.py        (made with NumPy 2.4 and SciPy 1.17)

tests/io/npz_test.cpp and wav_test.cpp hold the same formulas.

SPDX-License-Identifier: MIT
"""
import wave
from pathlib import Path

import numpy as np
from scipy.io import wavfile

folder = Path(__file__).parent / "files"
folder.mkdir(exist_ok=True)

arrays = {
    "floats": np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 8,
    "nested/counts": np.arange(-500, 500, dtype=np.int64),
    "flags": np.array([True, False, True]),
    "nothing": np.zeros((0, 3), dtype=np.float64),
}
np.savez(folder / "stored.npz", **arrays)
np.savez_compressed(folder / "deflated.npz", **arrays)

# 5 frames of 2 channels; of every width the extremes, and steps that show where the bytes go
steps = np.array([[-1.0, 0.0], [0.5, -0.5], [0.25, -0.25], [0.0078125, -0.0078125], [0.75, -1.0]])
wavfile.write(folder / "u8.wav", 8000, (steps * 128 + 128).astype(np.uint8))
wavfile.write(folder / "i16.wav", 44100, (steps * 2**15).astype(np.int16))
wavfile.write(folder / "i32.wav", 48000, (steps * 2**31).astype(np.int32))
wavfile.write(folder / "f32.wav", 22050, (steps * 1.5).astype(np.float32))
wavfile.write(folder / "f64.wav", 22050, steps * 1.5)
with wave.open(str(folder / "i24.wav"), "wb") as file:
    file.setnchannels(2)
    file.setsampwidth(3)
    file.setframerate(96000)
    integers = (steps * 2**23).astype(np.int32).reshape(-1)
    file.writeframes(b"".join(int(value).to_bytes(3, "little", signed=True) for value in integers))
