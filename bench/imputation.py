#!/usr/bin/env python3
"""Reference-based imputation of the antidepressant trial (172 participants, 4 visits): build/release/imputation_bench beside R.

The peer is the imputation model refitted by nlme's gls, which nearly all of the time of such an analysis goes to: a few of the 172 fits
without one participant are timed. With R's rbmi installed its whole analysis is timed too."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("EQUIPOISE_SHARED", ROOT.parent / "shared")) / "reference/cases/antidepressant_grid.csv"
GLS = """
suppressPackageStartupMessages(library(nlme))
d <- read.csv(commandArgs(TRUE)[1]); d <- d[!is.na(d$CHANGE) & d$ICE == 0, ]
d$VISIT <- factor(d$VISIT); d$j <- as.integer(d$VISIT); d$THERAPY <- factor(d$THERAPY, c('PLACEBO', 'DRUG'))
ids <- unique(d$PATIENT); ms <- c()
for (i in ids[1:8]) ms <- c(ms, 1e3 * system.time(gls(CHANGE ~ BASVAL * VISIT + THERAPY * VISIT, d[d$PATIENT != i, ],
  correlation = corSymm(form = ~ j | PATIENT), weights = varIdent(form = ~ 1 | VISIT)))[['elapsed']])
cat(median(ms), '\\n')
"""
RBMI = """
if (!requireNamespace('rbmi', quietly = TRUE)) { cat('none\\n'); quit() }
suppressPackageStartupMessages(library(rbmi))
d <- read.csv(commandArgs(TRUE)[1]); for (x in c('PATIENT', 'VISIT')) d[[x]] <- factor(d[[x]])
d$THERAPY <- factor(d$THERAPY, c('DRUG', 'PLACEBO'))
ice <- d[d$ICE == 1, ]; ice <- ice[!duplicated(ice$PATIENT), c('PATIENT', 'VISIT')]; ice$strategy <- 'JR'
vars <- set_vars(outcome = 'CHANGE', visit = 'VISIT', subjid = 'PATIENT', group = 'THERAPY',
                 covariates = c('BASVAL*VISIT', 'THERAPY*VISIT'))
ms <- 1e3 * system.time({
  made <- draws(d, ice, vars, method_condmean(type = 'jackknife'), quiet = TRUE)
  made <- impute(made, references = c(DRUG = 'PLACEBO', PLACEBO = 'PLACEBO'))
  vars$covariates <- 'BASVAL'
  made <- pool(analyse(made, vars = vars))
})[['elapsed']]
cat(ms, made$pars$trt_7$est, made$pars$trt_7$se, '\\n')
"""


def r(code):
    return subprocess.run(["Rscript", "--vanilla", "-e", code, str(DATA)], check=True, capture_output=True, text=True).stdout.split()


def main():
    program = ROOT / "build/release/imputation_bench"
    if not program.exists():
        sys.exit("this build has no imputation_bench")
    if not DATA.exists():
        print(f"imputation: not timed, its data are read in place and {DATA} does not exist")
        return
    print("| antidepressant, jump to reference | ms | processor ms | DRUG - PLACEBO at the last visit | SE |\n|---|---|---|---|---|")
    jackknife = None
    for variance in ("jackknife", "tipping", "bootstrap", "bayes", "approximate_bayes"):
        ours = json.loads(subprocess.run([program, DATA, variance], check=True, capture_output=True, text=True).stdout)
        jackknife = jackknife or ours
        print(f"| {variance} | {ours['ms']:.2f} | {ours['cpu_ms']:.2f} | {ours['estimate']:.5f} | {ours['se']:.5f} |")
    fit = float(r(GLS)[0])
    people = jackknife["participants"]
    print(f"\nOne fit of the imputation model by nlme::gls: {fit:.0f} ms, so {people} of them {people * fit / 1000:.0f} s: "
          f"{people * fit / jackknife['ms']:.0f} times our whole jackknife.")
    peer = r(RBMI)
    if peer[0] == "none":
        print("R's rbmi is not installed.")
    else:
        ms, estimate, se = map(float, peer)
        if abs(-estimate - jackknife["estimate"]) > 1e-3 or abs(se - jackknife["se"]) > 1e-3:
            sys.exit(f"rbmi says {-estimate} ({se}), this build {jackknife['estimate']} ({jackknife['se']})")
        print(f"rbmi's jackknife: {ms:.0f} ms, {ms / jackknife['ms']:.0f} times ours, the same numbers to 1e-3.")


if __name__ == "__main__":
    main()
