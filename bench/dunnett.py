#!/usr/bin/env python3
"""Dunnett critical values: build/release/dunnett_bench beside R's mvtnorm::qmvt. dunnett_bench prints a line of JSON for each case:
{"job": ..., "groups": k, "n": per group, "us": [microseconds, ...], "value": critical value}."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEER = """
suppressPackageStartupMessages(library(mvtnorm))
w <- as.integer(commandArgs(TRUE)); k <- w[1]; n <- w[2]
corr <- matrix(0.5, k, k); diag(corr) <- 1
set.seed(1)
best <- Inf
for (i in 1:5) best <- min(best, system.time(v <- qmvt(0.95, tail = 'both', df = (k + 1) * (n - 1), corr = corr)$quantile)[['elapsed']])
cat(v, best * 1e6, '\\n')
"""


def main():
    program = ROOT / "build/release/dunnett_bench"
    if not program.exists():
        sys.exit("this build has no dunnett_bench")
    print("| versus control | ours us | value | mvtnorm us | value | ratio |\n|---|---|---|---|---|---|")
    for line in subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines():
        ours = json.loads(line)
        value, us = map(float, subprocess.run(["Rscript", "--vanilla", "-e", PEER, str(ours["groups"]), str(ours["n"])], check=True,
                                              capture_output=True, text=True).stdout.split())
        best = min(ours["us"])
        if abs(value - ours["value"]) > 5e-3:  # qmvt is a Monte Carlo method
            sys.exit(f"critical values differ: {ours['value']} and {value}")
        print(f"| {ours['groups']} | {best:.1f} | {ours['value']:.7f} | {us:.0f} | {value:.5f} | {us / best:.0f} |")


if __name__ == "__main__":
    main()
