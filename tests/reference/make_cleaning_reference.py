#!/usr/bin/env python3
"""Writes cleaning.json: what scikit-learn makes of small tables, for tests/data/clean_test.cpp.

Run: python3 tests/reference/make_cleaning_reference.py        (made with scikit-learn 1.9, NumPy 2.4)

`fills`: a table [40, 4] with holes and a second one [12, 4], filled by KNNImputer (uniform and by distance), by
IterativeImputer(Ridge) on standardised columns, and by mean, median and most frequent value. `forest`: a small
IsolationForest, its trees and the scores of 30 rows; `outliers`: area under the ROC curve of its scores, over ten
seeds, for 300 normal rows and 20 uniform ones. `labels`: three clouds with some labels changed, and the rows that the
rule of Northcutt et al. 2021 doubts, by a KNeighborsClassifier with leave-one-out cross-validation.

SPDX-License-Identifier: MIT
"""
import json
import os

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

generator = np.random.Generator(np.random.PCG64(20250301))


def listed(array):
    return [[None if isinstance(v, float) and np.isnan(v) else v for v in row] for row in np.asarray(array).tolist()]


def rows_with_holes(count, share):
    base = generator.normal(size=(count, 2))
    rows = np.column_stack([
        base[:, 0] * 3 + 10, base[:, 0] * 2 - base[:, 1] + generator.normal(size=count) * 0.3,
        base[:, 1] * 50 - 7, np.round(base.sum(axis=1) * 2),
    ])
    rows = np.round(rows * 1024) / 1024
    holes = generator.random(rows.shape) < share
    holes[holes.all(axis=1), 0] = False
    return np.where(holes, np.nan, rows)


train, test = rows_with_holes(40, 0.2), rows_with_holes(12, 0.3)
fills = {"train": listed(train), "test": listed(test)}


def record(name, imputer):
    imputer.fit(train)
    fills[name] = {"train": listed(imputer.transform(train)), "test": listed(imputer.transform(test))}


record("knn", KNNImputer(n_neighbors=3))
record("knn_distance", KNNImputer(n_neighbors=5, weights="distance"))
for strategy in ("mean", "median", "most_frequent"):
    record(strategy, SimpleImputer(strategy=strategy))
scaler = StandardScaler().fit(train)
for name, rounds, tolerance in (("ridge", 4, 0.0), ("ridge_tolerance", 60, 3e-2)):
    imputer = IterativeImputer(Ridge(alpha=1.0), max_iter=rounds, tol=tolerance, imputation_order="ascending")
    imputer.fit(scaler.transform(train))
    fills[name] = {
        part: listed(scaler.inverse_transform(imputer.transform(scaler.transform(rows))))
        for part, rows in (("train", train), ("test", test))
    }
    fills[name]["rounds"] = int(imputer.n_iter_)

cloud = np.round(np.vstack([generator.normal(size=(60, 3)), generator.uniform(-6, 6, size=(4, 3))]) * 256) / 256
model = IsolationForest(n_estimators=4, max_samples=32, random_state=3).fit(cloud)
probes = np.round(generator.normal(size=(30, 3)) * 2 * 256) / 256
trees = []
for estimator in model.estimators_:
    tree = estimator.tree_
    trees.append({
        "feature": tree.feature.tolist(), "left": tree.children_left.tolist(), "right": tree.children_right.tolist(),
        "threshold": tree.threshold.tolist(), "rows": tree.n_node_samples.tolist(),
    })
forest = {"sample": 32, "trees": trees, "probes": listed(probes), "scores": (-model.score_samples(probes)).tolist()}

normal = np.round(generator.normal(size=(300, 3)) * 1024) / 1024
odd = np.round(generator.uniform(-5, 5, size=(20, 3)) * 1024) / 1024
everything, labels = np.vstack([normal, odd]), np.r_[np.zeros(300), np.ones(20)]
scores = [-IsolationForest(random_state=s).fit(everything).score_samples(everything) for s in range(10)]
outliers = {
    "rows": listed(everything), "mean_scores": np.mean(scores, axis=0).round(6).tolist(),
    "deviation": float(np.std(scores, axis=0).max()),
    "auc": [float(roc_auc_score(labels, s)) for s in scores],
}

centres = np.array([[0.0, 0.0], [2.5, 0.0], [0.0, 2.5]])
true = np.repeat([0, 1, 2], [40, 25, 15])
points = np.round((centres[true] + generator.normal(size=(80, 2)) * 0.8) * 1024) / 1024
given = true.copy()
given[generator.choice(80, 10, replace=False)] = generator.integers(0, 3, 10)
scaled = StandardScaler().fit_transform(points)
shares = cross_val_predict(KNeighborsClassifier(7), scaled, given, cv=LeaveOneOut(), method="predict_proba")
thresholds = np.array([shares[given == j, j].mean() for j in range(3)])
confident = np.where((shares >= thresholds) & (shares > 0), shares, -1.0)
likeliest = confident.argmax(axis=1)
at = np.arange(80)
doubted = (confident.max(axis=1) > 0) & (confident[at, likeliest] > confident[at, given])
labels = {
    "points": listed(points), "given": given.tolist(), "doubted": np.flatnonzero(doubted).tolist(),
    "likelier": likeliest[doubted].tolist(), "thresholds": thresholds.tolist(),
}

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cleaning.json")
with open(path, "w") as file:
    json.dump({"fills": fills, "forest": forest, "outliers": outliers, "labels": labels}, file, separators=(",", ":"))
    file.write("\n")
print(path, os.path.getsize(path), "bytes; areas", outliers["auc"], outliers["deviation"], labels["doubted"], [fills[n]["rounds"] for n in ("ridge", "ridge_tolerance")])
