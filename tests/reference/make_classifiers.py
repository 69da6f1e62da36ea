#!/usr/bin/python3
"""Writes classifiers.json: what scikit-learn's classifiers and scores say about made-up rows, kept with them.

    tests/reference/make_classifiers.py        needs pip's scikit-learn; made with 1.5.2, numpy 2.2
    tests/reference/make_classifiers.py ADULT_CSV    also Adult's scores over three splits, on standard output
"""
import json
import pathlib
import sys
import warnings

import numpy as np
from sklearn.ensemble import AdaBoostClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent


def rows(rng, count, classes):
    """Five columns of f32 values, the last with few; classes that depend on them, with noise."""
    x = rng.normal(size=(count, 5))
    x[:, 1] *= 100
    x[:, 4] = rng.integers(0, 4, size=count)
    score = x[:, 0] + x[:, 1] / 100 * x[:, 2] + (x[:, 4] == 2) + 0.7 * rng.normal(size=count)
    y = np.digitize(score, np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1] ** 0.8))
    return np.round(x, 2).astype(np.float32).astype(np.float64), y


def scores(y, p):
    p = np.round(p, 12)  # as stored
    classes = p.shape[1]
    guess = p.argmax(1)
    out = {"accuracy": accuracy_score(y, guess), "f1_macro": f1_score(y, guess, average="macro"),
           "f1_weighted": f1_score(y, guess, average="weighted"), "log_loss": log_loss(y, p, labels=range(classes))}
    out["roc_auc"] = roc_auc_score(y, p[:, 1]) if classes == 2 else roc_auc_score(y, p, multi_class="ovr")
    out["f1"] = f1_score(y, guess) if classes == 2 else None
    return out


def table(x, digits=2):
    return [[round(float(v), digits) for v in row] for row in x]


def with_null(x):
    return [[None if np.isnan(v) else round(float(v), 2) for v in row] for row in x]


def main():
    rng = np.random.default_rng(7)
    out = {}
    for classes in (2, 3):
        x, y = rows(rng, 240, classes)
        test, truth = rows(rng, 80, classes)
        part = {"x": table(x), "y": y.tolist(), "test": table(test), "truth": truth.tolist()}
        # Columns of continuous values split alike only by chance, so the trees are the same whatever the order.
        for name, model in {
                "tree": DecisionTreeClassifier(max_depth=3, random_state=0),
                "tree_balanced": DecisionTreeClassifier(max_depth=4, min_samples_leaf=5, class_weight="balanced",
                                                        random_state=0),
                "samme": AdaBoostClassifier(n_estimators=20, algorithm="SAMME", random_state=0),
                "samme_r": AdaBoostClassifier(n_estimators=20, algorithm="SAMME.R", random_state=0),
                "logistic": LogisticRegression(tol=1e-12, max_iter=100000),
                "logistic_balanced": LogisticRegression(C=0.05, class_weight="balanced", tol=1e-12, max_iter=100000),
                "boosting": HistGradientBoostingClassifier(max_iter=10, max_leaf_nodes=6, min_samples_leaf=10,
                                                           early_stopping=False),
        }.items():
            if name.startswith("logistic"):
                # the second column is brought to the scale of the others: lbfgs stops early otherwise
                scale = np.array([1, 100, 1, 1, 1])
                model.fit(x / scale, y)
                p = model.predict_proba(test / scale)
                part[name] = {"coefficients": model.coef_.tolist(), "intercepts": model.intercept_.tolist()}
            else:
                p = model.fit(x, y).predict_proba(test)
                part[name] = {}
            part[name] |= {"p": table(p, 12), "scores": scores(truth, p)}
        # Missing values and categories (column 4), which scikit-learn's trees split natively.
        holes, test_holes = x.copy(), test.copy()
        for array in (holes, test_holes):
            array[rng.random(array.shape) < 0.15] = np.nan
        part["holes"], part["test_holes"] = with_null(holes), with_null(test_holes)
        for name, categories, a, b in (("boosting_categories", [4], x, test), ("boosting_holes", None, holes, test_holes),
                                       ("boosting_both", [4], holes, test_holes)):
            model = HistGradientBoostingClassifier(max_iter=10, max_leaf_nodes=6, min_samples_leaf=10,
                                                   early_stopping=False, categorical_features=categories)
            p = model.fit(a, y).predict_proba(b)
            part[name] = {"p": table(p, 12), "scores": scores(truth, p)}
        out[str(classes)] = part
    (HERE / "classifiers.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


def adult(path):
    """Mean over splits of each classifier's F1 and ROC-AUC in SDGym's setting; 23,000 rows to learn from."""
    import pandas as pd
    data = pd.read_csv(path)
    y = (data["income"].str.strip() == ">50K").astype(int).to_numpy()
    features = data.drop(columns="income")
    columns, codes = [], []
    for name in features:
        v = features[name]
        if v.dtype.kind in "if":
            v = v.to_numpy(float)
            codes.append(v)
            columns.append((np.log(np.maximum(v, 1e-2)) if v.min() >= 0 and v.max() >= 1e3
                            else (v - v.min()) / (v.max() - v.min()) * 5)[:, None])
        else:
            codes.append(v.astype("category").cat.codes.to_numpy(float))
            values = sorted(v.unique())
            one_hot = np.stack([(v == k).to_numpy(float) for k in values], 1)
            columns.append(one_hot[:, 1:2] if len(values) == 2 else one_hot)
    x, native = np.hstack(columns), np.stack(codes, 1)
    categorical = [i for i, name in enumerate(features) if features[name].dtype.kind not in "if"]
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(y))
        train, test = order[:23000], order[23000:]
        for model in (DecisionTreeClassifier(max_depth=15, class_weight="balanced"), AdaBoostClassifier(),
                      AdaBoostClassifier(algorithm="SAMME"),
                      LogisticRegression(solver="lbfgs", class_weight="balanced", max_iter=50),
                      MLPClassifier((50,), max_iter=50),
                      HistGradientBoostingClassifier(early_stopping=False, categorical_features=categorical)):
            data = native if isinstance(model, HistGradientBoostingClassifier) else x
            p = model.fit(data[train], y[train]).predict_proba(data[test])
            s = scores(y[test], p)
            print(seed, f"{s['f1']:.4f} {s['roc_auc']:.4f}", model, flush=True)


main()
if len(sys.argv) > 1:
    adult(sys.argv[1])
