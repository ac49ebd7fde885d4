#!/usr/bin/env python3
"""Rules of this repository that no compiler or formatter checks; `make lint` runs it.

Prints one line for each breach, as FILE:LINE: RULE, and exits 1 when there is one. Force unwraps and
`try!` are swift-format's business (.swift-format), dependency arrows the build's.
"""

import pathlib
import re
import subprocess
import sys

# (files, pattern, what is wrong). Files are a regular expression on the path, searched.
SWIFT = r"^Sources/.*\.swift$"
TEXT = r"\.(swift|md|lua|py|sh|txt|json|jsonl|h|modulemap|yml)$|^(Makefile|\.ci/run|\.gitignore)$"
RULES = [
    (SWIFT, r"^\s*(\w+ )?import Foundation\b",
     "import FoundationEssentials: Foundation's ICU data costs start-up time and 30 MB"),
    (SWIFT, r"\b(fatalError|preconditionFailure|assertionFailure)\(",
     "throw an error that says what to do; a trap takes the script and its study down"),
    (SWIFT, r"\bunowned\(unsafe\)", "an unchecked lifetime: a use too late is a crash"),
    (SWIFT, r"//.*\b(TODO|FIXME|XXX|HACK)\b", "unfinished work: do it, or open an issue"),
    (r"^Tests/.*\.swift$", r"\.disabled\(|withKnownIssue|#expect\(true\)|XCTSkip",
     "a test that can't fail"),
    (TEXT, r"(^|[\s\"'=(:])/(root|work|home|Users|opt/wheels)/\w",
     "a path of somebody's machine"),
    (TEXT, r"pypi[.]org|pythonhosted[.]org|download[.]pytorch[.]org|registry[.]npmjs",
     "a registry's host name: package managers know theirs from their configuration"),
]

# Lines that may break a rule: (path, part of the line, why).
ALLOWED = [
    ("Sources/LuaBridge/LuaClass+Registration.swift", "unowned(unsafe) let state: LuaState",
     "the state owns what Lua holds and closes it first; a checked reference costs each call"),
    ("Sources/LuaBridge/LuaFunction.swift", "unowned(unsafe) let state: LuaState",
     "the same"),
]

LARGEST_FILE = 1_000_000  # bytes


def main() -> int:
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True)
    breaches = []
    for path in filter(None, listed.stdout.split("\0")):
        file = pathlib.Path(path)
        if file.is_file():
            breaches += check(path, file.read_bytes())
    print(*breaches, sep="\n", end="\n" if breaches else "")
    return 1 if breaches else 0


def check(path: str, content: bytes) -> list[str]:
    breaches = []
    if len(content) > LARGEST_FILE:
        breaches.append(f"{path}:1: {len(content)} bytes; committed files stay under 1 MB")
    rules = [rule for rule in RULES if re.search(rule[0], path)]
    if not rules or path == "scripts/dev/check_sources.py":
        return breaches
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        for _, pattern, problem in rules:
            if re.search(pattern, line) and not is_allowed(path, line):
                breaches.append(f"{path}:{number}: {problem}")
    if path.endswith(".md"):
        breaches += broken_links(path, content.decode("utf-8"))
    return breaches


def is_allowed(path: str, line: str) -> bool:
    return any(path == allowed and part in line for allowed, part, _ in ALLOWED)


def broken_links(path: str, text: str) -> list[str]:
    """Relative links of a Markdown page that lead nowhere."""
    folder = pathlib.Path(path).parent
    breaches = []
    for number, line in enumerate(text.splitlines(), 1):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", line):
            if "://" not in target and not (folder / target).exists():
                breaches.append(f"{path}:{number}: link to '{target}', which is not there")
    return breaches


if __name__ == "__main__":
    sys.exit(main())
