#!/usr/bin/env python3
"""Times the whole report of examples/cgd against R computing the same numbers, and keeps the result with the machine's name.

R writes no page: it only prints the numbers, so the comparison favours it. Each time is the median of fresh processes from the
command to its exit, after one run that warms the file cache. Result: build/bench/cgd_report.json.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from machine import processor

ROOT = Path(__file__).resolve().parent.parent
RUNS = 11
EQUIPOISE = ["build/release/equipoise", "report", "examples/cgd/protocol.toml", "--data", "examples/cgd/cgd.csv",
             "--output", "build/bench/cgd"]
R = ["Rscript", "--vanilla", "bench/cgd_report.R", "examples/cgd/cgd.csv"]


def run(command):
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
    return seconds, done.stdout


def seconds_inside_r(output):
    return float(output.rsplit("seconds", 1)[1])


def main():
    run(EQUIPOISE), run(R)
    ours = [run(EQUIPOISE)[0] for _ in range(RUNS)]
    theirs = [run(R) for _ in range(RUNS)]
    result = {
        "benchmark": "cgd_report",
        "equipoise_report_seconds": statistics.median(ours),
        "equipoise_report_seconds_range": [min(ours), max(ours)],
        "r_numbers_seconds": statistics.median(seconds for seconds, _ in theirs),
        "r_numbers_seconds_without_start": statistics.median(seconds_inside_r(output) for _, output in theirs),
        "runs": RUNS,
        "processor": processor(),
        "cores": os.cpu_count(),
    }
    target = ROOT / "build/bench/cgd_report.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n")

    report, numbers = result["equipoise_report_seconds"], result["r_numbers_seconds"]
    print(f"{result['processor']}, {result['cores']} cores; medians of {RUNS} runs")
    print(f"equipoise, protocol and data to the report   {report:8.3f} s   ({min(ours):.3f} to {max(ours):.3f})")
    print(f"R, data to the same numbers, no report       {numbers:8.3f} s   "
          f"({result['r_numbers_seconds_without_start']:.3f} s of it after R and its package have started)")
    print(f"ratio                                        {numbers / report:8.1f}")


if __name__ == "__main__":
    main()
