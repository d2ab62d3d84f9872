"""What the fault tests share: a trial in a folder with its two processes, clients that ask until they are answered, and what they were told."""
import json
import os
import random
import signal
import socket
import struct
import subprocess
import threading
import time

SITES = ["s1", "s2", "s3"]
STAFF = {"administrator": "administrator", "data-1": "data_manager", "data-2": "data_manager", "blinded": "blinded_statistician",
         "unblinded-1": "unblinded_statistician", "unblinded-2": "unblinded_statistician"}
# Of the vault: wrong there, while the service is right.
VAULT_MUTANTS = {"vault_forgets", "vault_advances", "two_places", "subject_twice", "swapped_arms"}

# What a disk that is full, or fails, lets a process say that does not start.
TROUBLE = ("the disk is full", "No space left on device", "disk I/O error", "Input/output error")

# A process that has not yet said what it does with them would die of them; what is ignored here is ignored by it until then.
for number in (signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, signal.SIG_IGN)


def ask_line(path, line, patience=2):
    """The answer to one line, or None when there is none."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(patience)
            connection.connect(path)
            connection.sendall(line + b"\n")
            got = b""
            while not got.endswith(b"\n"):
                piece = connection.recv(1 << 20)
                if not piece:
                    return None
                got += piece
            return got[:-1]
    except OSError:
        return None


def question(user, site=None, key=None, command=None, view=None, data=None):
    asked = {"user": user, "secret": "i", "role": STAFF.get(user, "investigator"), "data": data or {}}
    if site:
        asked["site"] = site
    if command:
        asked.update(key=key, command=command)
    else:
        asked["view"] = view
    return asked


class Daemon:
    """A process that is started again when it has died, and counts how."""

    def __init__(self, words):
        self.words, self.process = words, None
        self.outside = self.inside = self.stopped = 0
        self.lock = threading.Lock()

    def start(self):
        self.process = subprocess.Popen(self.words, stderr=subprocess.PIPE)

    def keep_going(self):
        """Starts it again when it has died. Returns what it said when it does not start: nobody may be kept out of a trial by a crash."""
        with self.lock:
            if self.process.poll() is None:
                return None
            said = self.process.stderr.read().decode()
            if self.process.returncode == -signal.SIGKILL:
                self.inside += 1
            elif self.process.returncode == 3 or any(words in said for words in TROUBLE):
                self.stopped += 1
            else:
                return said.strip() or f"exit status {self.process.returncode}"
            self.start()
            return None

    def kill(self):
        with self.lock:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
                self.process.stderr.close()
                self.outside += 1
                self.start()

    def send(self, number):
        with self.lock:
            if self.process.poll() is None:
                self.process.send_signal(number)

    def end(self):
        with self.lock:
            if self.process and self.process.poll() is None:
                self.process.kill()
                self.process.wait()


class Trial:
    """Vault and service on one folder."""

    def __init__(self, programs, folder, mutant=None, seed=1, die=0.005):
        self.programs, self.folder, self.mutant, self.seed = programs, folder, mutant, seed
        self.socket, self.vault_socket = os.path.join(folder, "socket"), os.path.join(folder, "vault.socket")
        self.deaths = {}
        self.set_clock(0)
        self.vault, self.service = Daemon(self.vault_words(die)), Daemon(self.service_words(self.socket, die))

    def service_words(self, path, die):
        program = "fault_service_twice" if self.mutant == "subject_twice" else "fault_service"
        words = [os.path.join(self.programs, program), self.folder, path, "--die", str(die), "--seed", str(self.seed)]
        return words + (["--mutant", self.mutant] if self.mutant else [])

    def vault_words(self, die):
        words = [os.path.join(self.programs, "fault_vault"), self.folder, self.vault_socket, "--die", str(die), "--seed", str(self.seed)]
        return words + (["--mutant", self.mutant] if self.mutant in VAULT_MUTANTS else [])

    def set_clock(self, milliseconds):
        path = os.path.join(self.folder, "clock")
        with open(path, "r+b" if os.path.exists(path) else "wb") as file:
            file.write(struct.pack("<q", milliseconds))

    def start(self):
        self.vault.start()
        wait_for(self.vault_socket)
        self.service.start()

    def keep_going(self):
        """What does not start, in words; None when all goes on."""
        for name, daemon in (("vault", self.vault), ("service", self.service)):
            said = daemon.keep_going()
            if said and name == "service" and "vault" in said:  # it was started while the vault was dead
                daemon.start()
                said = None
            if said:
                return f"the {name} does not start: {said}"
        return None

    def end(self):
        self.service.end()
        self.vault.end()

    def start_quietly(self):
        """Once more, and nothing is killed any more. Returns what the one that does not start said."""
        self.end()
        self.set_clock(0)
        self.vault.words, self.service.words = self.vault_words(0), self.service_words(self.socket, 0)
        for daemon, path in ((self.vault, self.vault_socket), (self.service, self.socket)):
            if os.path.exists(path):
                os.unlink(path)
            daemon.start()
            if not wait_for(path, daemon):
                return daemon.process.stderr.read().decode().strip() or "it does not answer"
        return None

    def ask(self, user, command=None, data=None, key=None, view=None, site=None, patience=60):
        answer = ask_line(self.socket, json.dumps(question(user, site, key, command, view, data)).encode(), patience)
        return json.loads(answer) if answer is not None else None

    def count_deaths(self):
        """How often each point was the last one."""
        path = os.path.join(self.folder, "deaths")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                for line in file:
                    self.deaths[line.strip()] = self.deaths.get(line.strip(), 0) + 1


def wait_for(path, daemon=None, seconds=60):
    """Until somebody answers at the socket."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if daemon and daemon.process.poll() is not None:
            return False
        if os.path.exists(path) and ask_line(path, b"{}") is not None:
            return True
        time.sleep(0.01)
    return False


