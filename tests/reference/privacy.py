#!/usr/bin/env python3
"""Writes privacy.json: what other programs say about ids, and a plain k-anonymiser about tables.

Run: python3 tests/reference/privacy.py [folder of adult.csv]       (made with python-stdnum 2.2 and numpy 2.4)

"ids": texts by kind, half of them damaged, and whether python-stdnum takes them for one. "tables": a small table as
CSV text, and for several settings the class of each row, the labels and the losses, from the recursive program below,
which holds the rows as lists and compares values, not ranks. "adult": the losses for the Adult data set.

SPDX-License-Identifier: MIT
"""
import csv
import json
import math
import os
import random
import sys

from stdnum import iban, luhn, verhoeff
from stdnum.br import cpf
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.iso7064 import mod_11_10
from stdnum.it import codicefiscale
from stdnum.us import ssn

rng = random.Random(20240607)


# --- ids ---------------------------------------------------------------------------------------------------------

def digits(n):
    return "".join(rng.choice("0123456789") for _ in range(n))


def letters(n):
    return "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(n))


def card():
    start, length = rng.choice([("4", 16), ("51", 16), ("2221", 16), ("34", 15), ("6011", 16), ("36", 14)])
    body = start + digits(length - 1 - len(start))
    return body + luhn.calc_check_digit(body)


def german():
    order = rng.sample("0123456789", 10)
    order[rng.randrange(1, 10)] = order[0]
    rng.shuffle(order)
    if order[0] == "0":
        return german()
    body = "".join(order)
    return body + mod_11_10.calc_check_digit(body)


def french():
    body = (rng.choice("12") + digits(2) + "%02d" % rng.randint(1, 12) + rng.choice(["2A", "2B", "75", "13", "99"]) +
            "%03d" % rng.randint(1, 999) + "%03d" % rng.randint(1, 999))
    return body + nir.calc_check_digits(body)


def italian():
    body = (letters(6) + digits(2) + rng.choice("ABCDEHLMPRST") + "%02d" % (rng.randint(1, 28) + rng.choice([0, 40])) +
            letters(1) + digits(3))
    return body + codicefiscale.calc_check_digit(body)


def bank():
    country, length = rng.choice([("DE", 18), ("FR", 23), ("GB", 18), ("NL", 14), ("ES", 20), ("NO", 11)])
    bban = {"FR": digits(23), "GB": letters(4) + digits(14), "NL": letters(4) + digits(10)}.get(country, digits(length))
    return country + iban.calc_check_digits(country + "00" + bban) + bban


def brazilian():
    body = digits(9)
    return body + cpf._calc_check_digits(body)


def indian():
    body = rng.choice("23456789") + digits(10)
    return body + verhoeff.calc_check_digit(body)


def spanish():
    if rng.random() < 0.5:
        body = digits(8)
        return body + dni.calc_check_digit(body)
    body = rng.choice("XYZ") + digits(7)
    return body + nie.calc_check_digit(body)


def american():
    return "-".join([digits(3), digits(2), digits(4)])


KINDS = {
    "card": (card, luhn.is_valid),
    "iban": (bank, lambda t: iban.is_valid(t, check_country=False)),
    "us_ssn": (american, ssn.is_valid),
    "german_tax_id": (german, idnr.is_valid),
    "spanish_id": (spanish, lambda t: dni.is_valid(t) or nie.is_valid(t)),
    "french_nir": (french, nir.is_valid),
    "italian_fiscal_code": (italian, codicefiscale.is_valid),
    "brazilian_cpf": (brazilian, cpf.is_valid),
    "indian_aadhaar": (indian, verhoeff.is_valid),
}


def damaged(text):
    """One character changed for another of its kind, or two neighbours swapped; the first four stay."""
    while True:
        at, out = rng.randrange(4, len(text)), list(text)
        if rng.random() < 0.5 and at + 1 < len(text) and text[at].isdigit() == text[at + 1].isdigit():
            out[at], out[at + 1] = out[at + 1], out[at]
        elif text[at].isdigit():
            out[at] = rng.choice("0123456789")
        elif text[at].isalpha():
            out[at] = rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        if "".join(out) != text:
            return "".join(out)


def ids():
    found = {}
    for kind, (make, valid) in KINDS.items():
        found[kind] = []
        for i in range(60):
            text = make()
            if i % 2:
                text = damaged(text)
            found[kind].append([text, bool(valid(text))])
    return found


# --- k-anonymity -------------------------------------------------------------------------------------------------

