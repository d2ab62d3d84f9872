#!/usr/bin/env python3
"""The live trial: reading a long log, an extract of a large trial, allocations through socket, vault and disk. A virtual trial of the
flagship is conducted first, and its participants multiplied (conduct_bench). Best of three; the log store alone is in sqlite_bench."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import processor

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release"


def bench(*words):
    lines = subprocess.run([BUILD / "conduct_bench", *map(str, words)], check=True, capture_output=True, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


def conducted(folder):
    subprocess.run([BUILD / "equipoise", "trial", "vault-key", folder / "key"], check=True, capture_output=True)
    subprocess.run([BUILD / "equipoise", "simulate", ROOT / "examples/msc-inr/protocol.toml", "--scenario", "dose-response", "--export", "1",
                    "--through-conduct", "--vault-key", folder / "key", "--seed", "1", "--output", folder / "out"], check=True,
                   capture_output=True)
    return folder / "out/trial/trial.db"


def said(value, goal, bar=None):
    return "met" if value <= goal else f"goal MISSED{', bar met' if bar and value <= bar else ', bar MISSED' if bar else ''}"


def main():
    if not (BUILD / "conduct_bench").exists():
        sys.exit("this build has no conduct_bench")
    print(f"{processor()}\n\n| what | ours | goal | |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=BUILD) as name:
        log = conducted(Path(name))
        rounds = bench("fold", log)
        best = {key: min(one[key] for one in rounds) for key in ("digests", "decoding", "fold", "start")}
        folded = best["decoding"] + best["fold"]
        print(f"| {rounds[0]['events']:,} events ({rounds[0]['participants']:,} participants, {rounds[0]['megabytes']} MB) decoded and folded "
              f"| {folded:.2f} s (decoding {best['decoding']:.2f}, fold {best['fold']:.2f}) | 1 s, bar 2 s | {said(folded, 1, 2)} |")
        print(f"| the same from the disk, every digest made again ({best['digests']:.2f} s of them) | {best['start']:.2f} s | | |")
        rounds = bench("extract", log)
        files = min(one["files"] for one in rounds)
        print(f"| extract of {rounds[0]['participants']:,} participants, {rounds[0]['rows']:,} rows, to a file of {rounds[0]['bytes'] / 1e6:.1f} MB "
              f"| {files:.3f} s | 0.5 s | {said(files, 0.5)} |")
        one = bench("allocate", name, 2000)[0]
        ratio = one["p50"] / one["sync_p50"]
        print(f"| allocation, from the question on the socket to the answer, p50 | {one['p50']:.0f} us ({one['a_second']:.0f} a second) "
              f"| 1.2 x the bare sync | {ratio:.2f} x: {said(ratio, 1.2)} |")
        print(f"| the same, p99 | {one['p99']:.0f} us | | {one['p99'] / one['sync_p99']:.2f} x |")
        print(f"| bare write and sync of {one['bytes']} bytes, p50 and p99 | {one['sync_p50']:.0f} and {one['sync_p99']:.0f} us | | |\n")
        print(subprocess.run([BUILD / "sqlite_bench", name], check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main()
