#!/usr/bin/env python3
"""Which requirement of conduct is tested by what: docs/requirements.json and docs/requirements.md, from docs/requirements.toml and the names
of the tests. A test of C14 is called C14_Something.DoesThis.

  requirements.py --update    write the two files
  requirements.py             exit 1 when they are not what --update would write, or a requirement has neither a test nor a `later`
"""
import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEST = re.compile(r"TEST(?:_P|_F)?\(\s*([CF]\d\d[a-z]?)_(\w+)\s*,\s*(\w+)\s*\)|TYPED_TEST\(\s*([CF]\d\d[a-z]?)_(\w+)\s*,\s*(\w+)")


def found():
    tests = {}
    for folder in ("equipoise", "tests"):
        for file in sorted((ROOT / folder).rglob("*_test.cpp")) + sorted((ROOT / folder).rglob("*_contract.h")):
            for match in TEST.finditer(file.read_text(encoding="utf-8")):
                groups = [group for group in match.groups() if group]
                tests.setdefault(groups[0], []).append({"test": f"{groups[0]}_{groups[1]}.{groups[2]}", "file": str(file.relative_to(ROOT))})
    return tests


def main():
    requirements = tomllib.loads((ROOT / "docs/requirements.toml").read_text(encoding="utf-8"))
    tests = found()
    rows = [{"id": key, **value, "tests": tests.get(key, [])} for key, value in requirements.items()]
    bare = [row["id"] for row in rows if not row["tests"] and "later" not in row]
    as_json = json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
    lines = ["# Requirements of conduct and their tests", "", "Made by `scripts/requirements.py --update`; `equipoise verify --requirements` prints the same.", "",
             "| id | requirement | source | tests |", "| --- | --- | --- | --- |"]
    for row in rows:
        cell = "<br>".join(f"`{test['test']}`" for test in row["tests"])
        if "later" in row:
            cell += ("<br>" if cell else "") + "not yet: " + row["later"]
        lines.append(f"| {row['id']} | {row['text']} | {row['source']} | {cell} |")
    as_page = "\n".join(lines) + "\n"
    files = {ROOT / "docs/requirements.json": as_json, ROOT / "docs/requirements.md": as_page}
    if "--update" in sys.argv[1:]:
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
    else:
        stale = [str(path.relative_to(ROOT)) for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
        if stale:
            sys.exit(f"requirements: {', '.join(stale)} are not up to date: scripts/requirements.py --update")
    if bare:
        sys.exit(f"requirements: no test carries the id of {', '.join(bare)}, and none is said to come later")


if __name__ == "__main__":
    main()
