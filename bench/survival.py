#!/usr/bin/env python3
"""Times Kaplan-Meier, log-rank and Cox on generated columns beside R's survival and statsmodels, and keeps the table.

    bench/survival.py [--rows N] [--runs N] [--growth ROWS,ROWS,...]

Every program reads the same file (fixed seed), holds its columns in memory, and is timed over the call alone: our method's `run` on
a frame; SurvfuncRight and survdiff of statsmodels; survfit and survdiff with their formula, coxph.fit without. A ratio is of the
smallest processor times (user + system) of the runs, since other work on the machine moves wall time more; wall medians are beside it.
Before a ratio is printed the answers must agree. Growth is measured in a process of its own for each size.

Result: build/bench/survival.md and survival.json.
"""

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from machine import processor

ROOT = Path(__file__).resolve().parent.parent
OURS = "build/release/survival_bench"
PYTHON = ["/usr/bin/python3", "bench/survival_peers.py"]
R = ["Rscript", "--vanilla", "bench/survival_peers.R"]

# job, peer, name of the peer, bar (times as fast), relative difference of the answers that counts as agreement.
# The peers as called here do not merge near ties, so neither do ours for the comparison: a million additions and products in another
# order are off by some 1e-12.
# statsmodels takes S as exp of a sum of logarithms of 1 - d/n: at a million times it is off in the 10th digit.
PAIRS = [
    ("kaplan_meier_one", PYTHON, "statsmodels SurvfuncRight", 8, 1e-9),
    ("kaplan_meier", PYTHON, "statsmodels, one call an arm", 8, 1e-9),
    ("kaplan_meier", R, "survfit", 100, 1e-11),
    ("kaplan_meier_days", PYTHON, "statsmodels, one call an arm", 8, 1e-9),
    ("log_rank", PYTHON, "statsmodels survdiff", 15, 1e-7),
    ("log_rank", R, "survdiff", 100, 1e-9),
    ("log_rank_days", PYTHON, "statsmodels survdiff", 15, 1e-7),
    ("cox", R, "coxph.fit", 5, 1e-8),
    ("concordance", R, "concordancefit", None, 1e-8),
]
# Milliseconds that one core needs at a million rows: a radix sort and one pass (curves, rank tests), a count and one pass (recorded
# days), a sort, a gather and five passes (Cox), a sort and n log n counts (concordance).
FLOORS = {"kaplan_meier_one": 10, "kaplan_meier": 10, "log_rank": 10, "kaplan_meier_days": 1, "log_rank_days": 1, "cox": 35,
          "concordance": 40}
GROWTH = ["kaplan_meier", "log_rank", "cox"]
NUMERIC_COLUMNS = {"kaplan_meier": 2, "log_rank": 2, "cox": 7}


def run(command):
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def measured(command):
    got = json.loads(run([str(word) for word in command]).strip().splitlines()[-1])
    # The first run warms caches and the allocator; it is left out where there are others.
    wall, cpu = got["wall_ms"][1:] or got["wall_ms"], got["cpu_ms"][1:] or got["cpu_ms"]
    return {"wall": statistics.median(wall), "cpu": min(cpu), "cpu_median": statistics.median(cpu), "answers": got["answers"],
            "peak_mib": got["peak_kib"] / 1024}


def data(rows):
    file = ROOT / f"build/bench/survival_{rows}.bin"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        run([OURS, "generate", str(rows), str(file)])
    return file


def difference(ours, theirs):
    if len(ours) != len(theirs):
        sys.exit(f"{len(ours)} answers of ours and {len(theirs)} of the peer")
    return max(abs(a - b) / max(abs(b), 1e-8) for a, b in zip(ours, theirs))


