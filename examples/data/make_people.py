#!/usr/bin/env python3
"""Writes people.csv: 900 customers who do not exist, with the faults that real files have.

    examples/data/make_people.py > examples/data/people.csv

Income follows from education, age and hours; who leaves follows from contract, bill and calls. Planted: missing values in four
spellings, 14 rows twice, a few impossible ages and bills, a column that says nothing, codes with leading zeros.
"""
import csv
import datetime
import random
import sys

FIRST = "Ada Alan Amal Anna Ben Carla Chen Dana Emil Emma Farid Grace Hana Ines Ivan Jana Jon Kofi Lea Lena Luca Maja Marie Mehmet Mila Nils Noor Omar Paul Rosa Sara Sven Tara Theo Uma Vera Yara Zoe".split()
LAST = "Adler Bach Berg Costa Diaz Engel Fischer Garcia Haas Ivanov Jansen Keller Lange Meyer Novak Okafor Peters Quinn Rossi Sato Schulz Tanaka Ullmann Vogel Weber Yilmaz Zimmer".split()
EDUCATION = {"school": 0.0, "apprenticeship": 0.25, "bachelor": 0.5, "master": 0.7, "doctorate": 0.85}
random.seed(7)


def person(number):
    education = random.choices(list(EDUCATION), [3, 4, 3, 2, 0.5])[0]
    age = min(79, max(18, round(random.gauss(44, 14))))
    hours = random.choices([40, 35, 30, 20, 45, 50], [8, 3, 2, 2, 2, 1])[0] + random.choice([0, 0, 0, 1, -1, 2])
    income = 14000 * (1 + 1.6 * EDUCATION[education]) * (hours / 40) * (1 + 0.012 * min(age - 18, 30)) * random.lognormvariate(0.25, 0.22)
    contract = random.choices(["monthly", "one year", "two years"], [5, 3, 2])[0]
    months = max(1, round(random.expovariate(1 / {"monthly": 14, "one year": 30, "two years": 44}[contract])))
    bill = round(random.gauss(38, 11) + (8 if contract == "monthly" else 0), 2)
    calls = min(12, int(random.expovariate(1 / 1.4)))
    leave = random.random() < 1 / (1 + 2.7182818 ** -(-2.2 + 1.3 * (contract == "monthly") + 0.35 * calls + 0.03 * (bill - 40) - 0.02 * months))
    first, last = random.choice(FIRST), random.choice(LAST)
    since = datetime.date(2026, 6, 1) - datetime.timedelta(days=30 * months + random.randrange(30))
    return [f"C{number:05d}", f"{first} {last}", f"{first}.{last}{number % 97}@example.org".lower(), age, f"{random.randrange(1000, 100000):05d}",
            education, hours, f"{income:.2f}", contract, since.isoformat(), f"{max(9.9, bill):.2f}", calls, "EUR", "yes" if leave else "no"]


rows = [person(i + 1) for i in range(900)]
for row in rows:
    for column, share, spelling in ((3, 0.03, ""), (5, 0.04, "?"), (7, 0.07, "n/a"), (10, 0.02, ""), (8, 0.02, "NULL")):
        if random.random() < share:
            row[column] = spelling
for i in random.sample(range(900), 5):
    rows[i][3] = random.choice([0, 199, 420])
for i in random.sample(range(900), 6):
    rows[i][10] = random.choice(["9999.00", "4120.50", "3800.00"])
for i in random.sample(range(900), 14):
    rows.append(list(rows[i]))
out = csv.writer(sys.stdout, lineterminator="\n")
out.writerow(["customer_id", "name", "email", "age", "postcode", "education", "hours", "income", "contract", "since", "bill", "calls", "currency", "left"])
out.writerows(rows)
