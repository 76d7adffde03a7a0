"""Every seventh point of the reliability table, from another start each day, for some seconds a row; scripts/faults.sh runs them whole."""
import json
import os
import subprocess
import sys
import unittest

from koine_cli import SOURCE, main

SECONDS = "6"


@unittest.skipIf(os.environ.get("KOINE_SANITIZE"), "a preloaded library does not go with sanitizers")
class Rows(unittest.TestCase):
    def test_in_short(self):
        done = subprocess.run([sys.executable, os.path.join(SOURCE, "tests", "faults", "rows.py"), "--every", "7", "--seconds", SECONDS],
                              capture_output=True, text=True, timeout=800, check=False)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreaterEqual(len(lines), 10)
        for line in lines:
            self.assertTrue("skipped" in line or line["run"] > 0, line)


if __name__ == "__main__":
    main()
