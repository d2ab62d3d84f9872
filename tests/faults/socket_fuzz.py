"""What no client of ours would send, at the sockets of service and vault: each gets a clear refusal, or its connection is closed; both processes go
on, answer others meanwhile, and the log holds."""
import json
import random
import socket
import tempfile
import time

from harness import History, Trial, ask_line, question, wait_for
from invariants import check

LONGEST = 1 << 20  # bytes of a line


def valid_lines(rng):
    site = rng.choice(["s1", "s2"])
    who = f"{site}-{rng.randrange(1, 9):03}"
    record = {"participant": who, "form": "outcome", "visit": "baseline"}
    commands = [("enrol", {}), ("consent", {"participant": who, "date": "2024-01-08"}), ("visit", {"participant": who, "visit": "baseline", "date": "2024-01-08"}),
                ("randomise", {"participant": who, "confirm": "x"}), ("record", {"record": record, "revision": 0, "values": [{"item": "value", "value": "1"}]}),
                ("stop", {"participant": who, "what": "death", "date": "2024-01-08"})]
    command, data = rng.choice(commands)
    service = [question("i-" + site, site, f"f{rng.randrange(10**9)}", command, data=data), question("i-" + site, site, view="read_back", data={"participant": who}),
               question("administrator", view="status"), question("data-1", None, f"f{rng.randrange(10**9)}", "snapshot")]
    vault = [{"ask": "status"}, {"ask": "commitment"}, {"ask": "allocate", "number": 1, "request": {"number": 1, "participant": who, "levels": [0]}},
             {"ask": "confirm", "number": 1}, {"ask": "receipt", "number": 1}, {"ask": "open", "participant": who, "act": "0" * 63},
             {"ask": "resume", "number": 3, "history": [], "last": False}, {"ask": "amend", "protocol": "format = 1"}]
    return rng.choice(service), rng.choice(vault)


def wrong_types(rng, value):
    """The question with some of its values replaced by others of another type."""
    others = [None, True, -1, 1e308, 2**70, "", "\u0000", "\ud800", [], {}, [[]], {"x": {}}, "x" * 5000]
    made = {}
    for key, one in value.items():
        dice = rng.random()
        if dice < 0.05:
            continue
        made[key] = rng.choice(others) if dice < 0.25 else wrong_types(rng, one) if isinstance(one, dict) else one
    if rng.random() < 0.1:
        made["more"] = 1
    return made


def harmed(rng, line):
    line = bytearray(line)
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(line) + 1)
        kind = rng.randrange(4)
        if kind == 0 and at < len(line):
            line[at] = rng.randrange(256)
        elif kind == 1:
            line[at:at] = bytes([rng.choice(b'\x00\r"\\{}[],:0-e\xff\xc3')])
        elif kind == 2:
            del line[at:at + rng.randrange(1, 20)]
        else:
            line[at:at] = line[at:at + 20]
    return bytes(line).replace(b"\n", b" ")


def assault(rng, to_vault):
    """Bytes to send, and whether an answer is owed: one to each line that ended."""
    one = valid_lines(rng)[1 if to_vault else 0]
    line = json.dumps(one).encode()
    kinds = {
        "wrong types": lambda: json.dumps(wrong_types(rng, one)).encode() + b"\n",
        "mutated": lambda: harmed(rng, line) + b"\n",
        "random bytes": lambda: rng.randbytes(rng.randrange(1, 2000)).replace(b"\n", b" ") + b"\n",
        "half a line": lambda: line[:rng.randrange(1, len(line))],
        "deep": lambda: b'{"data":' + b"[" * rng.choice([100, 10_000, 500_000]) + b"\n",
        "oversized": lambda: b"x" * (LONGEST + rng.randrange(1, 1000)) + b"\n",
        "as long as may be": lambda: line[:-1] + b" " * (LONGEST - len(line)) + b"}\n",
        "long key": lambda: json.dumps(dict(one, key="k" * 100_000)).encode() + b"\n",
        "many lines": lambda: (line + b"\n") * rng.randrange(2, 30),
        "empty lines": lambda: b"\n" * rng.randrange(1, 50),
    }
    name = rng.choices(list(kinds), weights=[30, 40, 15, 10, 3, 2, 2, 3, 5, 3])[0]
    return name, kinds[name]()


def send(path, payload, reads=True):
    """What comes back until every line is answered, the connection is closed, or nothing comes any more."""
    lines, got = payload.count(b"\n"), b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(20)
        try:
            connection.connect(path)
            connection.sendall(payload)
            while reads and got.count(b"\n") < lines:
                piece = connection.recv(1 << 20)
                if not piece:
                    break
                got += piece
        except OSError as error:
            if isinstance(error, TimeoutError):
                return None
    return got


def clear(answer, to_vault):
    """An answer is a line of JSON, and when it is a refusal it says why."""
    try:
        read = json.loads(answer)
    except ValueError:
        return False
    if to_vault or "error" in read:
        return isinstance(read, dict) and ("error" not in read or len(read["message"]) > 10)
    return read["ok"] is True or all(len(problem["message"]) > 10 for problem in read["problems"])


def fuzz_sockets(programs, seconds, seed):
    """Returns what is wrong, and how often each kind was sent."""
    rng, counts, wrong = random.Random(seed), {}, []
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(programs, folder, seed=seed, die=0)
        try:
            trial.start()
            wait_for(trial.socket)
            idle = []
            end = time.monotonic() + seconds
            while time.monotonic() < end and not wrong:
                to_vault = rng.random() < 0.3
                path = trial.vault_socket if to_vault else trial.socket
                name, payload = assault(rng, to_vault)
                counts[name] = counts.get(name, 0) + 1
                if rng.random() < 0.05 and len(idle) < 20:  # somebody who sends half a line, or nothing, and stays
                    waiting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                    waiting.connect(path)
                    waiting.sendall(payload[:rng.choice([0, 1, 50])].replace(b"\n", b" "))
                    idle.append(waiting)
                reads = rng.random() < 0.9
                got = send(path, payload, reads)
                if got is None:
                    wrong.append(f"{name}: no answer in 20 s: {payload[:200]!r}")
                elif reads:
                    wrong += [f"{name}: {answer[:200]!r} to {payload[:200]!r}" for answer in got.split(b"\n")[:-1] if not clear(answer, to_vault)]
                for daemon in (trial.service, trial.vault):
                    if daemon.process.poll() is not None:
                        wrong.append(f"{name}: {daemon.words[0]} ended with {daemon.process.returncode}: {daemon.process.stderr.read()[:300]!r} {payload[:300]!r}")
                if rng.random() < 0.02 and len(idle) > 10:
                    idle.pop(0).close()
                if rng.random() < 0.02 and ask_line(trial.socket, json.dumps(question("administrator", view="status")).encode(), 20) is None:
                    wrong.append(f"{name}: others are not answered any more")
            for waiting in idle:
                waiting.close()
            broken, _, _ = check(trial, History(), None)
            if broken:
                wrong.append(broken.in_words())
        finally:
            trial.end()
    return wrong, counts
