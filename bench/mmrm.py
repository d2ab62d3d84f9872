#!/usr/bin/env python3
"""Times mixed models for repeated measures on generated trials beside R's nlme, glmmTMB and lme4, and keeps the table.

    bench/mmrm.py [--patience SECONDS]

Ours is the time from a frame of rows to the estimate, standard error and degrees of freedom of one contrast; theirs that of the fit
alone, without degrees of freedom. All fit arm * visit + base with an unstructured covariance by REML to the same file (fixed seed).
Before a ratio is printed the contrast must agree to a thousandth of its standard error, and our -2 log restricted likelihood must not be
above the peer's by more than 1e-8 of it. A peer that takes longer than the patience is said to.

Result: build/bench/mmrm.md.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

from machine import processor

ROOT = Path(__file__).resolve().parent.parent
OURS = ROOT / "build/release/mmrm_bench"
PEERS = ["gls", "glmmTMB", "lme4"]
# job, method of degrees of freedom: floor (what its arithmetic takes on one core), goal and bar, in milliseconds
JOBS = {("trial_72x9", "satterthwaite"): (0.04, 0.16, 0.32), ("trial_72x9", "kenward_roger"): (0.06, 0.35, 1.05),
        ("fev_size_200x4", "satterthwaite"): (0.02, 0.08, 0.24), ("large_1000x10", "satterthwaite"): (0.5, 1.7, 5.1),
        ("large_1000x10", "kenward_roger"): (0.8, 2.9, 8.7), ("huge_10000x8", "satterthwaite"): (0.2, 3.0, 9.0)}


def ours(*words):
    done = subprocess.run([OURS, *words], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def peer(name, file, patience):
    try:
        done = subprocess.run(["Rscript", "--vanilla", ROOT / "bench/mmrm_peers.R", file, name], capture_output=True, text=True,
                              timeout=patience)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode != 0:
        return {"failed": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no message"}
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patience", type=float, default=120)
    patience = parser.parse_args().patience
    if not OURS.exists():
        sys.exit("this build has no mmrm_bench")
    folder = ROOT / "build/bench"
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([OURS, "write", folder], check=True)
    measured = ours("run")
    wrong = []
    out = ["## Mixed models for repeated measures", "",
           f"{processor()}, {os.cpu_count()} cores, {datetime.date.today()}. Load when it began: {os.getloadavg()[0]:.1f}. Milliseconds; ours is the "
           "smallest of some hundred runs.", "",
           "| job | patterns | degrees of freedom | ours ms | floor | ours/floor | goal | bar | steps | us a step |",
           "|---|---|---|---|---|---|---|---|---|---|"]
    for got in measured:
        key = (got["job"], got["df_method"])
        if key not in JOBS:
            continue
        floor, goal, bar = JOBS[key]
        ms = got["us"] / 1e3
        out.append(f"| {got['job']} | {got['patterns']} | {got['df_method']} | {ms:.3f} | {floor} | {ms / floor:.1f} | {goal} | "
                   f"{bar} {'met' if ms <= bar else 'MISSED'} | {got['iterations']} | {got['step_us']:.1f} |")
    out += ["", "| job | peer | ms | ours ms | ratio | contrast, in standard errors apart | -2 log likelihood, peer less ours |",
            "|---|---|---|---|---|---|---|"]
    for got in measured:
        if got["df_method"] != "satterthwaite" or (got["job"], "satterthwaite") not in JOBS:
            continue
        for name in PEERS:
            theirs = peer(name, folder / f"{got['job']}.csv", patience)
            if theirs is None or "failed" in theirs:
                out.append(f"| {got['job']} | {name} | {theirs['failed'] if theirs else f'more than {patience * 1e3:.0f}'} | "
                           f"{got['us'] / 1e3:.3f} | | | |")
                continue
            apart = abs(theirs["estimate"] - got["estimate"]) / got["se"]
            better = theirs["neg2"] - got["neg2"]
            if apart > 1e-3:
                wrong.append(f"{got['job']}: {name} estimates {theirs['estimate']}, this build {got['estimate']}")
            if better < -1e-8 * abs(theirs["neg2"]):
                wrong.append(f"{got['job']}: {name} has -2 log likelihood {theirs['neg2']}, this build {got['neg2']}")
            out.append(f"| {got['job']} | {name} | {theirs['ms']:.0f} | {got['us'] / 1e3:.3f} | {theirs['ms'] * 1e3 / got['us']:.0f} | "
                       f"{apart:.1e} | {better:.1e} |")
    out += ["", "Growth at 8 patterns: the fit does not depend on the participants, reading the rows does.", "",
            "| participants | rows | ms | of it reading the rows | us a step | steps | peak MiB | of it the data |", "|---|---|---|---|---|---|---|---|"]
    for got in measured:
        if got["job"].startswith("grow") and got["df_method"] == "satterthwaite":
            memory = ours("once", got["job"])[0]
            out.append(f"| {int(got['job'].split('_')[1]):,} | {got['rows']:,} | {got['us'] / 1e3:.2f} | {got['fold_us'] / 1e3:.2f} | "
                       f"{got['step_us']:.1f} | {got['iterations']} | {memory['peak_kib'] / 1024:.0f} | {memory['data_kib'] / 1024:.0f} |")
    text = "\n".join(out) + "\n"
    print(text)
    (folder / "mmrm.md").write_text(text)
    if wrong:
        sys.exit("\n".join(["The answers do not agree:"] + wrong))


if __name__ == "__main__":
    main()