class History:
    """Key, command, participant, when asked, when answered, the answer (None: unknown)."""

    def __init__(self):
        self.lock = threading.Lock()
        self.rows = []

    def add(self, *row):
        with self.lock:
            self.rows.append(row)


def definite(read):
    return read["ok"] or not any(problem["code"] in ("unavailable", "io") for problem in read["problems"])


class Client(threading.Thread):
    """Enrols, randomises and records. Whatever is not answered definitely is asked again with the same key."""

    def __init__(self, path, history, stop, seed):
        super().__init__(daemon=True)
        self.path, self.history, self.stop, self.random, self.seed, self.count = path, history, stop, random.Random(seed), seed, 0

    def ask(self, site, key, command, data):
        """Asks until the answer is definite; every answer and every silence goes into the history."""
        line = json.dumps(question("i-" + site, site, key, command, data=data)).encode()
        while not self.stop.is_set():
            asked = time.monotonic()
            answer = ask_line(self.path, line)
            who = data.get("participant") or data.get("record", {}).get("participant")
            self.history.add(key, command, who, asked, time.monotonic(), answer)
            if answer is not None and definite(json.loads(answer)):
                return json.loads(answer)
            time.sleep(0.01)
        return None

    def look(self, site, view, data):
        while not self.stop.is_set():
            answer = ask_line(self.path, json.dumps(question("i-" + site, site, view=view, data=data)).encode())
            if answer is not None and json.loads(answer)["ok"]:
                return json.loads(answer)["shown"]
            time.sleep(0.01)
        return None

    def key(self):
        self.count += 1
        return f"{self.seed}-{self.count}"

    def at_once(self, site, keys, command, *data):
        both = [threading.Thread(target=self.ask, args=(site, key, command, one)) for key, one in zip(keys, data)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()

    def two_tabs(self, site, who):
        """Two tabs save the same form, each on the revision that it has seen."""
        today = time.strftime("%Y-%m-%d", time.gmtime())
        visit = self.ask(site, self.key(), "visit", {"participant": who, "visit": "baseline", "date": today})
        if not visit or not visit["ok"]:
            return
        record = {"participant": who, "form": "outcome", "visit": "baseline"}
        self.at_once(site, [self.key(), self.key()], "record",
                     *({"record": record, "revision": 0, "values": [{"item": "value", "value": value}]} for value in ("1", "2")))

    def run(self):
        while not self.stop.is_set():
            site = self.random.choice(SITES)
            enrolled = self.ask(site, self.key(), "enrol", {})
            if not enrolled or not enrolled["ok"] or not enrolled["events"] or "participant" not in enrolled["events"][0]["data"]:
                continue
            who = enrolled["events"][0]["data"]["participant"]
            self.ask(site, self.key(), "consent", {"participant": who, "date": "2024-01-08"})
            shown = self.look(site, "read_back", {"participant": who})
            if not shown:
                continue
            data = {"participant": who, "confirm": shown["confirm"]}
            kind = self.random.random()
            if kind < 0.70:
                self.ask(site, self.key(), "randomise", data)
            else:
                keys = [self.key()] * 2 if kind < 0.85 else [self.key(), self.key()]
                self.at_once(site, keys, "randomise", data, data)
            if kind < 0.10:
                self.two_tabs(site, who)
