"""The invariants of a log, held against what clients were told (docs/methods/faults.md has the list)."""
import hashlib
import importlib.util
import json
import os
import re
import sqlite3

from harness import definite

NAMES = {
    "start": "after any death both processes start again",
    "I0": "the file is whole (integrity_check)",
    "I1": "no position of a stream is used twice",
    "I2": "no participant is allocated twice",
    "I3": "what was answered is in the log as it was told",
    "I4": "no participant was told two allocations",
    "I5": "positions of a stream are 1, 2, 3, ... in the order of the log",
    "I6": "what is kept as allocated once is what is allocated",
    "I7": "sequence numbers and the chain of digests hold",
    "I8": "no act without its events",
    "I9": "no event without its act",
    "I10": "allocations are numbered in the order of the log",
    "I11": "the same key has the same bytes for an answer",
    "I12": "revealed arms, nonces, marks and the committed list are those that an independent program computes",
    "I13": "the witness has seen the head of the log, and none that the log does not have",
    "I14": "what was asked for after an answer stands after it",
    "I15": "of two tabs that save on the same revision one is stored, and the other is told",
    "I16": "an event is flagged when an earlier one has a later time, and only then",
}


class Wrong(dict):
    def add(self, invariant, text):
        self.setdefault(invariant, []).append(text)

    def in_words(self):
        if not self:
            return "clean"
        return ", ".join(f"{key} ({len(texts)}: {texts[0][:200]})" for key, texts in sorted(self.items()))


def read_log(database, wrong):
    events, previous, last_at = [], "", ""  # last_at: the latest time so far
    for sequence, blob, digest in database.execute("SELECT sequence, bytes, digest FROM event ORDER BY sequence"):
        blob = bytes(blob) if not isinstance(blob, str) else blob.encode()
        event = json.loads(blob)
        envelope = event["envelope"]
        if sequence != len(events) + 1 or envelope["sequence"] != sequence:
            wrong.add("I7", f"event {sequence} stands at {len(events) + 1}")
        if hashlib.sha256(blob).hexdigest() != digest or envelope.get("previous", "") != previous:
            wrong.add("I7", f"the chain breaks at event {sequence}")
        if bool(envelope.get("clock_back", False)) != (envelope["at"] < last_at):
            wrong.add("I16", f"event {sequence} is of {envelope['at']}, an earlier one of {last_at}, and its flag says otherwise")
        previous, last_at = digest, max(last_at, envelope["at"])
        events.append(event)
    return events


def check_acts(database, events, wrong):
    place = 1
    for first, last in sorted((first, last) for first, last in database.execute("SELECT first, last FROM act")):
        if first > place:
            wrong.add("I9", f"events {place} to {first - 1} belong to no act")
        elif first < place:
            wrong.add("I8", f"two acts have event {first}")
        place = max(place, last + 1)
    if place <= len(events):
        wrong.add("I9", f"events from {place} belong to no act")
    elif place > len(events) + 1:
        wrong.add("I8", f"events from {len(events) + 1} of an act are not there")


def check_allocations(database, events, wrong):
    randomised = [event for event in events if event["event"] == "randomised"]
    once = {what for kind, what in database.execute("SELECT kind, what FROM once") if kind == "allocation"}
    numbers = {str(event["data"]["request"]["number"]) for event in randomised}
    if once != numbers:
        wrong.add("I6", f"{len(once - numbers)} are kept and not allocated, {len(numbers - once)} are allocated and not kept")
    positions, seen, who = {}, set(), set()
    for number, event in enumerate(randomised, 1):
        receipt = event["data"]["receipt"]
        if receipt["number"] != number or event["data"]["request"]["number"] != number:
            wrong.add("I10", f"allocation {receipt['number']} is the {number}th")
        if event["data"]["participant"] in who:
            wrong.add("I2", event["data"]["participant"])
        who.add(event["data"]["participant"])
        place = (receipt["stream"], receipt["position"])
        if place in seen:
            wrong.add("I1", f"{receipt['stream']}/{receipt['position']} twice")
        seen.add(place)
        positions.setdefault(receipt["stream"], []).append(receipt["position"])
    for stream, used in positions.items():
        if used != list(range(1, len(used) + 1)):
            wrong.add("I5", f"{stream} has a hole or another order")
    return randomised


