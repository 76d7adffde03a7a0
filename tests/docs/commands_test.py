"""docs/reference/commands.md names every command and option that the program has, and none that it has not."""
import re
import unittest
from pathlib import Path

from koine_cli import SOURCE, koine

OPTION = re.compile(r"--[a-z][a-z-]*")
COMMON = {"--help", "--quiet", "--verbose", "--color"}


def options_in_help(command):
    text = koine(command, "--help").stdout
    listed = text[text.index("Options:"):].split("\nExample", 1)[0]
    return {match.group() for line in listed.splitlines() for match in [re.search(r"--[a-z][a-z-]*", line)] if match}


def sections():
    """Command -> the options that its section's table names."""
    text = (Path(SOURCE) / "docs/reference/commands.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (\S+)\n", text, flags=re.MULTILINE)
    found = {}
    for name, body in zip(parts[1::2], parts[2::2]):
        cells = [line.split("|")[1] for line in body.splitlines() if line.startswith("| `--")]
        found[name] = {option for cell in cells for option in OPTION.findall(cell)}
    return found


def commands():
    text = koine("--help").stdout
    listed = text[text.index("Subcommands:"):].split("\n\n", 1)[0]
    return set(re.findall(r"^  ([a-z]+) ", listed, flags=re.MULTILINE))


class Page(unittest.TestCase):
    def test_commands(self):
        self.assertEqual({name for name in sections() if name.islower()}, commands())

    def test_options(self):
        for command in sorted(commands()):
            with self.subTest(command=command):
                self.assertEqual(sections()[command], options_in_help(command) - COMMON)


if __name__ == "__main__":
    unittest.main()
