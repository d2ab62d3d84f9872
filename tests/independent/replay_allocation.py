#!/usr/bin/env python3
"""Allocations of a live trial, computed again from the seed and the requests.

    replay_allocation.py CASE.json...      exit status 0 when every case comes out as it says, 1 otherwise

Written from docs/methods/live_allocation.md and docs/methods/allocation.md, not from the program; Python 3 and its standard library alone. Slow,
plain and meant to be read beside those pages. A case holds what is public after the reveal:

    trial, protocol, environment, seed      texts; the last two of 64 hexadecimal digits
    method, parameters                      as the section [randomisation] says
    arms, ratio, caps                       ids, whole numbers, {arm: cap}
    factors                                 [{"id", "levels": [...], "caps": {level: cap}}]
    planned                                 participants; 0 when the protocol plans no number
    levels                                  of each request in order, a list of factors' levels; empty without factors
    allocated                               number of the arm of each request, or -1 when it was refused
    receipts                                of some allocations: number, participant, stream, position, leaf, path, mark; nonce too
    commitment                              seed, root, leaves
"""

import hashlib
import hmac
import itertools
import json
import math
import multiprocessing
import struct
import sys

ALGORITHM = "equipoise allocation 1"


def number(n):
    return struct.pack(">q", n)


def text(t):
    raw = t if isinstance(t, bytes) else t.encode("utf-8")
    return number(len(raw)) + raw


def message(purpose, *parts):
    return text(ALGORITHM) + text(purpose) + b"".join(number(p) if isinstance(p, int) else text(p) for p in parts)


def mac(key, bytes_):
    return hmac.digest(key, bytes_, "sha256")


class Draw:
    """The words of one allocation."""

    def __init__(self, seed, stream, position):
        self.seed, self.head = seed, message("draw", stream, position)

    def word(self, place, attempt=0):
        return int.from_bytes(mac(self.seed, self.head + number(place) + number(attempt))[:8], "big")

    def below(self, place, bound):
        if bound == 1:
            return 0
        for attempt in range(256):
            product = self.word(place, attempt) * bound
            if product % 2**64 >= 2**64 % bound:
                return product // 2**64
        raise AssertionError("256 words were rejected")

    def unit(self, place):
        return (self.word(place) >> 11) * 2.0**-53

    def one_of(self, place, members):
        return members[self.below(place, len(members))]


