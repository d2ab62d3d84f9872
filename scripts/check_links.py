#!/usr/bin/env python3
"""Checks that every relative link of every Markdown page leads to a file that exists, and to a heading that the page has.

    scripts/check_links.py     exit status 1 with one line for each broken link
"""

import re
import sys
from pathlib import Path

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
SKIPPED = {".git", "build", ".cache"}


def anchors(text):
    """The anchors of a page's headings, as code forges make them: lower case, spaces to hyphens, other signs dropped."""
    found = set()
    for heading in re.findall(r"^#+\s+(.*)$", FENCED.sub("", text), re.MULTILINE):
        found.add(re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-"))
    return found


def main():
    root = Path(__file__).resolve().parent.parent
    broken = links = 0
    for page in sorted(root.rglob("*.md")):
        if SKIPPED & set(page.relative_to(root).parts):
            continue
        text = page.read_text(encoding="utf-8")
        # Code is no link; its length and its lines are kept, so that line numbers stay.
        bare = FENCED.sub(lambda block: re.sub(r"[^\n]", " ", block.group()), text)
        bare = CODE.sub(lambda code: " " * len(code.group()), bare)
        for match in LINK.finditer(bare):
            target, _, anchor = match.group(1).partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            links += 1
            place = f"{page.relative_to(root)}:{text.count(chr(10), 0, match.start()) + 1}"
            file = (page.parent / target).resolve() if target else page
            if not file.exists():
                broken += 1
                print(f"{place}: there is no {target}")
            elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
                broken += 1
                print(f"{place}: {target or page.name} has no heading '{anchor}'")
    print(f"{links} links, {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