def check_history(history, events, wrong):
    told, of_participant, numbered, first_asked = {}, {}, [], {}
    for _, command, participant, asked, _, _ in history.rows:
        if command == "randomise":
            first_asked[participant] = min(asked, first_asked.get(participant, asked))
    for key, command, participant, asked, answered, answer in history.rows:
        if answer is None:
            continue
        read = json.loads(answer)
        if read["ok"]:
            if not read["events"]:
                wrong.add("I3", f"{command} with key {key} was answered, and nothing of it is in the log")
            for event in read["events"]:
                stored = events[event["sequence"] - 1] if event["sequence"] <= len(events) else None
                if stored is None or stored["event"] != event["event"] or stored["data"] != event["data"]:
                    wrong.add("I3", f"{command} with key {key} was answered, and event {event['sequence']} is not so")
        elif not definite(read):
            continue
        if told.setdefault(key, answer) != answer:
            wrong.add("I11", f"two answers to {command} with key {key}")
        if command == "randomise" and read["ok"] and read["events"]:
            receipt = read["events"][0]["data"].get("receipt")
            if receipt is None:
                wrong.add("I3", f"{command} with key {key} was answered with another act")
                continue
            if of_participant.setdefault(participant, receipt["number"]) != receipt["number"]:
                wrong.add("I4", f"{participant} has two answers")
            numbered.append((receipt["stream"], receipt["position"], first_asked[participant], answered))
    check_order(numbered, wrong)


def check_order(numbered, wrong):
    """An answer that is asked for again is as old as the first question that led to it."""
    streams = {}
    for stream, position, asked, answered in numbered:
        streams.setdefault(stream, []).append((asked, answered, position))
    for stream, rows in streams.items():
        ends, reached, k = sorted((answered, position) for _, answered, position in rows), 0, 0
        for asked, _, position in sorted(rows):
            while k < len(ends) and ends[k][0] < asked:
                reached = max(reached, ends[k][1])
                k += 1
            if reached > position:
                wrong.add("I14", f"{stream}/{position} was first asked for after {reached} had been answered")


def check_tabs(history, events, wrong):
    """Saves of one form: the log has revisions 1, 2, ...; and of two tabs on revision 0 both are not told that they were stored."""
    revisions = {}
    for event in events:
        if event["event"] == "form_saved":
            record = event["data"]["record"]
            revisions.setdefault((record["participant"], record["form"]), []).append(event["data"]["revision"])
    for record, seen in revisions.items():
        if seen != [1]:
            wrong.add("I15", f"{record} was saved on revision 0 {len(seen)} times: {seen}")
    answers = {}
    for key, command, participant, _, _, answer in history.rows:
        if command == "record" and answer is not None and definite(json.loads(answer)):
            answers.setdefault(participant, {})[key] = json.loads(answer)
    for participant, told in answers.items():
        stored = [answer for answer in told.values() if answer["ok"]]
        refused = [answer for answer in told.values() if not answer["ok"]]
        if len(stored) > 1 or (len(told) == 2 and len(stored) != 1):
            wrong.add("I15", f"{participant}: {len(stored)} of {len(told)} tabs were told that they were stored")
        for answer in refused:
            if not any(problem["code"] == "conflict" for problem in answer["problems"]):
                wrong.add("I15", f"{participant}: the other tab was told {answer['problems'][0]['message']}")
    return sum(len(told) == 2 for told in answers.values())


def check_witness(folder, events, wrong):
    # A service that was killed between storing and confirming had told the witness what it intended.
    with open(os.path.join(folder, "witness"), "rb") as file:
        heads = [int(number) for number in re.findall(rb'"(?:confirmed|intended)":\{"sequence":(\d+)', file.read())]
    if not heads or max(heads) < len(events):
        wrong.add("I13", f"the witness has seen {max(heads, default=0)} of {len(events)} events")
    for event in events:
        if event["event"] == "reconcile_started":
            wrong.add("I13", f"the witness had seen {event['data']} when the log ended at event {event['envelope']['sequence'] - 1}")


