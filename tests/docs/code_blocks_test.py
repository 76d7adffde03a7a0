"""Runs every ```sh and ```python block of README.md and docs/, in order, in a scratch folder per page.

A block marked "no-test" is not run, nor is one in another language. Pages that read runs/five find a small run there.
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from koine_cli import KOINE, PYTHON, SOURCE, koine

FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
RUNNERS = {"sh": ["bash", "-euo", "pipefail", "-c"], "python": [PYTHON, "-c"]}


def pages():
    return [Path(SOURCE) / "README.md", *sorted((Path(SOURCE) / "docs").rglob("*.md"))]


def blocks_of(text):
    """(line, language, code) of every block that is to be run."""
    for match in FENCE.finditer(text):
        if match.group(1).strip() in RUNNERS:
            yield text.count("\n", 0, match.start()) + 1, match.group(1).strip(), match.group(2)


def make_run(folder):
    """runs/five: a merge of one-layer models, for pages that read a run without making it."""
    for words in (("synth", "--model", "tiny", "--layers", "1", "--output", "models"),
                  ("merge", "models/lors.yaml", "--output", "runs/five")):
        done = koine(*words, "--quiet", cwd=folder)
        if done.returncode != 0:
            raise AssertionError(f"koine {words}\n{done.stderr}")


class Pages(unittest.TestCase):
    def run_page(self, page):
        text = page.read_text(encoding="utf-8")
        blocks = list(blocks_of(text))
        path = f"{Path(KOINE).resolve().parent}:{os.environ['PATH']}"
        with tempfile.TemporaryDirectory(prefix="koine-docs-") as folder:
            if any("runs/five" in code for _, _, code in blocks):
                make_run(folder)
            for line, language, code in blocks:
                done = subprocess.run([*RUNNERS[language], code], cwd=folder, env={**os.environ, "PATH": path},
                                      capture_output=True, text=True, timeout=600, check=False)
                self.assertEqual(done.returncode, 0, f"{page}:{line}\n{code}\n{done.stdout}\n{done.stderr}")
        return len(blocks)

    def test_every_page(self):
        for page in pages():
            with self.subTest(page=str(page.relative_to(SOURCE))):
                self.run_page(page)

    def test_readme_and_tutorial_hold_blocks_of_both_kinds(self):
        for name in ("README.md", "docs/tutorial.md"):
            found = {language for _, language, _ in blocks_of((Path(SOURCE) / name).read_text(encoding="utf-8"))}
            self.assertEqual(found, set(RUNNERS), name)

    def test_links_between_pages_lead_somewhere(self):
        for page in [*pages(), Path(SOURCE) / "CONTRIBUTING.md"]:
            for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
                if "://" not in target:
                    self.assertTrue((page.parent / target).exists(), f"{page}: {target}")


class Reading(unittest.TestCase):
    def test_only_plain_blocks_run(self):
        text = "a\n```sh\necho 1\n```\n```sh no-test\nrm x\n```\n```yaml\nb: 1\n```\n```python\nprint(2)\n```\n"
        self.assertEqual(list(blocks_of(text)), [(2, "sh", "echo 1\n"), (11, "python", "print(2)\n")])


if __name__ == "__main__":
    if os.environ.get("KOINE_SANITIZE"):
        print("skipped: pages are run with the optimised build")
        sys.exit(77)
    unittest.main()