def compare(rows, runs):
    file, ours, table = data(rows), {}, []
    for job, peer, name, bar, tolerance in PAIRS:
        if job not in ours:
            ours[job] = measured([OURS, "time", file, rows, job, runs])
        theirs = measured([*peer, file, rows, job, min(runs, 4)])
        apart = difference(ours[job]["answers"], theirs["answers"])
        if not apart <= tolerance:
            sys.exit(f"{job}: our answers and those of {name} differ by {apart:.2g}, more than {tolerance:g}")
        table.append({"job": job, "rows": rows, "ours_ms": ours[job]["cpu"], "ours_wall_ms": ours[job]["wall"], "peer": name,
                      "peer_ms": theirs["cpu"], "peer_wall_ms": theirs["wall"], "ratio": theirs["cpu"] / ours[job]["cpu"],
                      "bar": bar, "floor_ms": FLOORS[job] * rows / 1e6, "difference": apart})
        print(f"{job} beside {name}: {table[-1]['ratio']:.1f} times", file=sys.stderr)
    return table


def growth(sizes):
    table = []
    for rows in sizes:
        file = data(rows)
        columns = measured([OURS, "columns", file, rows])["peak_mib"]
        for job in GROWTH:
            got = measured([OURS, "time", file, rows, job, 3 if rows < 5e6 else 2])
            numeric = NUMERIC_COLUMNS[job] * 8 * rows / 2**20
            # The process holds all 7 numeric columns and the arms; a method's own share is what it adds, over its own columns.
            table.append({"job": job, "rows": rows, "ms": got["cpu"], "peak_mib": got["peak_mib"],
                          "memory_ratio": (numeric + got["peak_mib"] - columns) / numeric})
        if rows > 2e6:
            file.unlink()
    return table


def markdown(result):
    lines = [f"# Survival at {result['rows']:,} rows", "",
             f"{result['processor']}, {result['cores']} cores, {result['date']}. Load when it began: {result['load']:.1f}. Smallest processor "
             f"time of {result['runs']} runs (peers of 4); each first run is left out. Answers agree to the difference shown.", "",
             "| job | ours ms (wall) | peer | peer ms (wall) | ratio | bar | floor ms | ours/floor | difference |",
             "|---|---|---|---|---|---|---|---|---|"]
    for row in result["peers"]:
        bar = "-" if row["bar"] is None else f"{row['bar']} {'met' if row['ratio'] >= row['bar'] else 'MISSED'}"
        lines.append(f"| {row['job']} | {row['ours_ms']:.1f} ({row['ours_wall_ms']:.1f}) | {row['peer']} | {row['peer_ms']:.0f} "
                     f"({row['peer_wall_ms']:.0f}) | {row['ratio']:.1f} | {bar} | {row['floor_ms']:.0f} | "
                     f"{row['ours_ms'] / row['floor_ms']:.1f} | {row['difference']:.1e} |")
    lines += ["", "Growth. Memory is what the method's numeric columns and everything it adds take, over those columns; the bar is 3.", "",
              "| job | rows | ms | peak MiB of the process | memory over its columns |", "|---|---|---|---|---|"]
    lines += [f"| {row['job']} | {row['rows']:,} | {row['ms']:.1f} | {row['peak_mib']:.0f} | {row['memory_ratio']:.2f} |"
              for row in result["growth"]]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--growth", default="10000,100000,1000000,10000000")
    arguments = parser.parse_args()
    result = {"benchmark": "survival", "rows": arguments.rows, "runs": arguments.runs, "processor": processor(), "cores": os.cpu_count(),
              "date": datetime.date.today().isoformat(), "load": os.getloadavg()[0]}
    result["peers"] = compare(arguments.rows, arguments.runs)
    result["growth"] = growth([int(rows) for rows in arguments.growth.split(",") if rows])
    (ROOT / "build/bench/survival.json").write_text(json.dumps(result, indent=2) + "\n")
    (ROOT / "build/bench/survival.md").write_text(markdown(result))
    print(markdown(result))
    if any(row["bar"] is not None and row["ratio"] < row["bar"] for row in result["peers"]):
        print("A bar was missed.", file=sys.stderr)


if __name__ == "__main__":
    main()
