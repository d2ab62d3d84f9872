#!/usr/bin/env python3
"""Checks that every room uses only what its line in equipoise/CMakeLists.txt allows.

    scripts/check_rooms.py                 check the tree; exit status 1 with one line for each violation
    scripts/check_rooms.py --graph         print the graph of the rooms (Mermaid)
    scripts/check_rooms.py --update-docs   put that graph into docs/rooms.md
    scripts/check_rooms.py --self-test     prove on a made-up tree that each kind of violation is found

The rules
  - a room is a folder of equipoise/ and one `equipoise_room(NAME USES ...)` line; it uses only rooms on lines above its own;
  - a file includes "equipoise/ROOM/..." of its own room or of a room in its USES, by its full path; so do the tests beside it;
  - a room has at most one level of folders inside it;
  - only tests, ./run and CI know the folder of shared test data beside the repository;
  - the graph in docs/rooms.md is the one that the lines say.
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path

SUFFIXES = {".h", ".hpp", ".c", ".cpp"}
ROOM_LINE = re.compile(r"^\s*equipoise_room\(\s*(\w+)([^)]*)\)", re.MULTILINE)
KEYWORDS = {"USES", "LIBRARIES", "TEST_LIBRARIES", "PROGRAM"}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
SHARED = "/".join(("..", "shared"))
GRAPH_BEGIN = "<!-- graph: made by scripts/check_rooms.py --update-docs -->"
GRAPH_END = "<!-- end of graph -->"


def read_rooms(root):
    """The rooms in order: name -> (line number, [used room, ...])."""
    text = (root / "equipoise/CMakeLists.txt").read_text(encoding="utf-8")
    rooms, problems = {}, []
    # A comment must neither name a room nor hide one; its length is kept, so that line numbers stay.
    bare = re.sub(r"#[^\n]*", lambda comment: " " * len(comment.group()), text)
    for match in ROOM_LINE.finditer(bare):
        name, words = match.group(1), match.group(2).split()
        line = text.count("\n", 0, match.start(1)) + 1
        place = f"equipoise/CMakeLists.txt:{line}"
        used, reading = [], False
        for word in words:
            if word in KEYWORDS:
                reading = word == "USES"
            elif reading:
                used.append(word)
        for room in used:
            if room == name:
                problems.append(f"{place}: room '{name}' uses itself")
            elif room not in rooms:
                problems.append(f"{place}: room '{name}' uses '{room}', which is not on a line above it")
        if name in rooms:
            problems.append(f"{place}: room '{name}' is listed twice")
        rooms[name] = (line, used)
    if not rooms:
        problems.append("equipoise/CMakeLists.txt:1: no equipoise_room(...) line found")
    return rooms, problems


def includes(path):
    """(line number, included path) of every #include "..." in a file."""
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, match.group(1)


def check_sources(root, rooms):
    problems = []
    for path in sorted((root / "equipoise").rglob("*")):
        if path.suffix not in SUFFIXES or not path.is_file():
            continue
        name = path.relative_to(root).as_posix()
        parts = path.relative_to(root / "equipoise").parts
        if len(parts) == 1:
            problems.append(f"{name}:1: a source outside every room")
            continue
        room = parts[0]
        if room not in rooms:
            problems.append(f"{name}:1: '{room}' has no equipoise_room(...) line in equipoise/CMakeLists.txt")
            continue
        if len(parts) > 3:
            problems.append(f"{name}:1: a room has at most one level of folders, and this file is {len(parts) - 2} levels deep")
        allowed = {room, *rooms[room][1]}
        for line, target in includes(path):
            if not target.startswith("equipoise/"):
                problems.append(f"{name}:{line}: \"{target}\" is not included by its full path; other people's headers take <>")
                continue
            other = target.split("/")[1]
            if other not in rooms:
                problems.append(f"{name}:{line}: \"{target}\" is of no room")
            elif other not in allowed:
                may = ", ".join(rooms[room][1]) or "nothing of ours"
                problems.append(f"{name}:{line}: room '{room}' may not use '{other}' (it uses {may})")
    return problems


def may_name_shared(name):
    return name == "run" or name.startswith(("tests/", ".ci/")) or name.endswith("_test.cpp")


def check_shared(root):
    problems = []
    skipped = {".git", "build", ".cache", "__pycache__"}
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if skipped & set(relative.parts) or not path.is_file() or path.stat().st_size > 1 << 20:
            continue
        name = relative.as_posix()
        if may_name_shared(name):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if SHARED in line:
                problems.append(f"{name}:{number}: names {SHARED}, which only tests, ./run and CI may")
    return problems


