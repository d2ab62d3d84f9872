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

# (recipe, quantity, ours, R's, reason). "NE": no number; "number": a number; R's "refuses": it stopped with an error. Where both are
# numbers, `NARROW` says more.
KNOWN = [
    (r"cox_.*|fine_gray|proportional_hazards.*", r".*", "NE", "number",
     "a coefficient is infinite, aliased or without events: R prints the last step of an iteration that does not converge"),
    (r"logistic", r".*", "NE", "number",
     "separated or constant columns: R prints the last step of an iteration that does not converge"),
    (r"logistic", r"deviance", "number", "number",
     "a constant column: the runner's glm takes it for one that varies (its tolerance follows epsilon) and stops short of the maximum"),
    (r"log_rank.*|gehan.*|tarone.*|modified.*|fleming.*|max_combo", r"chi_square|statistic|p|z", "NE", "number",
     "no event, or never two groups at risk together: R prints a statistic of 0"),
    (r"log_rank", r"p", "number", "number", "a group never at risk at an event: R's runner counts it in the degrees of freedom"),
    (r"max_combo", r".*", "number", "NE", "a component without weight is left out, with a note: R divides 0 by 0"),
    (r"gray_test", r".*", "NE|number", "number", "cuminc gives -1 when its variance is singular"),
    (r"kaplan_meier.*|reverse_kaplan_meier|aalen_johansen", r"survival|se|lower|upper|cumulative_incidence", "NE", "number",
     "beyond the last time, or a limit on a scale on which the estimate has no place (S = 0 or 1): R extends"),
    (r"rmst_difference", r"p", "NE", "number", "a standard error of 0: R prints P = 0"),
    (r"(odds|risk)_ratio|mantel_haenszel_odds_ratio", r".*", "NE", "number", "an empty cell: R prints 0 or Inf"),
    (r"breslow_day", r"chi_square", "number", "NE|number",
     "a stratum that says nothing is left out: R divides by its variance of 0, or by the rounding of it"),
    (r"pearson_chi_square_table", r".*", "NE", "number", "one group: R tests the goodness of fit of its responses"),
    (r"ancova|dunnett", r".*", "NE", "number", "a response without variation or spare rows: R divides rounding by rounding"),
    (r"ancova", r"estimate|residual_sd", "number", "number", "a response without variation: R prints rounding where we print 0"),
    (r"kruskal_wallis", r"df", "NE", "number", "all values tied: R gives degrees of freedom to a statistic that is none"),
    (r"signed_rank.*", r"statistic", "NE", "number", "every difference is 0: R prints a sum of no ranks"),
    (r"cox_counting_robust", r"p", "number", "NE", "estimate and robust standard error are 0"),
    (r".*", r".*", "number", "refuses", "R needs two groups, two rows, or a variance; we say what can be said"),
]


# Absolute accuracy, where a relative tolerance says too much near 0: Miwa's integration in 256 steps, the stopping rule of crr, a
# deviance or log likelihood of 0 under separation.
ABSOLUTE = {"max_combo": 1e-6, "fine_gray": 1e-7, "logistic": 1e-10, "cox_efron": 1e-12}

# Two numbers that differ are explained only if this holds of (ours, R's).
NARROW = {
    "logistic": lambda ours, theirs: ours < theirs,  # a smaller deviance is the greater likelihood
    "log_rank": lambda ours, theirs: ours < theirs,  # fewer degrees of freedom
    "gray_test": lambda ours, theirs: theirs in (-1, 1),
    "breslow_day": lambda ours, theirs: abs(ours - theirs) < 0.005,
    "ancova": lambda ours, theirs: ours == 0 and abs(theirs) < 1e-13,
}


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
            close = ours == theirs == "number" and abs(float(row["expected"]) - float(row["got"])) < ABSOLUTE.get(recipe, 0)
            if row["outcome"] == "passed" or close or (ours == "NE" and theirs in ("NE", "refuses")):
                confirmed[recipe, ours] += 1
                continue
            both = (ours, theirs) == ("number", "number")
            alike = not both or NARROW.get(recipe, lambda *_: False)(float(row["expected"]), float(row["got"]))
            for pattern, quantity, we, they, reason in KNOWN if alike else []:
                if re.fullmatch(pattern, recipe) and re.fullmatch(quantity, row["quantity"]) and ours in we.split("|") and theirs in they.split("|"):
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
