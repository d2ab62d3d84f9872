#!/usr/bin/env python3
"""Times rehearsals of trials by `equipoise simulate`, and beside R's rpact, and keeps the table.

    bench/rehearsal.py [--protocol FILE --scenario ID]

Ours is the time of the whole command less that of one trial, which reads the protocol and makes the true values. (a) the trial of
examples/msc-inr with accrual, eligibility, minimisation, noise and dropout: with the log-rank tests of the response alone, and with a
mixed model of 72 x 9 by Satterthwaite too. A curve claims nothing by itself, so the Kaplan-Meier of the plan costs nothing in a
rehearsal. (b) a survival trial of 200 with one look; the peer stops at the number of events that our fixed follow-up of everybody
expects, as our protocols end follow-up by time: a peer may not fall short of ours in power by more than 3 points, or no ratio is
printed. (c) where a trial's time goes: each analysis of the flagship's plan alone, less a trial with the cheapest of them.

Result: build/bench/rehearsal.md.
"""

import argparse
import datetime
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import processor

ROOT = Path(__file__).resolve().parent.parent
OURS = ROOT / "build/release/equipoise"
FOLDER = ROOT / "bench/rehearsal"
FLAGSHIP = ROOT / "examples/msc-inr/protocol.toml"
EVENTS = 84  # 100 (1 - 1/2) + 100 (1 - 2^-0.6)
RPACT = """
if (!requireNamespace('rpact', quietly = TRUE)) { cat('none\\n'); quit() }
suppressPackageStartupMessages(library(rpact))
design <- getDesignGroupSequential(kMax = 1, alpha = 0.025, sided = 1)
run <- function(n) system.time(made <<- getSimulationSurvival(design, hazardRatio = 0.6, median2 = 12, accrualTime = c(0, 12),
  accrualIntensity = 200 / 12, maxNumberOfSubjects = 200, plannedEvents = %d, directionUpper = FALSE, maxNumberOfIterations = n,
  seed = 1))[['elapsed']]
run(100)
cat(20000 / min(run(20000), run(20000), run(20000)), made$overallReject, '\\n')
""" % EVENTS


def simulate(protocol, replicates, threads=1, *words):
    """Seconds by the wall, seconds of the processor, and the answer."""
    with tempfile.TemporaryDirectory() as folder:
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([OURS, "simulate", protocol, "--replicates", str(replicates), "--threads", str(threads), "--output", folder, *words],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        answer = json.loads((Path(folder) / "rehearsal.json").read_text())
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, answer


def rate(protocol, replicates, threads=1, *words):
    """Microseconds a trial by the wall and of the processor: the least of three, less those of one trial."""
    one = [simulate(protocol, 1, threads, *words) for _ in range(3)]
    many = [simulate(protocol, replicates + 1, threads, *words) for _ in range(3)]
    each = [(min(run[k] for run in many) - min(run[k] for run in one)) / replicates * 1e6 for k in (0, 1)]
    return each[0], each[1], many[0][2]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--protocol", default=str(FLAGSHIP))
    parser.add_argument("--scenario", default="as-published")
    arguments = parser.parse_args()
    if not OURS.exists():
        sys.exit("build/release/equipoise is not built")
    out = ["## Rehearsals", "",
           f"{processor()}, {os.cpu_count()} cores, {datetime.date.today()}. Load when it began: {os.getloadavg()[0]:.1f}.", "",
           "| trial | threads | trials a second | us a trial by the wall | of the processor | of one thread |", "|---|---|---|---|---|---|"]
    for name, replicates in (("without.toml", 20000), ("with_mmrm.toml", 4000)):
        single = None
        for threads in (1, 2):
            wall, cpu, _ = rate(FOLDER / name, replicates, threads, "--scenario", "as-published")
            single = single or wall
            out.append(f"| {name[:-5].replace('_', ' ')} | {threads} | {1e6 / wall:,.0f} | {wall:.1f} | {cpu:.1f} | x {single / wall:.2f} |")
    wall, cpu, answer = rate(FOLDER / "survival.toml", 20000)
    power = answer["scenarios"][0]["statements"][0]["rejected"]
    share = power["n"] / power["of"]
    out += ["", "| survival trial, one look, 200 participants | trials a second | power |", "|---|---|---|",
            f"| equipoise, one thread | {1e6 / wall:,.0f} | {'' if share is None else f'{share:.3f}'} |"]
    words = subprocess.run(["Rscript", "--vanilla", "-e", RPACT], check=True, capture_output=True, text=True).stdout.split()
    wrong = False
    if words and words[0] != "none":
        peer, its_power = float(words[-2]), float(words[-1])
        out.append(f"| rpact getSimulationSurvival, {EVENTS} events | {peer:,.0f} | {its_power:.3f} |")
        wrong = share is not None and abs(share - its_power) > 0.03
        out += ["", f"Ours is {1e6 / wall / peer:.2f} times as fast." if not wrong else "The powers are too far apart for a ratio."]
    plan = simulate(arguments.protocol, 1, 1, "--scenario", arguments.scenario)[2]
    analyses = list(dict.fromkeys(one["analysis"] for one in plan["scenarios"][0]["statements"]))
    times = {}
    for analysis in analyses:
        times[analysis] = rate(arguments.protocol, 60 if "jump" in analysis else 1500, 1, "--scenario", arguments.scenario, "--analysis",
                               analysis)[1]
    least = min(times.values())
    out += ["", f"Where a trial of {Path(arguments.protocol).parent.name} goes, processor us a trial: {least:.0f} with the cheapest analysis "
            "alone, generation and counting included; what each adds to that:", "", "| analysis | us |", "|---|---|"]
    out += [f"| {analysis} | {spent - least:,.0f} |" for analysis, spent in times.items()]
    folder = ROOT / "build/bench"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rehearsal.md").write_text("\n".join(out) + "\n")
    print("\n".join(out))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