class Column:
    """numbers: values or None; categories: texts or None, cut in the order given; tree: child -> parent"""

    def __init__(self, name, values, order=None, tree=None):
        self.name, self.values, self.order, self.tree = name, values, order, tree
        present = [v for v in values if v is not None]
        if order is None:
            self.width = max(present) - min(present)
        elif tree:
            self.leaves = [v for v in tree if v not in tree.values()]
        else:
            self.order = [v for v in order if v in present]

    def above(self, value):
        path = [value]
        while path[-1] in self.tree:
            path.append(self.tree[path[-1]])
        return path[::-1]  # from the root

    def below(self, name):
        return [leaf for leaf in self.leaves if name in self.above(leaf)]

    def common(self, values):
        last = None
        for names in zip(*[self.above(v) for v in values]):
            if len(set(names)) > 1:
                break
            last = names[0]
        return last

    def penalty(self, rows):
        here = [self.values[r] for r in rows]
        present = set(here) - {None}
        if None in here and present:
            return 1.0
        if len(present) < 2:
            return 0.0
        if self.order is None:
            return (max(present) - min(present)) / self.width
        if self.tree:
            return len(self.below(self.common(present))) / len(self.leaves)
        return len(present) / len(self.order)

    def keys(self, rows):
        here = [self.values[r] for r in rows]
        if self.order is None:
            return [-math.inf if v is None else v for v in here]
        if self.tree:
            present = set(here) - {None}
            depth = len(self.above(self.common(present))) if present else 0
            names = []  # of the next level, in the order of the tree
            for leaf in self.leaves:
                if leaf in present or present and self.common(present) in self.above(leaf):
                    name = self.above(leaf)[min(depth, len(self.above(leaf)) - 1)]
                    if name not in names:
                        names.append(name)
            return [-1 if v is None else names.index(self.above(v)[min(depth, len(self.above(v)) - 1)]) for v in here]
        return [-1 if v is None else self.order.index(v) for v in here]

    def label(self, rows):
        here = [self.values[r] for r in rows]
        present = set(here) - {None}
        if not present:
            return ""
        if None in here:
            return "*"
        if self.order is None:
            low, high = min(present), max(present)
            return str(low) if low == high else f"{low}..{high}"
        if len(present) == 1:
            return str(next(iter(present)))
        if self.tree:
            return self.common(present)
        if len(present) == len(self.order):
            return "*"
        return " | ".join(v for v in self.order if v in present)


def shares(values):
    return {v: values.count(v) / len(values) for v in set(values)}


def entropy_l(values):
    return math.exp(-sum(p * math.log(p) for p in shares(values).values()))


def closeness(part, whole, ordered):
    p, q = shares(part), shares(whole)
    if not ordered:
        return 0.5 * sum(abs(p.get(v, 0) - q[v]) for v in q)
    total, far, values = 0.0, 0.0, sorted(q)
    for v in values:
        total += p.get(v, 0) - q[v]
        far += abs(total)
    return far / (len(values) - 1)


