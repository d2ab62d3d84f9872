#!/usr/bin/env python3
"""Times the whole way from a CSV file of BDS data to a Kaplan-Meier curve beside R's data.table and survival, and keeps the table.

    bench/data.py [--participants N] [--runs N] [--without-mmrm]

The file is generated (fixed seed; 1,050,000 participants give 10,081,314 rows and 831 MB) in a temporary folder. Both programs are
timed as a person runs them, from start to end, one after the other in turn; the table has the smallest wall time of each, and the
processor time and peak memory of that run. R does what the question needs and no more: fread with a thread a core, the first
response at a visit, survfit. Ours carries out [source] with its checks, and writes results.json. Before a ratio is printed every
step of the curves must agree to 1e-12. Then, ours alone, the primary mixed model of the protocol too, with its alternatives.

Result: build/bench/data.md.
"""

import argparse
import datetime
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import processor

ROOT = Path(__file__).resolve().parent.parent
OURS = ROOT / "build/release/equipoise"
PROTOCOL = ROOT / "bench/data/bds.toml"
GOAL = 3  # times as fast as R
ARMS = {"Placebo": "placebo", "Low": "low", "High": "high"}


def generate(file, participants):
    """CD4 counts at baseline and nine visits, of which a tenth of the participants leave early; returns the number of rows."""
    rng = random.Random(7)
    gauss, uniform = rng.gauss, rng.random
    weeks = [0, 4, 12, 24, 36, 48, 60, 72, 84, 96]
    began = datetime.date(2020, 1, 1)
    dates = [(began + datetime.timedelta(days=i)).isoformat() for i in range(2000)]
    rows = 0
    with open(file, "w", buffering=1 << 20) as out:
        out.write("STUDYID,USUBJID,SITEID,TRT01P,TRTSDT,PARAMCD,AVISIT,AVISITN,ADT,ADY,AVAL,BASE,CHG,ANL01FL,DTYPE\n")
        for i in range(participants):
            arm, start, base, slope = i % 3, int(uniform() * 500), 150 + 40 * gauss(0, 1), 25 * gauss(0, 1)
            last = 9 if uniform() > 0.1 else int(uniform() * 9) + 1
            own = f"S1,S1-{i + 1:07d},{i % 20 + 1},{list(ARMS)[arm]},{dates[start]},CD4,"
            lines = []
            for k in range(last + 1):
                week, day = weeks[k], start + weeks[k] * 7
                value = base if k == 0 else base + slope + arm * week * 0.3 + 20 * gauss(0, 1)
                name = f"Week {week}" if week else "Baseline"
                lines.append(f"{own}{name},{week},{dates[day]},{week * 7 + 1},{value:.1f},{base:.1f},{value - base:.1f},Y,\n")
            out.write("".join(lines))
            rows += last + 1
    return rows


def timed(command):
    """Output, wall and processor seconds, and peak memory in GB of one run."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        said.seek(0)
        text = said.read().decode()
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{text}")
    return {"text": text, "wall": wall, "processor": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss * 1024 / 1e9}


def curves_of_ours(file):
    curves = [curve for curve in json.loads(file.read_text())["curves"] if curve["analysis"] == "km"]
    return {curve["at"]["group"]: curve["columns"] for curve in curves}


def difference(ours, theirs):
    """The largest between two steps of one arm; ours begin at time 0."""
    largest = 0.0
    for name, arm in ARMS.items():
        steps = dict(zip(ours[arm]["time"], ours[arm]["survival"]))
        others = dict(zip(theirs[name]["time"], theirs[name]["survival"]))
        if not set(others) <= set(steps):
            sys.exit(f"arm {arm}: R has a step at a time that ours has not")
        largest = max([largest] + [abs(steps[t] - s) / s for t, s in others.items() if s > 0])
    return largest


def row(name, run, rows):
    return f"| {name} | {run['wall']:.2f} s | {run['processor']:.2f} s | {run['peak']:.2f} GB | {rows / run['wall'] / 1e6:.2f} million |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--participants", type=int, default=1_050_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--without-mmrm", action="store_true")
    asked = parser.parse_args()
    if asked.participants < 100 or asked.runs < 1:
        sys.exit("at least 100 participants and one run")
    load = os.getloadavg()[0]
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="equipoise-bench-") as folder:
        data, results = Path(folder) / "adbds.csv", Path(folder) / "results.json"
        rows = generate(data, asked.participants)
        size = data.stat().st_size
        command = [OURS, "analyse", PROTOCOL, "--data", data, "--output", results]
        ours, theirs = [], []
        for _ in range(asked.runs):
            ours.append(timed([*command, "--analysis", "km"]))
            theirs.append(timed(["Rscript", "--vanilla", ROOT / "bench/data_peer.R", data, cores]))
        answer = json.loads(theirs[0]["text"].splitlines()[-1])
        apart = difference(curves_of_ours(results), answer["curves"])
        if not apart <= 1e-12:
            sys.exit(f"the curves differ by {apart:.1e}: no ratio is printed")
        mixed = None if asked.without_mmrm else timed(command)
    best, peer = (min(runs, key=lambda run: run["wall"]) for runs in (ours, theirs))
    inside = json.loads(peer["text"].splitlines()[-1])
    ratio = peer["wall"] / best["wall"]
    alone = (inside["fread"] + inside["survfit"]) / best["wall"]
    out = [f"{rows:,} rows of one BDS parameter ({asked.participants:,} virtual participants, {size / 1e6:,.0f} MB of CSV): read, first "
           "response at a visit derived, Kaplan-Meier by arm.", "",
           f"{processor()}, {cores} cores, {datetime.date.today().isoformat()}. Load when it began: {load:.1f}. Smallest wall time of "
           f"{asked.runs} run{'' if asked.runs == 1 else 's'} of whole processes, in turn. The curves agree to {apart:.1e}.", "",
           "| program | wall | processor | peak memory | rows a second |", "|---|---|---|---|---|",
           row("ours", best, rows),
           row(f"R, data.table {inside['version']} and survival", peer, rows)]
    if mixed:
        out.append(row("ours, and a primary MMRM of 9 visits and 3 arms with its alternatives", mixed, rows))
    out += ["", f"Of R's time fread is {inside['fread']:.1f} s, the derivation {inside['derive']:.1f} s, survfit {inside['survfit']:.1f} s. Ours is "
            f"{ratio:.1f} times as fast (goal {GOAL}: {'met' if ratio >= GOAL else 'MISSED'}), and {alone:.1f} times as fast as fread and survfit "
            f"alone; it takes {best['peak'] / peer['peak']:.2f} of the memory."]
    file = ROOT / "build/bench/data.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(["## From a file to a curve", "", *out, ""]))
    print(file.read_text())


if __name__ == "__main__":
    main()
