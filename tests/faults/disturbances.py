"""What happens to a trial from outside while its clients go on: kills, processes that stand still, a clock that jumps, a disk that is full or
fails, a second instance, and, in a trial of its own, an old copy that is put back."""
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from harness import Client, History, Trial, wait_for


class Disturbances:
    """One at a time, at random; `counts` says how many there were."""

    def __init__(self, trial, seed):
        self.trial, self.random, self.counts, self.complaints = trial, random.Random(seed), {}, []

    def once(self):
        # Most of the time the service has come up before it is disturbed again; else little would ever be done on a busy machine.
        if self.random.random() < 0.8:
            wait_for(self.trial.socket, self.trial.service, 2)
        kinds = [(self.kill_service, 50), (self.kill_vault, 20), (self.stand_still, 8), (self.jump, 10), (self.failing_sync, 5), (self.full_disk, 4),
                 (self.second_instance, 3)]
        kind = self.random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]
        name = kind() or kind.__name__
        self.counts[name] = self.counts.get(name, 0) + 1

    def kill_service(self):
        self.trial.service.kill()

    def kill_vault(self):
        self.trial.vault.kill()

    def stand_still(self):
        """SIGSTOP, and SIGCONT after clients or the service may have lost their patience; some are killed as they stand."""
        daemon = self.random.choice([self.trial.service, self.trial.vault])
        daemon.send(signal.SIGSTOP)
        time.sleep(self.random.choice([0.1, 0.3, 2.5 if daemon is self.trial.service else 0.5]))
        if self.random.random() < 0.2:
            daemon.kill()
        else:
            daemon.send(signal.SIGCONT)

    def jump(self):
        self.trial.set_clock(self.random.choice([0, 3_600_000, -3_600_000, 86_400_000, -86_400_000, 1, -1, self.random.randrange(-10**7, 10**7)]))

    def failing_sync(self):
        self.trial.service.send(signal.SIGUSR1)

    def full_disk(self):
        self.trial.service.send(signal.SIGUSR2)

    def second_instance(self):
        """On the same data, at another socket and at the same one: it must refuse, and say why; the first goes on."""
        if not wait_for(self.trial.socket, self.trial.service, 5):
            return "second instance not tried"
        for path in (self.trial.socket + ".second", self.trial.socket):
            second = subprocess.Popen(self.trial.service_words(path, 0), stderr=subprocess.PIPE, text=True)
            try:
                said = second.communicate(timeout=5)[1].strip()
            except subprocess.TimeoutExpired:
                second.kill()
                said = second.communicate()[1].strip() + "it serves"
            if self.trial.service.process.poll() is not None:
                return "second instance, as the first died"
            if second.returncode != 1 or "instance" not in said:
                self.complaints.append(f"a second instance ended with {second.returncode}: {said[:200]}")
        return None


def run_clients(trial, seconds, seed, disturbed=True, count=8):
    """Clients against a disturbed trial. Returns their history, the disturbances, and what did not start."""
    history, stop = History(), threading.Event()
    trial.start()
    clients = [Client(trial.socket, history, stop, f"{seed}-{i}") for i in range(count)]
    for client in clients:
        client.start()
    disturbances, end, problem = Disturbances(trial, seed), time.monotonic() + seconds, None
    while time.monotonic() < end and not problem:
        wake = time.monotonic() + disturbances.random.uniform(0.15, 0.4)
        while time.monotonic() < wake and not problem:
            time.sleep(0.01)
            problem = trial.keep_going()
        if not problem and disturbed:
            disturbances.once()
    stop.set()
    for client in clients:
        client.join(5)
    if disturbances.complaints:
        problem = problem or disturbances.complaints[0]
    return history, disturbances, problem


# ---- An old copy ----------------------------------------------------------------------------------------------------------------


def put_back_an_old_copy(programs, seed=1):
    """A backup is taken, allocations follow, the backup is put in the place of the log. Returns what is wrong: nothing, if the service that
    starts does nothing but reconcile, takes the receipts of the sites and no forged ones, and then goes on where the trial was."""
    wrong = []

    def expect(what, holds, seen=None):
        if not holds:
            wrong.append(f"{what}: {json.dumps(seen)[:300]}")

    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(programs, folder, seed=seed, die=0)
        try:
            trial.start()
            wait_for(trial.socket)
            keys = iter(range(1, 1000))

            def act(command, data=None, user="i-s1", site="s1"):
                return trial.ask(user, command, data, key=f"copy-{next(keys)}", site=site)

            def enrolled():
                who = act("enrol")["events"][0]["data"]["participant"]
                act("consent", {"participant": who, "date": "2024-01-08"})
                return who

            def randomise(who):
                confirm = trial.ask("i-s1", view="read_back", data={"participant": who}, site="s1")["shown"].get("confirm", "")
                return act("randomise", {"participant": who, "confirm": confirm})

            who = [enrolled() for _ in range(6)]
            for one in who[:3]:
                randomise(one)
            copy = os.path.join(folder, "copy.db")
            answer = act("backup", {"path": copy}, "administrator", None)
            expect("a backup is made", answer["ok"], answer)
            for one in who[3:]:
                randomise(one)
            receipts = trial.ask("i-s1", view="receipts", site="s1")["shown"]
            expect("each allocation has its receipt", len(receipts) == 6, receipts)
            trial.end()
            for end in ("", "-wal", "-shm"):
                if os.path.exists(os.path.join(folder, "trial.db" + end)):
                    os.unlink(os.path.join(folder, "trial.db" + end))
            shutil.copy(copy, os.path.join(folder, "trial.db"))
            said = trial.start_quietly()
            expect("the old copy starts", said is None, said)
            status = trial.ask("administrator", view="status")
            expect("it is to be reconciled", status["shown"]["state"] == "to be reconciled", status)
            for refused in (randomise(who[3]), act("enrol")):
                expect("nothing is done before", not refused["ok"] and refused["problems"][0]["code"] == "unavailable", refused)
            lost = [{"request": one["request"], "receipt": one["receipt"], "date": one["date"]} if "request" in one else one for one in receipts]
            lost = sorted(lost, key=lambda one: one["receipt"]["number"])[3:]
            forged = json.loads(json.dumps(lost))
            forged[1]["receipt"]["mark"] = "a" * 64
            answer = act("reconcile", {"lost": forged}, "administrator", None)
            expect("a forged receipt is refused", not answer["ok"] and answer["problems"][0]["code"] == "verification", answer)
            answer = act("reconcile", {"lost": lost}, "administrator", None)
            expect("the sites' receipts are taken", answer["ok"], answer)
            answer = randomise(enrolled())
            expect("the next allocation is the seventh", answer["ok"] and answer["events"][0]["data"]["receipt"]["number"] == 7, answer)
        finally:
            trial.end()
    return wrong