def reveal(trial, wrong):
    """Ends the trial as its people would: snapshot, signatures, lock, and the end of concealment."""

    def done(user, command, data=None):
        answer = trial.ask(user, command, data, key=f"end-{user}-{command}", patience=300)
        if answer is None or not answer["ok"]:
            wrong.add("I12", f"{command} by {user}: {'no answer' if answer is None else answer['problems'][0]['message']}")
            return None
        return answer

    if not done("data-1", "snapshot"):
        return
    status = trial.ask("data-1", view="status")
    revision = status["shown"]["data_revision"]
    for user in ("data-1", "blinded"):
        if not done(user, "sign", {"meaning": "lock", "revision": revision, "secret": "i"}):
            return
    for one, other, command in (("data-1", "data-2", "lock"), ("unblinded-1", "unblinded-2", "unblind")):
        proposed = trial.ask(one, command, key=f"end-{command}", patience=300)
        if not proposed or not proposed["ok"]:
            wrong.add("I12", f"{command}: {proposed and proposed['problems'][0]['message']}")
            return
        proposal = proposed["events"][0]["data"]["proposal"]
        if not done(other, "approve", {"proposal": proposal}):
            return


def check_replay(events, wrong):
    """Holds what was revealed against tests/independent/replay_allocation.py, which knows nothing of our program."""
    revealed = [event["data"]["reveal"] for event in events if event["event"] == "trial_unblinded"]
    randomised = [event["data"] for event in events if event["event"] == "randomised"]
    if not revealed:
        if "I12" not in wrong:
            wrong.add("I12", "nothing was revealed")
        return
    path = os.path.join(os.path.dirname(__file__), "..", "independent", "replay_allocation.py")
    spec = importlib.util.spec_from_file_location("replay_allocation", path)
    replay = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(replay)
    commitment, arms = events[0]["data"]["commitment"], ["control", "low", "high"]
    openings = {one["number"]: one for one in revealed[0].get("allocations", [])}
    if sorted(openings) != list(range(1, len(randomised) + 1)):
        wrong.add("I12", f"{len(openings)} arms were revealed of {len(randomised)} allocations")
        return
    case = {"name": "faults", "trial": commitment["trial"], "protocol": commitment["protocol"], "environment": commitment["environment"],
            "seed": revealed[0]["seed"], "method": "permuted_block", "parameters": {"block_sizes": [3, 6]}, "arms": arms, "ratio": [1, 1, 1],
            "caps": {}, "factors": [{"id": "site", "levels": ["s1", "s2", "s3"]}], "planned": 3000,
            "levels": [one["request"]["levels"] for one in randomised],
            "allocated": [arms.index(openings[one["receipt"]["number"]]["arm"]) for one in randomised],
            "receipts": [dict(one["receipt"], nonce=openings[one["receipt"]["number"]].get("nonce", "")) for one in randomised],
            "commitment": commitment}
    for problem in replay.problems_of(case):
        wrong.add("I12", problem)


def check(trial, history, problem):
    """What is wrong, by invariant; how many allocations; how many pairs of tabs. The trial is ended and revealed first."""
    wrong = Wrong()
    if problem:
        wrong.add("start", problem)
    database = sqlite3.connect(os.path.join(trial.folder, "trial.db"))
    if not problem:
        said = trial.start_quietly()
        if said:
            wrong.add("start", said)
        else:
            reveal(trial, wrong)
    trial.end()
    if database.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
        wrong.add("I0", "integrity_check")
    events = read_log(database, wrong)
    check_acts(database, events, wrong)
    randomised = check_allocations(database, events, wrong)
    check_history(history, events, wrong)
    tabs = check_tabs(history, events, wrong)
    check_witness(trial.folder, events, wrong)
    if "start" not in wrong:
        check_replay(events, wrong)
    return wrong, len(randomised), tabs
