"""Runs rows of the reliability table: every point, or a share of them; what has passed for this commit is not run again.

    scripts/faults.sh R1 R5 --part 2/4     the second quarter of two rows
    scripts/faults.sh --every 7            every seventh point of every row, from another start each day
"""
import argparse
import json
import os
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import fault_rows_bytes  # noqa: E402
import fault_rows_folder  # noqa: E402
import fault_rows_jobs  # noqa: E402
import fault_rows_kills  # noqa: E402

ROWS = dict(sorted((name, row) for rows in (fault_rows_bytes, fault_rows_folder, fault_rows_jobs, fault_rows_kills)
                   for name, row in rows.ROWS.items()))


def commit(source):
    told = subprocess.run(["git", "-C", source, "describe", "--always", "--dirty", "--abbrev=12"], capture_output=True, text=True,
                          check=False)
    return told.stdout.strip() or "unknown"


class Results:
    """One line per point that was run, by commit: what passed is known the next time."""

    def __init__(self, folder, row):
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, row + ".jsonl")
        self.passed = set()
        if os.path.exists(self.path) and "dirty" not in folder:
            with open(self.path, encoding="utf-8") as file:
                rows = [json.loads(line) for line in file if line.endswith("\n")]
            self.passed = {json.dumps(row["point"]) for row in rows if row["error"] is None}

    def add(self, point, error):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"point": point, "error": error}) + "\n")


def chosen(points, options):
    """Those to run: a part of them, every n-th."""
    part, parts = options.part
    mine = points[part - 1::parts]
    return mine[options.start % min(options.every, max(1, len(mine)))::options.every]


def run_row(name, options, folder):
    began = time.time()
    try:
        row = ROWS[name]()
    except unittest.SkipTest as reason:
        print(json.dumps({"row": name, "promise": ROWS[name].promise, "skipped": str(reason)}), flush=True)
        return True
    row.is_short = options.seconds > 0
    results = Results(folder, name)
    count = known = failed = 0
    try:
        points = list(row.points())
        for point in chosen(points, options):
            if json.dumps(list(point)) in results.passed:
                known += 1
                continue
            count += 1
            error = None
            try:
                row.check(*point)
            except (AssertionError, subprocess.TimeoutExpired) as problem:
                error = str(problem)
                failed += 1
                print(f"{name} {list(point)}: {error}", file=sys.stderr, flush=True)
            results.add(list(point), error)
            if options.seconds and time.time() - began > options.seconds:
                break
    finally:
        row.close()
    print(json.dumps({"row": name, "promise": row.promise, "points": len(points), "run": count, "passed_before": known,
                      "failed": failed,
                      "seconds": round(time.time() - began, 1), "commit": options.commit}), flush=True)
    return failed == 0


def fraction(text):
    part, _, parts = text.partition("/")
    if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text}: expected k/n, such as 2/4")
    return int(part), int(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help="of " + " ".join(ROWS) + "; all of them where none is named")
    parser.add_argument("--part", type=fraction, default=(1, 1), metavar="k/n")
    parser.add_argument("--every", type=int, default=1, metavar="n")
    parser.add_argument("--start", type=int, default=time.localtime().tm_yday, help="of every n-th; default: the day of the year")
    parser.add_argument("--seconds", type=float, default=0, help="stop a row after so long")
    options = parser.parse_args()
    source = os.environ.get("KOINE_SOURCE", os.getcwd())
    options.commit = commit(source)
    unknown = [name for name in options.rows if name not in ROWS]
    if unknown:
        parser.error(f"no row {', '.join(unknown)}; there are {' '.join(ROWS)}")
    folder = os.path.join(source, "build", "faults", options.commit)
    are_well = [run_row(name, options, folder) for name in options.rows or ROWS]
    return 0 if all(are_well) else 1


if __name__ == "__main__":
    sys.exit(main())
