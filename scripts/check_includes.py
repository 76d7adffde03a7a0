#!/usr/bin/env python3
"""Checks the shape of the sources: which room includes which, length of files, #pragma once in headers.

    scripts/check_includes.py [SOURCE_FOLDER]      prints every problem with file and line; exit 0 where there is none
"""
import re
import sys
from pathlib import Path

# A room may include rooms of lower layers, and neighbours of its own layer unless the neighbour includes it too.
LAYERS = (
    ("core",),
    ("backend", "comm"),
    ("lowrank", "sparse", "checkpoint"),
    ("methods", "store", "stats", "report"),
    ("pipeline",),
    ("bench",),
    ("jobs",),
)
# Rooms beside the stack: all that they may include, and who may include them.
BESIDE = {
    "recipe": ({"core", "checkpoint"}, {"pipeline", "bench", "cluster", "jobs"}),
    "cluster": ({"core", "recipe"}, {"jobs"}),
    "kernels": ({"core"}, {"backend"}),
}
MOST_LINES = 300
SUFFIXES = {".hpp", ".cpp", ".cu", ".cuh"}
INCLUDE = re.compile(r'\s*#\s*include\s*"([^"]+)"')
LAYER_OF = {room: layer for layer, rooms in enumerate(LAYERS) for room in rooms}
ROOMS = set(LAYER_OF) | set(BESIDE)


def room_of(path):
    """'core' for src/core/x.hpp, 'jobs' for jobs/x.hpp; None for a folder that is no room."""
    parts = path.parts[1:] if path.parts[0] == "src" else path.parts
    return parts[0] if parts[0] in ROOMS else None


def is_allowed(source, target):
    if source == target:
        return True
    if source in BESIDE:
        return target in BESIDE[source][0]
    if target in BESIDE:
        return source in BESIDE[target][1]
    return LAYER_OF[target] <= LAYER_OF[source]


def find_files(root):
    for folder in ("src", "jobs", "kernels", "tests"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SUFFIXES:
                yield path.relative_to(root)


def arrows_of(root, path):
    """(line number, included room) for every include of one of our rooms."""
    for number, line in enumerate((root / path).read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match and "/" in match.group(1) and match.group(1).split("/")[0] in ROOMS:
            yield number, match.group(1).split("/")[0]


def check_shape(root, path):
    text = (root / path).read_text(encoding="utf-8")
    lines = text.count("\n")
    if lines > MOST_LINES and "golden" not in path.parts:  # golden/ holds data
        yield f"{path}: {lines} lines, at most {MOST_LINES}: one idea per file"
    if path.suffix in {".hpp", ".cuh"} and not text.startswith("#pragma once\n"):
        yield f"{path}:1: a header begins with #pragma once"


def check_arrows(root, files):
    seen = {}
    for path in files:
        room = room_of(path)
        if room is None:
            if path.parts[0] != "tests":
                yield f"{path}: in no room of this house; rooms are {', '.join(sorted(ROOMS))}"
            continue
        for number, target in arrows_of(root, path):
            if not is_allowed(room, target):
                yield f"{path}:{number}: {room} may not include {target}"
            seen.setdefault((room, target), f"{path}:{number}")
    for (source, target), place in sorted(seen.items()):
        if source < target and (target, source) in seen:
            yield f"{place}: {source} includes {target}, which includes {source} ({seen[(target, source)]})"


def problems_of(root):
    files = list(find_files(root))
    if not files:
        return [f"{root}: holds no sources"]
    return [p for path in files for p in check_shape(root, path)] + list(check_arrows(root, files))


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    problems = problems_of(root)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