def coin(draw, preferred, open_places, p):
    if len(preferred) == len(open_places) or p == 1 or draw.unit(0) < p:
        return draw.one_of(1, preferred)
    others = len(open_places) - 1
    k = draw.below(1, len(preferred) * others)
    aside = preferred[k // others]
    return [t for t in open_places if t != aside][k % others]


# ---- Methods: each is made for one stratum (minimisation for the trial) and gives a place ---------------------------------------


class Simple:
    def __init__(self, case):
        pass

    def next(self, draw, open_places, levels):
        return draw.one_of(0, open_places)


class PermutedBlock:
    """Gives an arm, not a place: blocks hold arms in their ratio."""

    def __init__(self, case):
        self.ratio, unit = case["ratio"], sum(case["ratio"])
        self.sizes = [size // unit for size in case["parameters"]["block_sizes"]]
        self.left = [0] * len(self.ratio)

    def next_arm(self, draw, open_arms):
        if sum(self.left[a] for a in open_arms) == 0:
            size = self.sizes[draw.below(1, len(self.sizes))]
            self.left = [size * share for share in self.ratio]
        ticket = draw.below(0, sum(self.left[a] for a in open_arms))
        for arm, reached in zip(open_arms, itertools.accumulate(self.left[a] for a in open_arms)):
            if reached > ticket:
                self.left[arm] -= 1
                return arm


class BiasedCoin:
    def __init__(self, case):
        self.count = [0] * sum(case["ratio"])
        self.p = case["parameters"].get("probability", 2 / 3)

    def next(self, draw, open_places, levels):
        fewest = min(self.count[t] for t in open_places)
        place = coin(draw, [t for t in open_places if self.count[t] == fewest], open_places, self.p)
        self.count[place] += 1
        return place


class BigStick:
    def __init__(self, case):
        self.count = [0] * sum(case["ratio"])
        self.bound = case["parameters"]["maximum_imbalance"]

    def next(self, draw, open_places, levels):
        most = min(self.count[t] for t in open_places) + self.bound
        place = draw.one_of(0, [t for t in open_places if self.count[t] < most])
        self.count[place] += 1
        return place


class Urn:
    def __init__(self, case):
        self.beta = case["parameters"]["beta"]
        self.balls = [case["parameters"]["alpha"]] * sum(case["ratio"])

    def next(self, draw, open_places, levels):
        total = sum(self.balls[t] for t in open_places)
        if total == 0:
            place = draw.one_of(0, open_places)
        else:
            ticket = draw.below(0, total)
            for place, reached in zip(open_places, itertools.accumulate(self.balls[t] for t in open_places)):
                if reached > ticket:
                    break
        self.balls = [b + (0 if t == place else self.beta) for t, b in enumerate(self.balls)]
        return place


class MaximalProcedure:
    ways_of = {}  # for all strata: ways to go on by (length so far, leads over the last place), whole numbers

    def __init__(self, case):
        p = case["parameters"]
        self.bound = p["maximum_imbalance"]
        self.length = p.get("participants", case["planned"])
        self.free = p.get("ends", "balanced") == "free"
        self.key = (self.bound, self.length, self.free, sum(case["ratio"]))
        if self.key not in self.ways_of:
            self.ways_of[self.key] = self.all_ways(sum(case["ratio"]))
        self.ways = self.ways_of[self.key]
        self.start = (0,) * sum(case["ratio"])
        self.done, self.leads = 0, self.start

    def after(self, leads, place):
        """The leads with one more at the place, or nothing beyond the bound."""
        more = [lead + (t == place) for t, lead in enumerate(leads)]
        more = tuple(lead - min(more) for lead in more)
        return more if max(more) <= self.bound else None

    def all_ways(self, places):
        states = [s for s in itertools.product(range(self.bound + 1), repeat=places) if min(s) == 0]
        ways = [{} for _ in range(self.length + 1)]
        ways[self.length] = {s: int(self.free or max(s) == 0) for s in states}
        for n in range(self.length - 1, -1, -1):
            for s in states:
                ways[n][s] = sum(ways[n + 1][to] for t in range(places) if (to := self.after(s, t)) is not None)
        assert max(max(w.values()) for w in ways) < 2**53, "beyond the numbers that a double holds"
        return ways

    def next(self, draw, open_places, levels):
        if self.done == self.length:
            self.done, self.leads = 0, self.start
        to = {t: self.after(self.leads, t) for t in open_places}
        weight = {t: float(self.ways[self.done + 1][to[t]]) for t in open_places if to[t] is not None}
        weight = {t: w for t, w in weight.items() if w > 0}
        ticket = draw.unit(0) * sum(weight.values())
        for place, w in weight.items():
            if ticket < w:
                break
            ticket -= w
        self.done, self.leads = self.done + 1, to[place]
        return place


class Minimisation:
    def __init__(self, case):
        p, places = case["parameters"], sum(case["ratio"])
        taves = case["method"] == "taves"
        self.imbalance = "marginal_total" if taves else p.get("imbalance", "range")
        self.p = 1 if taves else p["probability"]
        self.weights = [p.get("weights", {}).get(f["id"], 1) for f in case["factors"]]
        self.overall = p.get("overall_weight", 0)
        self.count = [[[0] * places for _ in f["levels"]] for f in case["factors"]]
        self.whole = [0] * places

    def d(self, counts, t, open_places):
        """D with one more at t, in terms of the counts before."""
        if self.imbalance == "marginal_total":
            return counts[t] + 1
        x = [counts[k] for k in open_places]
        if self.imbalance == "range":
            with_t = [counts[k] + (k == t) for k in open_places]
            return max(with_t) - min(with_t)
        n = len(x)
        if n < 2:
            return 0
        variance = float(n * (sum(v * v for v in x) + 2 * counts[t] + 1) - (sum(x) + 1) ** 2) / float(n * (n - 1))
        return variance if self.imbalance == "variance" else math.sqrt(variance)

    def next(self, draw, open_places, levels):
        margins = [(w, self.count[i][levels[i]]) for i, w in enumerate(self.weights) if w > 0]
        if self.overall > 0:
            margins.append((self.overall, self.whole))
        g = {t: 0.0 for t in open_places}
        for w, counts in margins:
            for t in open_places:
                g[t] += w * self.d(counts, t, open_places)
        limit = min(g.values()) + 1e-12 * max(g.values())
        place = coin(draw, [t for t in open_places if g[t] <= limit], open_places, self.p)
        for i, level in enumerate(levels):
            self.count[i][level][place] += 1
        self.whole[place] += 1
        return place


METHODS = {"simple": Simple, "permuted_block": PermutedBlock, "minimisation": Minimisation, "taves": Minimisation,
           "biased_coin": BiasedCoin, "big_stick": BigStick, "urn": Urn, "maximal_procedure": MaximalProcedure}


# ---- The trial ----------------------------------------------------------------------------------------------------------------


def margins(case):
    return case["method"] in ("minimisation", "taves")


def level_name(level):
    return level.replace("%", "%25").replace(",", "%2C").replace("=", "%3D")


class Trial:
    def __init__(self, case, level_caps=True):
        self.case, self.seed, self.level_caps = case, bytes.fromhex(case["seed"]), level_caps
        self.place_arm = [a for a, share in enumerate(case["ratio"]) for _ in range(share)]
        self.streams = {}    # name -> [positions used, method]
        self.arms = [0] * len(case["arms"])
        self.levels = [[0] * len(f["levels"]) for f in case["factors"]]

    def stream(self, levels):
        if margins(self.case) or not self.case["factors"]:
            return "trial"
        return ",".join(f"{f['id']}={level_name(f['levels'][x])}" for f, x in zip(self.case["factors"], levels))

    def next(self, levels):
        """(stream, position, arm) of the next allocation; nothing when it is refused."""
        case = self.case
        for i, (factor, x) in enumerate(zip(case["factors"], levels)):
            cap = factor.get("caps", {}).get(factor["levels"][x])
            if self.level_caps and cap is not None and self.levels[i][x] >= cap:
                return None
        open_arms = [a for a, arm in enumerate(case["arms"]) if self.arms[a] < case["caps"].get(arm, math.inf)]
        if not open_arms:
            return None
        name = self.stream(levels)
        if name not in self.streams:
            self.streams[name] = [0, METHODS[case["method"]](case)]
        stream = self.streams[name]
        stream[0] += 1
        draw = Draw(self.seed, name, stream[0])
        if isinstance(stream[1], PermutedBlock):
            arm = stream[1].next_arm(draw, open_arms)
        else:
            open_places = [t for t, a in enumerate(self.place_arm) if a in open_arms]
            arm = self.place_arm[stream[1].next(draw, open_places, levels)]
        self.arms[arm] += 1
        for i, x in enumerate(levels):
            self.levels[i][x] += 1
        return name, stream[0], arm


# ---- Commitments --------------------------------------------------------------------------------------------------------------


def sha(bytes_):
    return hashlib.sha256(bytes_).digest()


def nonce(case, stream, position):
    return mac(bytes.fromhex(case["seed"]), message("nonce", stream, position))


def leaf(case, stream, position, arm):
    return mac(nonce(case, stream, position),
               message("leaf", case["trial"], case["protocol"], stream, position, case["arms"][arm]))


def tree(leaves):
    """The levels of the tree, lowest first."""
    levels = [[sha(b"\0" + one) for one in leaves]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        above = [sha(b"\1" + below[i] + below[i + 1]) for i in range(0, len(below) - 1, 2)]
        levels.append(above + below[len(below) // 2 * 2:])
    return levels


def committed_list(case):
    """Leaves, and the number of the first leaf of each stream with how many it has; nothing when the method has no list."""
    if margins(case) or case["caps"] or case["planned"] == 0:
        return None
    factors = case["factors"]
    strata = [tuple(reversed(s)) for s in itertools.product(*(range(len(f["levels"])) for f in reversed(factors)))]
    places = {}
    for levels in strata:
        caps = [f.get("caps", {}).get(f["levels"][x]) for f, x in zip(factors, levels)]
        places[levels] = min([case["planned"]] + [cap for cap in caps if cap is not None])
    if not 0 < sum(places.values()) <= 2**18:
        return None
    trial, leaves, first = Trial(case, level_caps=False), [], {}
    for levels in strata:
        first[trial.stream(levels)] = (len(leaves), places[levels])
        for _ in range(places[levels]):
            leaves.append(leaf(case, *trial.next(levels)))
    return leaves, first


def problems_of(case):
    seed = bytes.fromhex(case["seed"])
    commitment = sha(message("seed", case["trial"], case["protocol"], case["environment"], seed)).hex()
    if commitment != case["commitment"]["seed"]:
        yield "the commitment to the seed differs"
    listed = committed_list(case)
    levels = tree(listed[0]) if listed else None
    if (levels[-1][0].hex() if listed else "") != case["commitment"].get("root", ""):
        yield "the root of the list differs"
    if (len(listed[0]) if listed else 0) != case["commitment"]["leaves"]:
        yield "the number of leaves differs"

    trial, receipts, mark_key = Trial(case), {r["number"]: r for r in case["receipts"]}, mac(seed, message("mark"))
    made = checked = 0
    for i, (request, expected) in enumerate(zip(case["levels"], case["allocated"], strict=True)):
        allocation = trial.next(request)
        if (allocation[2] if allocation else -1) != expected:
            yield f"request {i + 1}: arm {allocation and allocation[2]}, and {expected} was given"
            return
        if not allocation:
            continue
        made += 1
        receipt = receipts.get(made)
        if not receipt:
            continue
        stream, position, arm = allocation
        checked += 1
        if (receipt["stream"], receipt["position"]) != (stream, position):
            yield f"receipt {made}: stream or position differs"
        at, path = None, []
        if listed and position <= listed[1][stream][1]:
            at = listed[1][stream][0] + position - 1
            for level in levels:
                if at ^ 1 < len(level):
                    path.append(level[at ^ 1].hex())
                at //= 2
        expected_leaf = leaf(case, stream, position, arm).hex() if at is not None else ""
        if receipt.get("leaf", "") != expected_leaf or receipt.get("path", []) != path:
            yield f"receipt {made}: leaf or path differs"
        if receipt.get("nonce", "") != (nonce(case, stream, position).hex() if at is not None else ""):
            yield f"receipt {made}: nonce differs"
        mark = mac(mark_key, message("receipt", made, receipt["participant"], stream, position, len(request), *request)).hex()
        if receipt["mark"] != mark:
            yield f"receipt {made}: mark differs"
    if checked != len(receipts):
        yield f"{checked} of {len(receipts)} receipts could be checked"


def check(path):
    with open(path, encoding="utf-8") as file:
        case = json.load(file)
    problems = list(problems_of(case))
    return case["name"], len(case["allocated"]), len(case["receipts"]), case["commitment"]["leaves"], problems


def main(paths):
    if sys.version_info < (3, 10):
        print("skipped: Python 3.10 or later is needed")
        return 77
    failed = not paths
    with multiprocessing.Pool() as pool:
        for name, requests, receipts, leaves, problems in pool.imap(check, paths):
            print(f"{name}: {requests} requests, {receipts} receipts, {leaves} leaves: " + ("; ".join(problems) or "all as computed again"))
            failed |= bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
