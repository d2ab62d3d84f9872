#!/usr/bin/env python3
"""Many clients at once against a conduct service that is killed again and again; then the history against the log.

    clients.py --service BINARY [--seconds N] [--seed N] [--mutant NAME] [--all]

Eight clients enrol and randomise: three quarters ask once, 15 % double click (one key, twice at once), 10 % use two tabs (two keys for one
participant). Whatever is not answered definitely is asked again with the same key. The service is killed from outside every 0.15 to 0.4 s, and
kills itself with probability 0.5 % at named points inside. Afterwards the invariants I0 to I14 are held against the log. --mutant runs a service
that is wrong on purpose, and the exit status is 0 when an invariant catches it; --all runs the right one and then every mutant.
"""
import argparse
import hashlib
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

MUTANTS = ["early_answer", "late_store", "forgets_keys", "no_witness", "two_places"]
SITES = ["s1", "s2", "s3"]


class History:
    def __init__(self):
        self.lock = threading.Lock()
        self.rows = []  # key, command, participant, asked, answered, answer (None: unknown)

    def add(self, *row):
        with self.lock:
            self.rows.append(row)


class Client(threading.Thread):
    def __init__(self, path, history, stop, seed):
        super().__init__(daemon=True)
        self.path, self.history, self.stop, self.random, self.seed, self.count = path, history, stop, random.Random(seed), seed, 0

    def once(self, line):
        """The answer, or None when there is none."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(2)
                connection.connect(self.path)
                connection.sendall(line + b"\n")
                got = b""
                while not got.endswith(b"\n"):
                    piece = connection.recv(65536)
                    if not piece:
                        return None
                    got += piece
                return got[:-1]
        except OSError:
            return None

    def question(self, site, key=None, command=None, view=None, data=None):
        question = {"user": "i-" + site, "secret": "i", "role": "investigator", "site": site, "data": data or {}}
        if command:
            question.update(key=key, command=command)
        else:
            question["view"] = view
        return json.dumps(question).encode()

    def ask(self, site, key, command, data):
        """Asks until the answer is definite; every answer and every silence goes into the history."""
        line = self.question(site, key, command, data=data)
        while not self.stop.is_set():
            asked = time.monotonic()
            answer = self.once(line)
            self.history.add(key, command, data.get("participant"), asked, time.monotonic(), answer)
            if answer is not None:
                read = json.loads(answer)
                if read["ok"] or not any(p["code"] in ("unavailable", "io") for p in read["problems"]):
                    return read
            time.sleep(0.01)
        return None

    def look(self, site, view, data):
        while not self.stop.is_set():
            answer = self.once(self.question(site, view=view, data=data))
            if answer is not None and json.loads(answer)["ok"]:
                return json.loads(answer)["shown"]
            time.sleep(0.01)
        return None

    def key(self):
        self.count += 1
        return f"{self.seed}-{self.count}"

    def run(self):
        while not self.stop.is_set():
            site = self.random.choice(SITES)
            enrolled = self.ask(site, self.key(), "enrol", {})
            if not enrolled or not enrolled["ok"] or not enrolled["events"]:
                continue
            who = enrolled["events"][0]["data"]["participant"]
            self.ask(site, self.key(), "consent", {"participant": who, "date": "2024-01-08"})
            shown = self.look(site, "read_back", {"participant": who})
            if not shown:
                continue
            data = {"participant": who, "confirm": shown["confirm"]}
            kind = self.random.random()
            if kind < 0.75:
                self.ask(site, self.key(), "randomise", data)
                continue
            keys = [self.key()] * 2 if kind < 0.9 else [self.key(), self.key()]
            both = [threading.Thread(target=self.ask, args=(site, key, "randomise", data)) for key in keys]
            for thread in both:
                thread.start()
            for thread in both:
                thread.join()


class Service:
    def __init__(self, arguments, folder, mutant, seed):
        self.words = [arguments.service, folder, os.path.join(folder, "socket"), "--die", "0.005", "--seed", str(seed)]
        if mutant:
            self.words += ["--mutant", mutant]
        self.process, self.kills, self.inside = None, 0, 0

    def start(self):
        self.process = subprocess.Popen(self.words, stderr=subprocess.PIPE)

    def keep_going(self):
        """Starts it again when it has died; a service that does not start is an invariant of its own."""
        if self.process.poll() is None:
            return None
        said = self.process.stderr.read().decode()
        if self.process.returncode == -signal.SIGKILL or self.process.returncode == 3:
            self.inside += 1
            self.start()
            return None
        return f"the service does not start: {said.strip()}"

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            self.kills += 1
            self.start()


def check(folder, history, problem):
    """What is wrong, by invariant."""
    wrong = {}

    def bad(invariant, text):
        wrong.setdefault(invariant, []).append(text)

    if problem:
        bad("start", problem)
        return wrong, 0, len(history.rows)
    database = sqlite3.connect(os.path.join(folder, "trial.db"))
    if database.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
        bad("I0", "integrity_check")
    events, previous, digests = [], "", []
    for sequence, blob, digest in database.execute("SELECT sequence, bytes, digest FROM event ORDER BY sequence"):
        blob = bytes(blob) if not isinstance(blob, str) else blob.encode()
        event = json.loads(blob)
        if sequence != len(events) + 1 or event["envelope"]["sequence"] != sequence:
            bad("I7", f"event {sequence} stands at {len(events) + 1}")
        if hashlib.sha256(blob).hexdigest() != digest or event["envelope"].get("previous", "") != previous:
            bad("I7", f"the chain breaks at event {sequence}")
        previous = digest
        digests.append(digest)
        events.append(event)
    acts = {key: (first, last) for key, first, last in database.execute("SELECT key, first, last FROM act")}
    covered = sorted(range_ for range_ in acts.values())
    place = 1
    for first, last in covered:
        if first != place:
            bad("I8", f"events from {place} belong to {'no act' if first > place else 'two acts'}")
        place = last + 1
    if place != len(events) + 1:
        bad("I9", f"events from {place} belong to no act")
    randomised = [event for event in events if event["event"] == "randomised"]
    once = {what for kind, what in database.execute("SELECT kind, what FROM once") if kind == "allocation"}
    if once != {str(event["data"]["request"]["number"]) for event in randomised}:
        bad("I6", "what is kept as allocated once is not what is allocated")
    positions, who = {}, set()
    for number, event in enumerate(randomised, 1):
        receipt = event["data"]["receipt"]
        if receipt["number"] != number or event["data"]["request"]["number"] != number:
            bad("I10", f"allocation {receipt['number']} is the {number}th")
        if event["data"]["participant"] in who:
            bad("I2", event["data"]["participant"])
        who.add(event["data"]["participant"])
        mine = positions.setdefault(receipt["stream"], [])
        if receipt["position"] in mine:
            bad("I1", f"{receipt['stream']}/{receipt['position']} twice")
        mine.append(receipt["position"])
    for stream, used in positions.items():
        if used != list(range(1, len(used) + 1)):
            bad("I5", f"{stream} has a hole or another order")
    # The history: what was answered, when.
    told, of_participant, numbered, first_asked = {}, {}, [], {}
    for key, command, participant, asked, answered, answer in history.rows:
        if command == "randomise":
            first_asked[participant] = min(asked, first_asked.get(participant, asked))
    for key, command, participant, asked, answered, answer in history.rows:
        if answer is None:
            continue
        read = json.loads(answer)
        if read["ok"]:
            if not read["events"]:
                bad("I3", f"{command} with key {key} was answered, and nothing of it is in the log")
            for event in read["events"]:
                stored = events[event["sequence"] - 1] if event["sequence"] <= len(events) else None
                if stored is None or stored["event"] != event["event"] or stored["data"] != event["data"]:
                    bad("I3", f"{command} with key {key} was answered, and event {event['sequence']} is not so")
        elif any(problem["code"] in ("unavailable", "io") for problem in read["problems"]):
            continue
        if told.setdefault(key, answer) != answer:
            bad("I11", f"two answers to {command} with key {key}")
        if command == "randomise" and read["ok"] and read["events"]:
            asked = first_asked[participant]
            number = read["events"][0]["data"]["receipt"]["number"]
            if of_participant.setdefault(participant, number) != number:
                bad("I4", f"{participant} has two answers")
            numbered.append((read["events"][0]["data"]["receipt"], asked, answered))
    by_stream = {}
    for receipt, asked, answered in numbered:
        by_stream.setdefault(receipt["stream"], []).append((asked, answered, receipt["position"]))
    for stream, rows in by_stream.items():
        ends = sorted((answered, position) for _, answered, position in rows)
        reached, k = 0, 0
        for asked, _, position in sorted(rows):
            while k < len(ends) and ends[k][0] < asked:
                reached = max(reached, ends[k][1])
                k += 1
            # An answer that is asked for again is as old as the first question that led to it.
            if reached > position and asked == min(a for a, _, p in rows if p == position):
                bad("I14", f"{stream}/{position} was first asked for after {reached} had been answered")
    witness = open(os.path.join(folder, "witness"), "rb").read()
    heads = [int(piece.split(b",")[0].split(b"}")[0]) for piece in witness.split(b'"sequence":')[1:]]
    if not heads or max(heads) < len(events):
        bad("I13", f"the witness has seen {max(heads, default=0)} of {len(events)} events")
    return wrong, len(randomised), len(history.rows)


def run(arguments, mutant, seconds):
    with tempfile.TemporaryDirectory() as folder:
        seed = arguments.seed
        history, stop = History(), threading.Event()
        service = Service(arguments, folder, mutant, seed)
        service.start()
        clients = [Client(os.path.join(folder, "socket"), history, stop, f"{seed}-{i}") for i in range(8)]
        for client in clients:
            client.start()
        random_, end, problem = random.Random(seed), time.monotonic() + seconds, None
        while time.monotonic() < end and not problem:
            time.sleep(random_.uniform(0.15, 0.4))
            problem = service.keep_going()
            if not problem:
                service.kill()
        stop.set()
        for client in clients:
            client.join(5)
        service.process.kill()
        service.process.wait()
        wrong, allocations, asked = check(folder, history, problem)
        verdict = "clean" if not wrong else ", ".join(f"{key} ({len(texts)}: {texts[0]})" for key, texts in sorted(wrong.items()))
        print(f"{mutant or 'right':<13} {service.kills:>4} kills outside {service.inside:>4} inside {asked:>6} questions {allocations:>5} allocations  {verdict}",
              flush=True)
        return bool(wrong), allocations


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--service", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--mutant-seconds", type=float, default=8)
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--mutant", choices=MUTANTS)
    parser.add_argument("--all", action="store_true")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    if arguments.mutant:
        caught, _ = run(arguments, arguments.mutant, arguments.seconds)
        sys.exit(0 if caught else f"the mutant {arguments.mutant} was not caught")
    wrong, allocations = run(arguments, None, arguments.seconds)
    if wrong or allocations == 0:
        sys.exit("the service broke an invariant" if wrong else "nobody was randomised")
    if arguments.all:
        # On a busy machine few allocations are made in the time, so that a mutant may need another run.
        missed = [mutant for mutant in MUTANTS if not any(run(arguments, mutant, arguments.mutant_seconds)[0] for _ in range(3))]
        if missed:
            sys.exit(f"not caught: {', '.join(missed)}")


if __name__ == "__main__":
    main()
