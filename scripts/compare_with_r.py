#!/usr/bin/env python3
"""Compares this build with R on random trials: reads the values that run_in_r.R wrote (ours as `expected`, R's as `got`).

Each value is confirmed (both the same number within the recipe's tolerance, or neither has one), explained (a known difference of
definition, each with its reason in `KNOWN`), or unexplained. Status 4 when one is unexplained, or when R confirmed nothing of a
method.
"""

import collections
import csv
import re
import sys

# (recipe, quantity, ours, R's, reason). "NE": no number; "number": a number; R's "refuses": it stopped with an error.
KNOWN = [
    (r"cox_.*|fine_gray", r".*", "NE", "number",
     "a coefficient is infinite, aliased or without events: R prints the last step of an iteration that does not converge"),
    (r"log_rank.*|gehan.*|tarone.*|modified.*|fleming.*", r"chi_square|p|z", "NE", "number",
     "no event, or never two groups at risk together: R prints a statistic of 0"),
    (r"log_rank", r"p", "number", "number", "a group never at risk at an event: R's runner counts it in the degrees of freedom"),
    (r"kaplan_meier.*|reverse_kaplan_meier", r"survival|se|lower|upper", "NE", "number",
     "beyond the last time, or a limit on a scale on which the estimate has no place (S = 0 or 1): R extends"),
    (r".*", r".*", "number", "refuses", "R needs two groups, two rows, or a variance; we say what can be said"),
]


def kind(text, outcome):
    if outcome == "unsupported":
        return "refuses"
    return "NE" if text in ("NA", "NaN", "NE", "") else "number"


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: compare_with_r.py R_VALUES.csv")
    confirmed, explained, unexplained = collections.Counter(), collections.Counter(), []
    with open(sys.argv[1], newline="") as file:
        for row in csv.DictReader(file):
            recipe = row["case"].rsplit(".", 1)[0]
            ours, theirs = kind(row["expected"], ""), kind(row["got"], row["outcome"])
            if row["outcome"] == "passed" or (ours == "NE" and theirs in ("NE", "refuses")):
                confirmed[recipe, ours] += 1
                continue
            for pattern, quantity, we, they, reason in KNOWN:
                if re.fullmatch(pattern, recipe) and re.fullmatch(quantity, row["quantity"]) and (we, they) == (ours, theirs):
                    explained[recipe, reason] += 1
                    break
            else:
                unexplained.append(row)
    recipes = sorted({recipe for recipe, _ in confirmed} | {recipe for recipe, _ in explained} | {
        row["case"].rsplit(".", 1)[0] for row in unexplained})
    print(f"{'':34} {'numbers':>8} {'both NE':>8} {'explained':>9} {'unexplained':>11}")
    empty = []
    totals = [0, 0, 0, 0]
    for recipe in recipes:
        counts = [confirmed[recipe, "number"], confirmed[recipe, "NE"],
                  sum(n for (name, _), n in explained.items() if name == recipe),
                  sum(row["case"].rsplit(".", 1)[0] == recipe for row in unexplained)]
        totals = [a + b for a, b in zip(totals, counts)]
        if counts[0] == 0:
            empty.append(recipe)
        print(f"{recipe:34} {counts[0]:8} {counts[1]:8} {counts[2]:9} {counts[3]:11}")
    print(f"{'total':34} {totals[0]:8} {totals[1]:8} {totals[2]:9} {totals[3]:11}\n")
    reasons = collections.Counter()
    for (_, reason), n in explained.items():
        reasons[reason] += n
    for reason, n in reasons.most_common():
        print(f"{n:6} explained: {reason}")
    for row in unexplained[:40]:
        print(f"unexplained: {row['case']} {row['quantity']} {row['at']}: ours {row['expected']}, R {row['got']} {row['note']}")
    for recipe in empty:
        print(f"R confirmed no number of {recipe}")
    sys.exit(4 if unexplained or empty or not recipes else 0)


if __name__ == "__main__":
    main()
