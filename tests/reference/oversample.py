#!/usr/bin/env python3
"""Writes oversample.json: rows that imbalanced-learn makes, and the random choices it made them with.

Run: python3 tests/reference/oversample.py        (made with imbalanced-learn 0.14.2, scikit-learn 1.9.1, numpy 2.4)

The choices are drawn again here from a generator of the same seed, in the order in which imbalanced-learn draws; that
they are the same ones is checked by making its rows from them.

SPDX-License-Identifier: MIT
"""
import json
import os

import numpy as np
from imblearn.over_sampling import ADASYN, SMOTE, SMOTENC
from sklearn.neighbors import NearestNeighbors

data = np.random.default_rng(20240607)
K, SEED = 5, 42


def neighbours(points):
    return NearestNeighbors(n_neighbors=K + 1).fit(points).kneighbors(points, return_distance=False)[:, 1:]


def numbers():
    many = data.normal(0.0, [1.0, 2.0, 0.5], (90, 3))
    few = data.normal([1.0, 1.5, 0.5], [0.7, 1.0, 0.6], (26, 3))
    x = np.round(np.vstack([many, few]), 6)
    return x, np.array([0] * 90 + [1] * 26)


x, y = numbers()
few = np.flatnonzero(y == 1)

# SMOTE
made = SMOTE(k_neighbors=K, random_state=SEED).fit_resample(x, y)[0][len(x):]
near = neighbours(x[few])
draws = np.random.RandomState(SEED)
chosen = draws.randint(0, near.size, len(made))
steps = draws.uniform(size=len(made))
rows, others = chosen // K, near[chosen // K, chosen % K]
again = x[few][rows] + steps[:, None] * (x[few][others] - x[few][rows])
assert np.array_equal(again, made)
smote = {"near": few[near].tolist(), "base": few[rows].tolist(), "neighbour": few[others].tolist(),
         "share": steps.tolist(), "made": made.tolist()}

# ADASYN
made = ADASYN(n_neighbors=K, random_state=SEED).fit_resample(x, y)[0][len(x):]
all_near = NearestNeighbors(n_neighbors=K + 1).fit(x).kneighbors(x[few], return_distance=False)[:, 1:]
ratio = (y[all_near] != 1).sum(axis=1) / K
counts = np.rint(ratio / ratio.sum() * (90 - 26)).astype(int)
draws = np.random.RandomState(SEED)
rows = np.repeat(np.arange(len(few)), counts)
columns = draws.choice(K, size=len(rows))
steps = draws.uniform(size=(len(rows), 1))[:, 0]
others = near[rows, columns]
again = x[few][rows] + steps[:, None] * (x[few][others] - x[few][rows])
assert np.array_equal(again, made)
adasyn = {"counts": counts.tolist(), "base": few[rows].tolist(), "neighbour": few[others].tolist(),
          "share": steps.tolist(), "made": made.tolist()}

# SMOTENC: two categories beside the numbers
categories = np.column_stack([np.where(y == 1, data.integers(0, 2, len(y)), data.integers(0, 4, len(y))),
                              data.integers(0, 3, len(y))])
mixed = np.column_stack([x, categories])
made = SMOTENC(categorical_features=[3, 4], k_neighbors=K, random_state=SEED).fit_resample(mixed, y)[0][len(x):]
median = np.median(x[few].std(axis=0))
hot = np.hstack([np.eye(4)[categories[:, 0]], np.eye(3)[categories[:, 1]]]) * median / np.sqrt(2)
near_mixed = neighbours(np.hstack([x, hot])[few])
draws = np.random.RandomState(SEED)
chosen = draws.randint(0, near_mixed.size, len(made))
steps = draws.uniform(size=len(made))
rows, others = chosen // K, near_mixed[chosen // K, chosen % K]
again = x[few][rows] + steps[:, None] * (x[few][others] - x[few][rows])
assert np.allclose(again, made[:, :3], rtol=0, atol=1e-12)
votes = [[np.bincount(categories[few][near_mixed[r], c], minlength=4).tolist() for c in range(2)] for r in rows]
for vote, row in zip(votes, made):
    assert all(vote[c][int(row[3 + c])] == max(vote[c]) for c in range(2))
smotenc = {"near": few[near_mixed].tolist(), "base": few[rows].tolist(), "neighbour": few[others].tolist(),
           "share": steps.tolist(), "made": made.tolist()}

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "oversample.json"), "w") as file:
    json.dump({"neighbours": K, "x": x.tolist(), "y": y.tolist(), "categories": categories.tolist(), "smote": smote,
               "adasyn": adasyn, "smotenc": smotenc}, file, separators=(",", ":"))
    file.write("\n")
