#!/usr/bin/env python3
"""Many clients at once against a conduct service and a vault that are killed again and again; then the history against the log.

    clients.py --programs FOLDER [--seconds N] [--seed N] [--mutant NAME] [--all]

Eight clients enrol, randomise and record: 70 % ask once, 15 % double click (one key, twice at once), 15 % use two tabs (two keys for one
participant); 10 % save a form in two tabs on the same revision. Whatever is not answered definitely is asked again with the same key. Every 0.15
to 0.4 s something happens (disturbances.py), and both processes kill themselves with probability 0.5 % at named points inside. Afterwards the
trial is ended and revealed, and the invariants (invariants.py) are held against log and history. --mutant runs programs that are wrong on purpose,
and the exit status is 0 when an invariant catches it; --all runs the right ones, an old copy
that is put back, bad questions at the sockets (socket_fuzz.py), and then every mutant.
"""
import argparse
import sys
import tempfile

from disturbances import put_back_an_old_copy, run_clients
from harness import Trial
from invariants import NAMES, check
from socket_fuzz import fuzz_sockets

# What is wrong, and the invariants of which at least one must say so. None: no kill can show it, and what does is said.
MUTANTS = {
    "subject_twice": ("no check that a participant has an allocation: in conduct, store and vault", {"I2", "I4"}),
    "no_transaction": ("each statement of an act stands alone", {"I5", "I6", "I8", "I9", "I10", "I1", "I2"}),
    "audit_later": ("an act is stored, and its events in a second transaction", {"I8", "I9", "start"}),
    "slot_first": ("the number of an allocation is marked in an earlier transaction", {"I6", "I10"}),
    "early_answer": ("one act in fifty is answered and not stored", {"I3", "I7", "I13", "start"}),
    "late_store": ("an act is stored when the next one comes", {"I3", "I13"}),
    "forgets_keys": ("a command that is sent again is not known", {"I11"}),
    "no_witness": ("the witness is not told", {"I13"}),
    "vault_forgets": ("a vault that starts again is not told what was allocated", {"I1", "I5"}),
    "vault_advances": ("the vault counts when it is asked, not when the log has it", {"I1", "I5"}),
    "two_places": ("one receipt in twenty is that of the allocation before", {"I1", "I5"}),
    "swapped_arms": ("two arms are revealed exchanged", {"I12"}),
    "read_first": ("BEGIN DEFERRED and a read before the write", None),
    "no_sync": ("synchronous = OFF", None),
}
SOME = ["subject_twice", "audit_later", "early_answer", "forgets_keys", "no_witness", "vault_forgets"]  # for a short test
WHY_NOT = {"read_first": "right with one writer", "no_sync": "only a power cut shows it: power_loss does"}
# Twice as busy with dying as the right one, so that few seconds are enough.
MUTANT_DIES = 0.01
LONGEST_ROUND = 120  # seconds


def run(arguments, mutant, seconds, seed):
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(arguments.programs, folder, mutant, seed, MUTANT_DIES if mutant else 0.005)
        try:
            history, disturbances, problem = run_clients(trial, seconds, seed)
            wrong, allocations, tabs = check(trial, history, problem)
            trial.count_deaths()
        finally:
            trial.end()
        return wrong, allocations, tabs, history, disturbances, trial


def add(sums, counts):
    for name, count in counts.items():
        sums[name] = sums.get(name, 0) + count