def above(rooms, room):
    """Every room that `room` reaches."""
    reached, waiting = set(), list(rooms[room][1])
    while waiting:
        used = waiting.pop()
        if used in rooms and used not in reached:
            reached.add(used)
            waiting += rooms[used][1]
    return reached


def graph(rooms):
    """Arrows from a room to those it uses; an arrow that others imply is left out, so that the picture stays readable."""
    lines = ["```mermaid", "flowchart BT"]
    for room, (_, used) in rooms.items():
        lines.append(f"  {room}")
        for other in used:
            if not any(other in above(rooms, between) for between in used if between in rooms and between != other):
                lines.append(f"  {room} --> {other}")
    return "\n".join([*lines, "```"])


def docs_parts(root):
    """What stands before, in and after the graph of docs/rooms.md, or nothing when the page or its marks are absent."""
    page = root / "docs/rooms.md"
    if not page.exists():
        return None
    before, begin, rest = page.read_text(encoding="utf-8").partition(GRAPH_BEGIN)
    inside, end, after = rest.partition(GRAPH_END)
    return (before, inside.strip(), after) if begin and end else None


def check_docs(root, rooms):
    parts = docs_parts(root)
    if parts is None:
        return [f"docs/rooms.md:1: the page or its marks '{GRAPH_BEGIN}' and '{GRAPH_END}' are missing"]
    problems = []
    line = parts[0].count("\n") + 1
    if parts[1] != graph(rooms):
        problems.append(f"docs/rooms.md:{line}: the graph is out of date; run scripts/check_rooms.py --update-docs")
    for room in rooms:
        if f"| `{room}` |" not in parts[0] + parts[2]:
            problems.append(f"docs/rooms.md:1: room '{room}' has no row in the table of rooms")
    return problems


def check(root):
    rooms, problems = read_rooms(root)
    return problems + check_sources(root, rooms) + check_shared(root) + check_docs(root, rooms)


def update_docs(root):
    rooms, problems = read_rooms(root)
    parts = docs_parts(root)
    if problems or parts is None:
        return problems or check_docs(root, rooms)
    text = f"{parts[0]}{GRAPH_BEGIN}\n{graph(rooms)}\n{GRAPH_END}{parts[2]}"
    (root / "docs/rooms.md").write_text(text, encoding="utf-8")
    return []


# ---- The proof that the check can fail ---------------------------------------------------------------------------------

SOUND = {
    "equipoise/CMakeLists.txt": "# rooms\nequipoise_room(core)\nequipoise_room(data USES core LIBRARIES x)\n"
                                "equipoise_room(cli\n  USES core data\n  PROGRAM p)\n",
    "equipoise/core/text.h": "#include <string>\n",
    "equipoise/data/csv.cpp": '#include "equipoise/core/text.h"\n#include "equipoise/data/formats/csv.h"\n',
    "equipoise/data/formats/csv.h": "",
    "equipoise/data/csv_test.cpp": f'#include "equipoise/data/csv.h"\n// {SHARED}/data\n',
    "equipoise/cli/main.cpp": '#include "equipoise/data/csv.h"\n',
    "tests/e2e/all_test.cpp": f'#include "equipoise/cli/main.h"\n// {SHARED}\n',
    "run": f"{SHARED}\n",
    "docs/rooms.md": f"| `core` |\n| `data` |\n| `cli` |\n{GRAPH_BEGIN}\n```mermaid\nflowchart BT\n  core\n  data\n  data --> core\n"
                     f"  cli\n  cli --> data\n```\n{GRAPH_END}\n",
}

