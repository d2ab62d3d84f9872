#!/usr/bin/python3
"""Times statsmodels on the columns of survival_bench: survival_peers.py FILE ROWS JOB RUNS. Prints what survival_bench prints.

/usr/bin/python3: the interpreter for which Debian's python3-statsmodels is installed.
"""

import json
import math
import resource
import sys
import time

import numpy as np
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

ARMS = 3


def columns(file, rows):
    numbers = np.fromfile(file, dtype="<f8", count=7 * rows).reshape(7, rows)
    arm = np.fromfile(file, dtype="<i4", count=rows, offset=7 * rows * 8)
    return numbers[0].copy(), numbers[1].copy(), arm


def at(curve, t):
    i = np.searchsorted(curve.surv_times, t, side="right") - 1
    return [float(curve.surv_prob[i]), float(curve.surv_prob_se[i])]


def job_of(name, time_, event, arm):
    asked = [2, 5, 10]
    if name.endswith("_days"):
        time_, name, asked = np.ceil(time_ * 365.25), name[:-5], [365 * t for t in asked]
    if name == "kaplan_meier_one":
        return lambda: [v for curve in [SurvfuncRight(time_, event)] for t in asked for v in at(curve, t)]
    if name == "kaplan_meier":  # each arm's rows are taken out beforehand: that is not timed
        parts = [(time_[arm == a], event[arm == a]) for a in range(ARMS)]
        return lambda: [v for part in parts for curve in [SurvfuncRight(*part)] for t in asked for v in at(curve, t)]
    if name == "log_rank":
        return lambda: [float(survdiff(time_, event, arm)[0])]
    sys.exit(f"no job is called {name}")


def main():
    file, rows, name, runs = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    job = job_of(name, *columns(file, rows))
    wall, cpu = [], []
    for _ in range(runs):
        started, cpu_started = time.perf_counter(), time.process_time()
        answers = job()
        cpu.append(1e3 * (time.process_time() - cpu_started))
        wall.append(1e3 * (time.perf_counter() - started))
    print(json.dumps({"job": name, "n": rows, "wall_ms": wall, "cpu_ms": cpu,
                      "answers": [None if math.isnan(a) else a for a in answers],
                      "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))


if __name__ == "__main__":
    main()