def mondrian(columns, rows, k, relaxed=False, ok=lambda rows: True):
    """Classes as lists of rows."""
    found = sorted(range(len(columns)), key=lambda i: (-columns[i].penalty(rows), i))
    allowed = lambda part: len(part) >= k and ok(part)
    for i in found:
        column = columns[i]
        if column.penalty(rows) == 0:
            break
        keys = column.keys(rows)
        tries = []
        if any(column.values[r] is None for r in rows):
            tries.append([column.values[r] is None for r in rows])
        if relaxed:
            order = sorted(range(len(rows)), key=lambda j: (keys[j], j))
            first = set(order[:len(rows) // 2])
            tries.append([j in first for j in range(len(rows))])
        else:
            median = sorted(keys)[(len(rows) - 1) // 2]
            both = [[key <= median for key in keys], [key < median for key in keys]]
            both.sort(key=lambda left: -min(sum(left), len(rows) - sum(left)))
            tries += both
        for left in tries:
            low = [r for r, is_left in zip(rows, left) if is_left]
            high = [r for r, is_left in zip(rows, left) if not is_left]
            if allowed(low) and allowed(high):
                return mondrian(columns, low, k, relaxed, ok) + mondrian(columns, high, k, relaxed, ok)
    return [rows]


def losses(columns, classes, k):
    n = sum(map(len, classes))
    released = {}
    for rows in classes:
        released.setdefault(tuple(c.label(rows) for c in columns), []).extend(rows)
    penalties = [sum(c.penalty(rows) * len(rows) for rows in classes) / n for c in columns]
    return {
        "classes": len(released),
        "smallest": min(map(len, released.values())),
        "discernibility": sum(len(rows) ** 2 for rows in released.values()),
        "average_class": n / (len(released) * k),
        "penalties": penalties,
        "penalty": sum(penalties) / len(penalties),
    }, list(released.values())


TREE = {"Paris": "France", "Lyon": "France", "Nice": "France", "Berlin": "Germany", "Bonn": "Germany", "Rome": "Italy",
        "France": "Europe", "Germany": "Europe", "Italy": "Europe", "Tokyo": "Asia", "Osaka": "Asia", "Europe": "World",
        "Asia": "World"}


def small_table():
    cities = ["Berlin", "Bonn", "Lyon", "Nice", "Osaka", "Paris", "Rome", "Tokyo"]
    rows = []
    for i in range(240):
        age = rng.randint(18, 90) if rng.random() > 0.05 else None
        city = rng.choice(cities + ["Paris"] * 4) if rng.random() > 0.04 else None
        income = round(rng.lognormvariate(3, 0.5) * 4) / 4 if rng.random() > 0.03 else None
        sex = rng.choice("fm")
        illness = rng.choice(["flu", "flu", "flu", "cold", "cold", "asthma", "gout"])
        days = rng.randint(0, 14)
        rows.append([age, city, income, sex, illness, days])
    return rows, cities


def tables():
    rows, cities = small_table()
    text = "age,city,income,sex,illness,days\n"
    for row in rows:
        text += ",".join("" if v is None else "%.2f" % v if isinstance(v, float) else str(v) for v in row) + "\n"
    age, city, income, sex, illness, days = (list(c) for c in zip(*rows))

    class Income(Column):
        def label(self, rows):  # two decimals, as in the table
            here = [self.values[r] for r in rows]
            if None in here:
                return "*" if set(here) - {None} else ""
            return "%.2f" % min(here) if min(here) == max(here) else "%.2f..%.2f" % (min(here), max(here))

    all_rows, cases = list(range(len(rows))), []
    for settings in [dict(k=2), dict(k=5), dict(k=10), dict(k=5, relaxed=True), dict(k=3, tree=True),
                     dict(k=4, l=3.0), dict(k=4, l=2.5, diversity="entropy"), dict(k=6, t=0.3), dict(k=240)]:
        columns = [Column("age", age), Column("city", city, cities, TREE if settings.get("tree") else None),
                   Income("income", income), Column("sex", sex, sorted(set(sex)))]

        def ok(part):
            ill = [illness[r] for r in part]
            l = len(set(ill)) if settings.get("diversity") != "entropy" else entropy_l(ill)
            far = max(closeness(ill, illness, False), closeness([days[r] for r in part], days, True))
            return l >= settings.get("l", 1.0) - 1e-9 and far <= settings.get("t", 1.0) + 1e-12

        classes = mondrian(columns, all_rows, settings["k"], settings.get("relaxed", False), ok)
        result, released = losses(columns, classes, settings["k"])
        class_of = [0] * len(rows)
        for c, members in enumerate(classes):
            for r in members:
                class_of[r] = c
        result["class_of"] = class_of
        result["labels"] = [[c.label(members) for c in columns] for members in classes]
        ill = [[illness[r] for r in members] for members in released]
        late = [[days[r] for r in members] for members in released]
        result["distinct_l"] = min(len(set(v)) for v in ill)
        result["entropy_l"] = min(map(entropy_l, ill))
        result["t_illness"] = max(closeness(v, illness, False) for v in ill)
        result["t_days"] = max(closeness(v, days, True) for v in late)
        cases.append({"settings": settings, **result})
    return {"csv": text, "tree": list(TREE.items()), "cities": cities, "cases": cases}


def adult(folder):
    with open(os.path.join(folder, "adult.csv")) as file:
        rows = list(csv.DictReader(file))
    names = ["age", "workclass", "education-num", "marital-status", "race", "sex", "hours-per-week", "native-country"]
    numbers = {"age", "education-num", "hours-per-week"}
    columns = []
    for name in names:
        if name in numbers:
            columns.append(Column(name, [int(row[name]) for row in rows]))
        else:
            values = [None if row[name] == " ?" else row[name] for row in rows]
            order = sorted(set(values) - {None})
            columns.append(Column(name, values, order))
    cases = []
    for k in (5, 10, 50):
        classes = mondrian(columns, list(range(len(rows))), k)
        cases.append({"k": k, **losses(columns, classes, k)[0]})
    return {"quasi_identifiers": names, "cases": cases}


here = os.path.dirname(os.path.abspath(__file__))
folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "../../../shared/data/adult")
sys.setrecursionlimit(10000)
with open(os.path.join(here, "privacy.json"), "w") as file:
    json.dump({"ids": ids(), "tables": tables(), "adult": adult(folder)}, file, separators=(",", ":"))
    file.write("\n")
