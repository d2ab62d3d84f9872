#!/usr/bin/env python3
"""Error rates of every test and coverage of every interval: docs/methods/error_rates.md and error_rates.csv.

  evidence_table.py run [PROTOCOL...] [--binary B] [--intervals I] [--threads N] [--replicates N]
                                          rehearse the protocols of tests/evidence (default: all) and write the table
  evidence_table.py page                  write the page from the counts that are there
  evidence_table.py check [...]           the first hundredth of every run again: its counts must be the committed ones, exactly

What is run, what the rows are called when the protocol does not say, and why a rate is not nominal stands in tests/evidence/plan.toml.
A row more than three Monte Carlo standard errors from its nominal value and without an explanation stops `run` and `page`.
"""
import argparse
import csv
import fnmatch
import json
import math
import os
import subprocess
import sys
import time
import tomllib

FOLDER = "tests/evidence"
COUNTS = "docs/methods/error_rates.csv"
PAGE = "docs/methods/error_rates.md"
COLUMNS = ["protocol", "digest", "scenario", "analysis", "arm", "what", "n", "of", "tested_n", "tested_of"]


def stop(message):
    sys.exit(f"evidence_table: {message}")


def read_toml(path):
    with open(path, "rb") as file:
        return tomllib.load(file)


def protocol_of(name):
    return read_toml(f"{FOLDER}/{name}.toml")


