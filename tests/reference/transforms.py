#!/usr/bin/env python3
"""Writes transforms.safetensors: what scikit-learn, numpy and librosa make of small data, and a plain byte-pair
encoder of Tiny Shakespeare's first 100,000 characters.

Run: python3 tests/reference/transforms.py DATA   (DATA: the folder with text/tinyshakespeare.txt.gz)
(PyPI: scikit-learn 1.9.1, librosa 0.11, safetensors)

SPDX-License-Identifier: MIT
"""
import collections
import gzip
import os
import re
import sys
import warnings

import librosa
import numpy as np
import scipy.signal
from safetensors.numpy import save_file
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.preprocessing import QuantileTransformer

warnings.simplefilter("ignore")
generator = np.random.Generator(np.random.PCG64(5))
stored = {}


def fit(name, model, x, start):
    """Fits from given labels: scikit-learn has no public way to say them."""
    resp = np.eye(model.n_components)[start]
    model._initialize_parameters = lambda x, random_state, xp=None: model._initialize(x, resp)
    model.fit(x)
    stored.update({
        f"{name}/x": x, f"{name}/start": start, f"{name}/weights": model.weights_, f"{name}/means": model.means_,
        f"{name}/covariances": model.covariances_, f"{name}/log_prob": model.score_samples(x),
        f"{name}/responsibilities": model.predict_proba(x), f"{name}/iterations": np.array([model.n_iter_]),
        f"{name}/bound": np.array([model.lower_bound_])})


flat = np.concatenate([generator.normal(-3, 0.5, 70), generator.normal(1, 1, 90), generator.normal(6, 0.2, 40)])[:, None]
pairs = np.concatenate([generator.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 80),
                        generator.multivariate_normal([4, -1], [[0.3, -0.1], [-0.1, 0.6]], 60)])
by_place = np.clip(np.floor((flat[:, 0] + 4) / 1.1), 0, 9).astype(np.int64)
quarters = (pairs[:, 0] > 2).astype(np.int64) * 2 + (pairs[:, 1] > -0.5)
process = dict(weight_concentration_prior_type="dirichlet_process", max_iter=100)
fit("flat_bayes", BayesianGaussianMixture(n_components=10, weight_concentration_prior=0.001, **process), flat, by_place)
fit("flat_em", GaussianMixture(n_components=3), flat, np.minimum(by_place // 4, 2))
for kind in ("full", "diag"):
    fit(f"pairs_{kind}_em", GaussianMixture(n_components=4, covariance_type=kind), pairs, quarters)
    fit(f"pairs_{kind}_bayes", BayesianGaussianMixture(n_components=4, covariance_type=kind, **process), pairs, quarters)

skewed = np.round(generator.exponential(3.0, 400), 1)
apply = np.array([-1.0, 0.0, 0.1, 0.2, 1.0, 2.05, 3.3, 7.7, skewed.max(), 100.0])
stored["quantile/x"], stored["quantile/apply"] = skewed, apply
for output in ("uniform", "normal"):
    model = QuantileTransformer(n_quantiles=100, output_distribution=output, subsample=None).fit(skewed[:, None])
    stored[f"quantile/{output}"] = model.transform(apply[:, None])[:, 0]
    stored[f"quantile/{output}_back"] = model.inverse_transform(model.transform(apply[:, None]))[:, 0]

sound = (0.5 * np.sin(np.arange(1000) * 0.3) + 0.1 * generator.normal(size=1000)).astype(np.float32)
stored["sound"] = sound
for size, hop in ((128, 64), (100, 50), (63, 21)):
    mirrored = np.pad(sound.astype(np.float64), size // 2, mode="reflect")
    window = scipy.signal.get_window("hann", size)
    frames = 1 + (len(mirrored) - size) // hop  # not librosa's: its last frame is 2e-4 off at size 100, hop 50
    values = np.array([np.fft.rfft(window * mirrored[i * hop:i * hop + size]) for i in range(frames)])
    stored[f"stft/{size}_{hop}"] = np.stack([values.real, values.imag], -1).astype(np.float32)
for htk in (False, True):
    stored[f"mel/{'htk' if htk else 'slaney'}"] = librosa.filters.mel(
        sr=8000, n_fft=256, n_mels=20, fmin=50.0, fmax=3800.0, htk=htk, norm=None if htk else "slaney",
        dtype=np.float64)
power = np.abs(librosa.stft(sound.astype(np.float64), n_fft=256, hop_length=64, pad_mode="reflect")) ** 2
stored["log_mel"] = np.log(np.maximum(stored["mel/slaney"] @ power, 1e-10)).T

for size in (1, 2, 12, 30, 37, 49, 74, 128):
    values = generator.normal(size=(size, 2))
    out = np.fft.fft(values[:, 0] + 1j * values[:, 1])
    stored[f"fft/{size}"], stored[f"fft/{size}_out"] = values, np.stack([out.real, out.imag], -1)


def byte_pairs(text, merges):
    """All pairs counted anew for each merge: slow and plain."""
    pieces = collections.Counter(re.findall(rb" ?[A-Za-z\x80-\xff]+| ?[0-9]+| ?[^\sA-Za-z0-9\x80-\xff]+|\s+(?= \S)|\s+", text))
    words, made = [(list(piece), count) for piece, count in pieces.items()], []
    for number in range(merges):
        pairs = collections.Counter()
        for word, count in words:
            for pair in zip(word, word[1:]):
                pairs[pair] += count
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        made.append(best)
        for word, _ in words:
            i = 0
            while i + 1 < len(word):
                if (word[i], word[i + 1]) == best:
                    word[i:i + 2] = [256 + number]
                i += 1
    return made, sum(len(word) * count for word, count in words)


with gzip.open(os.path.join(sys.argv[1], "text/tinyshakespeare.txt.gz")) as file:
    made, tokens = byte_pairs(file.read()[:100000], 300)
stored["byte_pairs/merges"] = np.array(made, dtype=np.int32)
stored["byte_pairs/tokens"] = np.array([tokens])

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "transforms.safetensors")
save_file({name: np.ascontiguousarray(value) for name, value in stored.items()}, path)
print(path, os.path.getsize(path), "bytes,", len(stored), "tensors")
