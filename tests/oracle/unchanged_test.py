"""The oracle and its synthetic data must stay what they were when they judged us first."""
import hashlib
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SUMS = {
    "koine_oracle.py": "11527e51d0855b83361a04f13706c69800e6d0aeb882a6b3e919c2bd7e46e6ed",
    "make_synth.py": "dbfdd11354a9cbe7473f69d03dad0aaefefcaf9b32b1e3fda2821871a3df64f0",
}


class Unchanged(unittest.TestCase):
    def test_sums(self):
        for leaf, expected in SUMS.items():
            with open(os.path.join(HERE, leaf), "rb") as f:
                self.assertEqual(hashlib.sha256(f.read()).hexdigest(), expected, leaf)

    def test_selftest(self):
        sys.path.insert(0, HERE)
        import koine_oracle
        self.assertEqual(koine_oracle.selftest(), 0)


if __name__ == "__main__":
    unittest.main()