# What is changed in the sound tree (None removes the file), and the violations that must be found: these, and no others.
BROKEN = {
    "an include upwards": (
        {"equipoise/core/text.h": '\n#include "equipoise/data/csv.h"\n'},
        ["equipoise/core/text.h:2: room 'core' may not use 'data' (it uses nothing of ours)"]),
    "a test that includes upwards": (
        {"equipoise/data/csv_test.cpp": '#include "equipoise/cli/main.h"\n'},
        ["equipoise/data/csv_test.cpp:1: room 'data' may not use 'cli' (it uses core)"]),
    "an include of no room": (
        {"equipoise/core/text.h": '#include "equipoise/nowhere/a.h"\n'},
        ['equipoise/core/text.h:1: "equipoise/nowhere/a.h" is of no room']),
    "an include by a short path": (
        {"equipoise/data/csv.cpp": '#  include "csv.h"\n'},
        ['equipoise/data/csv.cpp:1: "csv.h" is not included by its full path; other people\'s headers take <>']),
    "a folder that is no room": (
        {"equipoise/extra/a.cpp": ""},
        ["equipoise/extra/a.cpp:1: 'extra' has no equipoise_room(...) line in equipoise/CMakeLists.txt"]),
    "a source outside the rooms": (
        {"equipoise/a.cpp": ""}, ["equipoise/a.cpp:1: a source outside every room"]),
    "a folder too deep": (
        {"equipoise/data/formats/csv/a.h": ""},
        ["equipoise/data/formats/csv/a.h:1: a room has at most one level of folders, and this file is 2 levels deep"]),
    "two rooms in a circle": (
        {"equipoise/CMakeLists.txt": "equipoise_room(core USES data)\nequipoise_room(data USES core LIBRARIES x)\nequipoise_room(cli USES core data)\n"},
        ["equipoise/CMakeLists.txt:1: room 'core' uses 'data', which is not on a line above it",
         "docs/rooms.md:4: the graph is out of date; run scripts/check_rooms.py --update-docs"]),
    "a room that uses itself": (
        {"equipoise/CMakeLists.txt": "equipoise_room(core)\nequipoise_room(data USES core data)\nequipoise_room(cli USES core data)\n"},
        ["equipoise/CMakeLists.txt:2: room 'data' uses itself",
         "docs/rooms.md:4: the graph is out of date; run scripts/check_rooms.py --update-docs"]),
    "a room in a comment only": (
        {"equipoise/CMakeLists.txt": "equipoise_room(core)\nequipoise_room(data USES core)\n# equipoise_room(cli USES core data)\n"},
        ["equipoise/cli/main.cpp:1: 'cli' has no equipoise_room(...) line in equipoise/CMakeLists.txt",
         "docs/rooms.md:4: the graph is out of date; run scripts/check_rooms.py --update-docs"]),
    "shared data named by the product": (
        {"equipoise/cli/main.cpp": f'#include "equipoise/data/csv.h"\nauto p = "{SHARED}";\n'},
        [f"equipoise/cli/main.cpp:2: names {SHARED}, which only tests, ./run and CI may"]),
    "a page that lags": (
        {"docs/rooms.md": f"| `core` |\n| `cli` |\n{GRAPH_BEGIN}\n{GRAPH_END}\n"},
        ["docs/rooms.md:3: the graph is out of date; run scripts/check_rooms.py --update-docs",
         "docs/rooms.md:1: room 'data' has no row in the table of rooms"]),
    "no page": (
        {"docs/rooms.md": None},
        [f"docs/rooms.md:1: the page or its marks '{GRAPH_BEGIN}' and '{GRAPH_END}' are missing"]),
    "no rooms": (
        {name: None for name in ("equipoise/core/text.h", "equipoise/data/csv.cpp", "equipoise/data/formats/csv.h",
                                 "equipoise/data/csv_test.cpp", "equipoise/cli/main.cpp")}
        | {"equipoise/CMakeLists.txt": "", "docs/rooms.md": f"{GRAPH_BEGIN}\n```mermaid\nflowchart BT\n```\n{GRAPH_END}\n"},
        ["equipoise/CMakeLists.txt:1: no equipoise_room(...) line found"]),
}


def run_case(changes):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in (SOUND | changes).items():
            if text is not None:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
        found = check(root)
        # Bringing the page up to date must mend exactly the graph.
        if any("out of date" in problem for problem in found) and not any("CMakeLists" in problem for problem in found):
            update_docs(root)
            if [problem for problem in found if "out of date" not in problem] != check(root):
                found.append("--update-docs did not mend the graph")
        return found


def self_test():
    failed = 0
    for what, (changes, expected) in {"the sound tree": ({}, []), **BROKEN}.items():
        found = run_case(changes)
        if found != expected:
            failed += 1
            print(f"{what}: expected {expected}\n  found {found}")
    print(f"{len(BROKEN) + 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description="Checks that every room uses only what its line allows.")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--graph", action="store_true", help="print the graph of the rooms (Mermaid)")
    action.add_argument("--update-docs", action="store_true", help="put the graph into docs/rooms.md")
    action.add_argument("--self-test", action="store_true", help="prove that each kind of violation is found")
    arguments = parser.parse_args()
    root = Path(__file__).resolve().parent.parent

    if arguments.graph:
        print(graph(read_rooms(root)[0]))
        return 0
    if arguments.self_test:
        return self_test()
    problems = update_docs(root) if arguments.update_docs else check(root)
    for problem in problems:
        print(problem)
    if not problems and not arguments.update_docs:
        print(f"{len(read_rooms(root)[0])} rooms, every include allowed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
