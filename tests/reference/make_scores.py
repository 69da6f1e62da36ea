#!/usr/bin/python3
"""Writes scores.json: what SDMetrics says about two small made-up tables, written beside it, and about Adult.

    tests/reference/make_scores.py ADULT_CSV        needs pip's sdmetrics; made with 0.32.0, pandas 2.3.3
"""
import json
import pathlib
import sys
import warnings

import numpy as np
import pandas as pd
from sdmetrics.column_pairs import ContingencySimilarity, CorrelationSimilarity
from sdmetrics.reports.single_table import DiagnosticReport, QualityReport
from sdmetrics.single_column import (BoundaryAdherence, CategoryAdherence, CategoryCoverage, KeyUniqueness, KSComplement,
                                     MissingValueSimilarity, RangeCoverage, StatisticSimilarity, TVComplement)
from sdmetrics.single_table import DCROverfittingProtection, NewRowSynthesis
from sdmetrics.single_table.privacy.dcr_utils import calculate_dcr

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent


def number(value):
    """JSON has no NaN."""
    return None if value is None or pd.isna(value) else float(value)


def make_table(rng, rows, shift):
    """Two tables of one process, the second shifted; with missing values, constants, dates, unseen categories."""
    x = rng.normal(size=rows) + shift
    group = rng.choice(["red", "green", "blue"] + (["violet"] if shift else []), size=rows)
    table = pd.DataFrame({
        "key": [f"k{i:04d}" for i in range(rows)],
        "count": rng.poisson(5 + 3 * shift, size=rows),
        "value": np.round(x, 3),
        "twice": np.round(2 * x + 0.3 * rng.normal(size=rows), 3),
        "constant": np.full(rows, 7),
        "flag": np.where(rng.random(rows) < 0.4 + shift / 2, "true", "false"),
        "colour": group,
        "size": np.where(group == "red", "small", rng.choice(["small", "large"], size=rows)),
        "day": (np.datetime64("2020-01-01") + rng.integers(0, 41 + int(20 * shift), size=rows)).astype(str),
        "single": np.full(rows, "only"),
    })
    for name, share in {"value": 0.1, "colour": 0.05 + shift / 5, "day": 0.1}.items():
        table.loc[rng.random(rows) < share, name] = ""
    if shift:
        table.loc[5, "key"] = "k0004"
    return table


COLUMNS = {"key": "id", "count": "numerical", "value": "numerical", "twice": "numerical", "constant": "numerical",
           "flag": "categorical", "colour": "categorical", "size": "categorical", "day": "datetime",
           "single": "categorical"}


def column_scores(real, synthetic, columns):
    scores = {}
    for name, kind in columns.items():
        a, b = real[name], synthetic[name]
        entry = {"missing_value_similarity": MissingValueSimilarity.compute(a, b)}
        if kind in ("numerical", "datetime"):
            entry |= {"ks_complement": KSComplement.compute(a, b), "boundary_adherence": BoundaryAdherence.compute(a, b),
                      "range_coverage": RangeCoverage.compute(a, b)}
            if kind == "numerical":
                for statistic in ("mean", "median", "std"):
                    entry["statistic_" + statistic] = StatisticSimilarity.compute(a, b, statistic=statistic)
        elif kind == "categorical":
            entry |= {"tv_complement": TVComplement.compute(a, b), "category_coverage": CategoryCoverage.compute(a, b),
                      "category_adherence": CategoryAdherence.compute(a, b)}
        else:
            entry["key_uniqueness"] = KeyUniqueness.compute(a, b)
        scores[name] = {metric: number(value) for metric, value in entry.items()}
    return scores


def report_scores(real, synthetic, columns, key=None):
    metadata = {"columns": {name: {"sdtype": kind} | ({"datetime_format": "%Y-%m-%d"} if kind == "datetime" else {})
                            for name, kind in columns.items()}}
    if key:
        metadata["primary_key"] = key
    out = {}
    for kind, report in (("quality", QualityReport()), ("diagnostic", DiagnosticReport())):
        report.generate(real.copy(), synthetic.copy(), metadata, verbose=False)
        out[kind] = number(report.get_score())
        out[kind + "_properties"] = [number(score) for score in report.get_properties()["Score"]]
        if kind == "quality":
            pairs = report.get_details("Column Pair Trends")
            out["pairs"] = [[row["Column 1"], row["Column 2"], number(row["Score"]), number(row["Real Correlation"]),
                             number(row["Real Association"]), not pd.isna(row["Meets Threshold?"]) and bool(row["Meets Threshold?"])]
                            for _, row in pairs.iterrows()]
    return out, metadata


def main():
    rng = np.random.default_rng(5)
    tables = {}
    for name, rows, shift in (("real", 300, 0.0), ("synthetic", 240, 0.3), ("holdout", 200, 0.0)):
        table = make_table(rng, rows, shift)
        if name == "synthetic":  # some copies of rows, also of the hold-out's
            for i in range(30):
                table.loc[100 + i, table.columns[1:]] = tables["real"].loc[7 * i, table.columns[1:]]
        table.to_csv(HERE / f"scores_{name}.csv", index=False)
        tables[name] = table
    for name in list(tables):
        tables[name] = pd.read_csv(HERE / f"scores_{name}.csv")
        tables[name]["day"] = pd.to_datetime(tables[name]["day"], format="%Y-%m-%d").astype("datetime64[ns]")
    real, synthetic, holdout = tables["real"], tables["synthetic"], tables["holdout"]
    small = {"columns": column_scores(real, synthetic, COLUMNS)}
    reports, metadata = report_scores(real, synthetic, COLUMNS, "key")
    small |= reports
    small["spearman"] = number(CorrelationSimilarity.compute(real[["count", "twice"]], synthetic[["count", "twice"]],
                                                             coefficient="Spearman"))
    small["contingency"] = number(ContingencySimilarity.compute(real[["value", "colour"]].copy(),
                                                                synthetic[["value", "colour"]].copy(),
                                                                continuous_column_names=["value"]))
    rows = {name: kind for name, kind in COLUMNS.items() if kind != "id"}
    row_metadata = {"columns": {name: metadata["columns"][name] for name in rows}}
    small["new_rows"] = number(NewRowSynthesis.compute(real[list(rows)].copy(), synthetic[list(rows)].copy(), row_metadata))
    distances = calculate_dcr(synthetic[list(rows)].copy(), real[list(rows)].copy(), row_metadata)
    small["closest"] = [float(value) for value in distances]
    small["overfitting"] = DCROverfittingProtection.compute_breakdown(
        real[list(rows)].copy(), synthetic[list(rows)].copy(), holdout[list(rows)].copy(), row_metadata, None)

    adult = pd.read_csv(sys.argv[1])
    half = 16280
    a, b = adult[:half].reset_index(drop=True), adult[half:].reset_index(drop=True)
    b["age"] = b["age"].to_numpy()[::-1]
    b["occupation"] = b["occupation"].to_numpy()[::-1]
    kinds = {name: "numerical" if pd.api.types.is_numeric_dtype(adult[name]) else "categorical" for name in adult}
    for side in (a, b):
        for name, kind in kinds.items():
            if kind == "categorical":
                side[name] = side[name].where(side[name].str.strip() != "?")
    large = {"columns": column_scores(a, b, kinds)}
    reports, metadata = report_scores(a, b, kinds)
    large |= reports
    large["closest"] = [float(value) for value in calculate_dcr(b[:50].copy(), a.copy(), metadata)]
    with open(HERE / "scores.json", "w") as file:
        json.dump({"small": small, "adult": large}, file, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()