def questions():
    with open(f"{FOLDER}/intervals.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


# ---- Running --------------------------------------------------------------------------------------------------------


def wanted_analyses(run, protocol):
    every = [analysis["id"] for analysis in protocol["analysis"]]
    for key in ("only", "except"):
        for one in run.get(key, []):
            if one not in every:
                stop(f"{run['protocol']} has no analysis '{one}'")
    return [one for one in every if one in run.get("only", every) and one not in run.get("except", [])]


def rehearsed(run, replicates, seed, tools):
    """Counts by (scenario, analysis, arm, what), and the protocol's digest."""
    name = run["protocol"]
    protocol = protocol_of(name)
    path = f"{FOLDER}/{name}.toml"
    analyses = wanted_analyses(run, protocol)
    command = [tools.binary, "simulate", path, "--json", "--replicates", str(replicates), "--seed", str(seed), "--threads", str(tools.threads)]
    if len(analyses) < len(protocol["analysis"]):
        for one in analyses:
            command += ["--analysis", one]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        stop(f"{' '.join(command)}\n{done.stderr}")
    answer = json.loads(done.stdout)
    counts = {}
    by_arm = {analysis["id"] for analysis in protocol["analysis"] if analysis.get("by") == "arm"}
    first_scenario = answer["scenarios"][0]["id"]
    for scenario in answer["scenarios"]:
        where = scenario["id"]

        def keep(analysis, arm, what, share):
            counts[where, analysis, arm, what] = (share["n"], share["of"])

        for row in scenario["statements"]:
            arm = row["arm"]
            # The null hypothesis of a change within an arm holds in the first scenario alone: nothing moves there.
            true = where == first_scenario if row["analysis"] in by_arm else row.get("no_difference", False)
            keep(row["analysis"], arm, "error" if true else "power", row["rejected"])
            if row["not_estimable"]["n"] > 0:
                keep(row["analysis"], arm, "no answer", row["not_estimable"])
            if row.get("coverage"):
                keep(row["analysis"], arm, "coverage", row["coverage"])
        for row in scenario["claims"]:
            keep(row["id"], "", "claim", row["holds"])
        if scenario.get("family_wise_error"):
            keep("[multiplicity]", "", "family", scenario["family_wise_error"])
    asked = [q for q in questions() if q["protocol"] == name and q["analysis"] in analyses]
    if asked:
        command = [tools.intervals, path, f"{FOLDER}/intervals.jsonl", str(replicates), str(seed), str(tools.threads)]
        command += sorted({q["analysis"] for q in asked})
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            stop(f"{' '.join(command)}\n{done.stderr}")
        lines = questions()
        for row in json.loads(done.stdout):
            question = lines[row["line"] - 1]
            if question["analysis"] in analyses:
                key = (row["scenario"], question["analysis"], question["arm"], "coverage of " + question["quantity"])
                counts[key] = (row["covered"], row["intervals"])
    return counts, answer["protocol_digest"], answer["version"]


def tested_replicates(run, replicates):
    return min(replicates, run.get("tested", max(1, replicates // 100)))


def read_counts():
    if not os.path.exists(COUNTS):
        return []
    with open(COUNTS, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def facts():
    """Seed and version, from the first line of the counts."""
    with open(COUNTS, encoding="utf-8") as file:
        return json.loads(file.readline().removeprefix("#"))


def write_counts(rows, known):
    partial = COUNTS + ".partial"
    with open(partial, "w", encoding="utf-8", newline="") as file:
        file.write("# " + json.dumps(known) + "\n")
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(partial, COUNTS)


def run_all(plan, arguments):
    chosen = [run for run in plan["run"] if not arguments.protocols or run["protocol"] in arguments.protocols]
    if not chosen:
        stop(f"no run of {', '.join(arguments.protocols)} in {FOLDER}/plan.toml")
    for run in chosen:
        replicates = min(run["replicates"], arguments.replicates or run["replicates"])
        began = time.monotonic()
        whole, digest, version = rehearsed(run, replicates, plan["seed"], arguments)
        first, _, _ = rehearsed(run, tested_replicates(run, replicates), plan["seed"], arguments)
        rows = []
        for key, (n, of) in whole.items():
            scenario, analysis, arm, what = key
            tested = first.get(key, (0, 0))
            rows.append(dict(zip(COLUMNS, [run["protocol"], digest, scenario, analysis, arm, what, n, of, *tested])))
        analyses = set(wanted_analyses(run, protocol_of(run["protocol"])))
        others = [claim["id"] for claim in protocol_of(run["protocol"]).get("claim", [])] + ["[multiplicity]"]
        kept = [row for row in read_counts() if not (row["protocol"] == run["protocol"] and (row["analysis"] in analyses or (row["analysis"] in others and any(r["analysis"] == row["analysis"] for r in rows))))]
        order = {name: i for i, name in enumerate(dict.fromkeys(r["protocol"] for r in plan["run"]))}
        together = sorted(kept + rows, key=lambda row: order[row["protocol"]])
        write_counts(together, {"seed": plan["seed"], "version": version})
        print(f"{run['protocol']}: {replicates} replicates, {len(rows)} counts, {time.monotonic() - began:.0f} s", flush=True)


def check(plan, arguments):
    """Replicates are addressed by number, so the first hundredth of a run is a run of its own, and its counts are known exactly."""
    committed = {}
    for row in read_counts():
        committed[row["protocol"], row["scenario"], row["analysis"], row["arm"], row["what"]] = row
    wrong = []
    compared = 0
    for run in plan["run"]:
        if arguments.protocols and run["protocol"] not in arguments.protocols:
            continue
        name = run["protocol"]
        analyses = wanted_analyses(run, protocol_of(name))
        mine = [row for key, row in committed.items() if key[0] == name and key[2] in analyses]
        if not mine:
            wrong.append(f"{name}: no counts of {', '.join(analyses)} are committed")
            continue
        replicates = max(int(row["of"]) for row in mine)
        counts, digest, _ = rehearsed(run, tested_replicates(run, replicates), plan["seed"], arguments)
        if digest != mine[0]["digest"]:
            wrong.append(f"{name}: the protocol is another one than that of the table")
        for key, (n, of) in counts.items():
            row = committed.get((name, *key))
            if row is None:
                wrong.append(f"{name}: {' '.join(key)} is not in the table")
            elif (n, of) != (int(row["tested_n"]), int(row["tested_of"])):
                wrong.append(f"{name}: {' '.join(key)} is {n} of {of}, and {row['tested_n']} of {row['tested_of']} in the table")
            compared += 1
    for line in wrong:
        print(line)
    if wrong:
        stop(f"{len(wrong)} differences: what these programs compute has changed. ./run evidence table PROTOCOL makes the table again")
    if page_text(plan) != open(PAGE, encoding="utf-8").read():
        stop(f"{PAGE} is not what {COUNTS} and {FOLDER}/plan.toml say: run scripts/evidence_table.py page")
    print(f"{compared} counts are those of the table")


# ---- The page -------------------------------------------------------------------------------------------------------


def rate(row):
    n, of = int(row["n"]), int(row["of"])
    p = n / of
    return p, math.sqrt(p * (1 - p) / of)


def z_of(row, nominal):
    p, _ = rate(row)
    return (p - nominal) / math.sqrt(nominal * (1 - nominal) / int(row["of"]))


class Notes:
    """Explanations, numbered in the order in which the page needs them."""

    def __init__(self, plan):
        self.known = plan.get("note", [])
        self.used = []
        self.missing = []

    def mark(self, row, nominal):
        z = z_of(row, nominal)
        if abs(z) <= 3:
            return ""
        name = f"{row['protocol']}/{row['analysis']}"
        what = row["what"]
        for note in self.known:
            if not any(fnmatch.fnmatchcase(name, pattern) for pattern in note["rows"]):
                continue
            if "scenarios" in note and row["scenario"] not in note["scenarios"]:
                continue
            if "what" in note and not any(fnmatch.fnmatchcase(what, pattern) for pattern in note["what"]):
                continue
            if "side" in note and (z > 0) != (note["side"] == "above"):
                continue
            if note not in self.used:
                self.used.append(note)
            return f" [{self.used.index(note) + 1}]"
        self.missing.append(f"{name}, {row['scenario']}: {what} {100 * rate(row)[0]:.2f} %, {z:.1f} standard errors from {100 * nominal:g} %")
        return ""

    def finish(self):
        if self.missing:
            stop("not nominal and not explained:\n  " + "\n  ".join(self.missing))


def cell(row, nominal, notes):
    p, error = rate(row)
    digits = 2 if error < 0.001 else 1
    return f"{100 * p:.{digits}f} ({100 * error:.2f}){notes.mark(row, nominal)}"


def labels_of(protocol):
    return {analysis["id"]: analysis.get("label", {}).get("en", analysis["id"]) for analysis in protocol["analysis"]}


def thousands(n):
    return f"{n:,}"


def shown_arm(rows):
    """Of the arms that an analysis compares, one is shown: the last in the file's order; the counts have the others."""
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    return arms[-1] if arms else ""


def table(title, rows, scenarios, nominal, notes, labels):
    """Rows of one kind: analysis by scenario."""
    lines = []
    by_analysis = {}
    for row in rows:
        by_analysis.setdefault((row["analysis"], row["what"]), []).append(row)
    for (analysis, what), own in by_analysis.items():
        arm = shown_arm([row for row in own])
        cells = []
        biggest = 0
        for scenario in scenarios:
            found = [row for row in own if row["scenario"] == scenario and row["arm"] == arm and int(row["of"]) > 0]
            biggest = max([biggest] + [int(row["of"]) for row in found])
            cells.append(cell(found[0], nominal(analysis), notes) if found else "")
        if any(cells):
            lines.append(f"| {labels(analysis, what, arm)} | {' | '.join(cells)} | {thousands(biggest)} |")
    if not lines:
        return []
    head = [f"| {title} | {' | '.join(scenarios)} | replicates |", f"| --- | {' | '.join('---' for _ in scenarios)} | --- |"]
    return head + lines + [""]


def page_text(plan):
    rows = read_counts()
    known = facts()
    notes = Notes(plan)
    asked = {(q["protocol"], q["analysis"], q["arm"], "coverage of " + q["quantity"]): q["label"] for q in questions()}
    nominal_of = plan.get("nominal", {})
    out = [plan["introduction"].strip().format(seed=known["seed"], version=known["version"]), ""]
    for section in plan["section"]:
        out += [f"## {section['title']}", "", section["text"].strip(), ""]
        for name in section["protocols"]:
            own = [row for row in rows if row["protocol"] == name and row["analysis"] not in plan["hidden"].get(name, [])]
            if not own:
                stop(f"there are no counts of {name}: run scripts/evidence_table.py run {name}")
            protocol = protocol_of(name)
            names = labels_of(protocol)
            scenarios = [scenario["id"] for scenario in protocol["scenario"]]
            label = lambda analysis, what, arm: asked.get((name, analysis, arm, what), names.get(analysis, analysis))
            if section["kind"] == "family":
                continue
            for row in own:  # a claim that some true hypothesis is rejected is a test too, where there is nothing to find
                if row["what"] == "claim" and row["scenario"] in section.get("claims_err_in", []):
                    row["what"] = "error"
            names |= {claim["id"]: claim["label"]["en"] for claim in protocol.get("claim", []) if "label" in claim}
            out += table("test: rejected, %", [row for row in own if row["what"] == "error"], [s for s in scenarios if any(r["scenario"] == s and r["what"] == "error" for r in own)], lambda a: nominal_of.get(f"{name}/{a}", 0.05), notes, label)
            out += table("interval: holds the truth, %", [row for row in own if row["what"].startswith("coverage")], [s for s in scenarios if any(r["scenario"] == s and r["what"].startswith("coverage") for r in own)], lambda a: nominal_of.get(f"{name}/{a}:interval", 0.95), notes, label)
        if section["kind"] == "family":
            out += family_table(plan, section, rows, notes)
        if "claims" in section:
            out += claims_table(section, rows, notes)
    out += ["## Why a rate is not nominal", ""]
    out += [f"{i + 1}. {' '.join(note['text'].split())}" for i, note in enumerate(notes.used)]
    out += ["", "## What is not in the tables", "", plan["not_covered"].strip(), "", "## Sources", "", plan["sources"].strip(), "", "## Evidence", "", plan["evidence"].strip(), ""]
    notes.finish()
    return "\n".join(out)


def family_table(plan, section, rows, notes):
    lines, scenarios = [], []
    for name in section["protocols"]:
        own = {row["scenario"]: row for row in rows if row["protocol"] == name and row["what"] == "family"}
        scenarios = scenarios or list(own)
        method = protocol_of(name)["multiplicity"]["method"]
        cells = []
        for scenario in scenarios:
            p, error = rate(own[scenario])
            text = f"{100 * p:.2f} ({100 * error:.2f})"
            # A procedure promises at most alpha: only more than that asks for an explanation.
            if z_of(own[scenario], 0.05) > 3:
                text += notes.mark(own[scenario], 0.05)
            cells.append(text)
        lines.append(f"| `{method}` | {' | '.join(cells)} | {thousands(int(own[scenarios[0]]['of']))} |")
    return [f"| procedure: family-wise error, % | {' | '.join(scenarios)} | replicates |", f"| --- | {' | '.join('---' for _ in scenarios)} | --- |"] + lines + [""]


def claims_table(section, rows, notes):
    lines = ["| event | scenario | simulated, % | exact, % | standard errors apart | replicates |", "| --- | --- | --- | --- | --- | --- |"]
    for one in section["claims"]:
        found = [row for row in rows if row["protocol"] == one["protocol"] and row["scenario"] == one["scenario"] and row["analysis"] == one["analysis"] and row["arm"] == one.get("arm", "") and row["what"] in ("claim", "error", "power")]
        if not found:
            stop(f"no counts of {one}")
        p, error = rate(found[0])
        z = z_of(found[0], one["exact"])
        if abs(z) > one.get("limit", 4):
            notes.missing.append(f"{one['protocol']}/{one['analysis']} {one['scenario']}: {100 * p:.3f} %, {z:.1f} standard errors from {100 * one['exact']:.3f} %")
        lines.append(f"| {one['label']} | {one['scenario']} | {100 * p:.3f} ({100 * error:.3f}) | {100 * one['exact']:.3f} | {z:+.1f} | {thousands(int(found[0]['of']))} |")
    return lines + [""]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["run", "page", "check"])
    parser.add_argument("protocols", nargs="*")
    parser.add_argument("--binary", default="build/release/equipoise")
    parser.add_argument("--intervals", default="build/release/tests/interval_coverage")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--replicates", type=int, help="at most so many, of every run")
    arguments = parser.parse_intermixed_args()
    plan = read_toml(f"{FOLDER}/plan.toml")
    if arguments.verb == "check":
        return check(plan, arguments)
    if arguments.verb == "run":
        run_all(plan, arguments)
    text = page_text(plan)
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
