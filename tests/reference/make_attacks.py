#!/usr/bin/python3
"""Writes attacks.json: how often the attacks of Anonymeter succeed on Adult, over several seeds.

    tests/reference/make_attacks.py ADULT_CSV        needs pip's anonymeter; made with 1.1.0, pandas 3.0.6, polars 2.1.0

The training table are rows 0 to 7999, the control rows 8000 to 15999. The synthetic table is, in case "copies", rows 16000
to 19999 and the first 4000 training rows, in case "fresh" rows 16000 to 23999. Each entry is the number of successes of
1000 attacks on training rows, of as many random guesses, and of as many attacks on control rows. The synthetic rows are
shuffled, since which of equally near rows argsort puts first depends on their order. Guesses of an inference are too few:
1.1.0 looks them up under the row numbers of the targets, where most are missing.
"""
import json
import pathlib
import sys
import warnings

import numpy as np
import pandas as pd
from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator

warnings.filterwarnings("ignore")
ATTACKS, SEEDS = 1000, 4
FIRST = ["age", "education-num", "fnlwgt", "occupation"]
SECOND = ["hours-per-week", "capital-gain", "marital-status", "relationship", "native-country", "workclass"]


def counts(evaluator):
    results = evaluator.results()
    return [int(results.n_success), int(results.n_baseline), float(results.n_control)]


def main():
    adult = pd.read_csv(sys.argv[1])
    training, control = adult[:8000].reset_index(drop=True), adult[8000:16000].reset_index(drop=True)
    cases = {"copies": pd.concat([adult[16000:20000], adult[:4000]]).reset_index(drop=True),
             "fresh": adult[16000:24000].reset_index(drop=True)}
    out = {}
    for case, table in cases.items():
        synthetic = table
        known = [name for name in adult if name != "income"]
        few = ["sex", "education", "marital-status", "age", "hours-per-week"]
        attacks = {
            "singling_out_1": lambda seed: SinglingOutEvaluator(training, synthetic, n_attacks=ATTACKS, control=control,
                                                                seed=seed).evaluate(mode="univariate"),
            "singling_out_3": lambda seed: SinglingOutEvaluator(training, synthetic, n_attacks=ATTACKS, n_cols=3,
                                                                control=control, seed=seed).evaluate(),
            "linkability_1": lambda seed: LinkabilityEvaluator(training, synthetic, (FIRST, SECOND), n_attacks=ATTACKS,
                                                               n_neighbors=1, control=control).evaluate(),
            "linkability_10": lambda seed: LinkabilityEvaluator(training, synthetic, (FIRST, SECOND), n_attacks=ATTACKS,
                                                                n_neighbors=10, control=control).evaluate(),
            "inference_income": lambda seed: InferenceEvaluator(training, synthetic, known, "income", regression=False,
                                                                n_attacks=ATTACKS, control=control).evaluate(),
            "inference_fnlwgt": lambda seed: InferenceEvaluator(training, synthetic,
                                                                [name for name in adult if name != "fnlwgt"], "fnlwgt",
                                                                regression=True, n_attacks=ATTACKS,
                                                                control=control).evaluate(),
            "inference_occupation": lambda seed: InferenceEvaluator(training, synthetic, few, "occupation",
                                                                    regression=False, n_attacks=ATTACKS,
                                                                    control=control).evaluate(),
        }
        out[case] = {}
        for name, attack in attacks.items():
            rows = []
            for seed in range(SEEDS):
                np.random.seed(seed)
                synthetic = table.sample(frac=1, random_state=seed).reset_index(drop=True)
                rows.append(counts(attack(seed)))
            out[case][name] = rows
            print(case, name, rows, flush=True)
    with open(pathlib.Path(__file__).parent / "attacks.json", "w") as file:
        json.dump(out, file, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()