def run_right(arguments):
    """Rounds of at most two minutes, each with a trial of its own: the log stays as short as a trial's, and so does a start."""
    sums, deaths, counts, broken, rounds = {}, {}, {}, {}, max(1, round(arguments.seconds / LONGEST_ROUND))
    for number in range(rounds):
        wrong, allocations, tabs, history, disturbances, trial = run(arguments, None, arguments.seconds / rounds, arguments.seed + number)
        add(sums, {"allocations": allocations, "tabs": tabs, "questions": len(history.rows), "silent": sum(row[5] is None for row in history.rows),
                   "rounds with an allocation": allocations > 0})
        for name, daemon in (("service", trial.service), ("vault", trial.vault)):
            add(sums, {f"{name} outside": daemon.outside, f"{name} inside": daemon.inside, f"{name} stopped": daemon.stopped})
        add(deaths, trial.deaths)
        add(counts, disturbances.counts)
        for name, texts in wrong.items():
            broken[name] = f"round {number + 1}: {len(texts)}: {texts[0][:300]}"
    print(f"right: {arguments.seconds:g} s in {rounds} trials; {sums['questions']} questions, {sums['silent']} of them without an answer; "
          f"{sums['allocations']} allocations; {sums['tabs']} pairs of tabs on one revision")
    for name in ("service", "vault"):
        print(f"  the {name} was killed {sums[name + ' outside']} times from outside, {sums[name + ' inside']} times inside, "
              f"and stopped itself {sums[name + ' stopped']} times")
    print("  inside at: " + ", ".join(f"{point} {count}" for point, count in sorted(deaths.items())))
    print("  from outside: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    for name, sentence in NAMES.items():
        print(f"  {name:<6}{'holds' if name not in broken else 'BROKEN':<8}{sentence}" + (f": {broken[name]}" if name in broken else ""), flush=True)
    if broken:
        sys.exit("the service broke an invariant")
    if sums["rounds with an allocation"] < rounds:
        sys.exit("nobody was randomised")


def run_mutants(arguments):
    """A table: mutant, what is wrong with it, what caught it after how many seconds of running."""
    missed = []
    print(f"{'mutant':<16}{'caught by':<34}{'after':>7}  {'allocations':>11}  what is wrong with it")
    for mutant in SOME if arguments.short else MUTANTS:
        sentence, expected = MUTANTS[mutant]
        ran, allocated, caught = 0.0, 0, None
        # On a busy machine few allocations are made in the time, so that a mutant may need another run.
        for attempt in range(1 if expected is None else 4):
            seconds = arguments.mutant_seconds * (1 + attempt)
            wrong, allocations, _, _, _, _ = run(arguments, mutant, seconds, arguments.seed + attempt)
            ran, allocated = ran + seconds, allocated + allocations
            caught = wrong or caught
            if expected is not None and expected & set(wrong):
                break
        if expected is None:
            fine = not caught
            seen = f"nothing: {WHY_NOT[mutant]}" if fine else "FALSE ALARM " + caught.in_words()
        else:
            fine = caught is not None and bool(expected & set(caught))
            seen = ", ".join(sorted(caught, key=list(NAMES).index)) if caught else "NOTHING"
            if caught and not fine:
                seen += " and not " + " or ".join(sorted(expected)) + ": " + caught.in_words()
        if not fine:
            missed.append(mutant)
        print(f"{mutant:<16}{seen:<34}{ran:>5.0f} s  {allocated:>11}  {sentence}", flush=True)
    if missed:
        sys.exit(f"not as expected: {', '.join(missed)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, help="folder of fault_service, fault_service_twice and fault_vault")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--mutant-seconds", type=float, default=8)
    parser.add_argument("--fuzz-seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--mutant", choices=MUTANTS)
    parser.add_argument("--mutants", action="store_true", help="all of them, and nothing else")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--short", action="store_true", help="with --all: some mutants")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    if arguments.mutant:
        wrong, allocations, *_ = run(arguments, arguments.mutant, arguments.seconds, arguments.seed)
        print(f"{arguments.mutant}: {allocations} allocations: {wrong.in_words()}")
        sys.exit(0 if wrong else "not caught")
    if not arguments.mutants:
        run_right(arguments)
    if arguments.all:
        wrong = put_back_an_old_copy(arguments.programs, arguments.seed)
        print("an old copy that is put back: " + ("reconciled, and nothing was done before" if not wrong else "; ".join(wrong)), flush=True)
        if wrong:
            sys.exit("an old copy is not treated as one")
        wrong, counts = fuzz_sockets(arguments.programs, arguments.fuzz_seconds, arguments.seed)
        print(f"{sum(counts.values())} bad questions at the sockets (" + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) + "): "
              + ("refused, and nothing else happened" if not wrong else wrong[0]), flush=True)
        if wrong:
            sys.exit("a bad question did harm")
    if arguments.all or arguments.mutants:
        run_mutants(arguments)


if __name__ == "__main__":
    main()
