"""cmake --install into an empty folder, and a project of somebody else that finds and uses the library there."""
import os
import subprocess
import sys
import unittest
from pathlib import Path

from koine_cli import KOINE, SOURCE, Case

BUILD = Path(KOINE).resolve().parent


class Installed(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prefix = Path(cls.root) / "prefix"
        cls.must("cmake", "--install", BUILD, "--prefix", cls.prefix)

    @staticmethod
    def must(*command):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{command}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def test_program_man_page_and_completions(self):
        self.assertIn("koine", self.must(self.prefix / "bin/koine", "--version"))
        for name in ("share/man/man1/koine.1.gz", "share/bash-completion/completions/koine",
                     "share/zsh/vendor-completions/_koine", "share/fish/vendor_completions.d/koine.fish"):
            self.assertGreater((self.prefix / name).stat().st_size, 100, name)

    def test_recipes_and_the_smoke_test(self):
        for recipe in (Path(SOURCE) / "configs").rglob("*.*"):
            installed = self.prefix / "share/koine/configs" / recipe.relative_to(Path(SOURCE) / "configs")
            self.assertEqual(installed.read_bytes(), recipe.read_bytes(), recipe.name)
        said = self.must(self.prefix / "share/koine/smoke_test.sh", self.prefix / "bin/koine")
        self.assertIn("koine works", said)

    def test_find_package(self):
        build = Path(self.root) / "consumer"
        self.must("cmake", "-S", Path(SOURCE) / "tests/consumer", "-B", build, "-G", "Ninja",
                  f"-DCMAKE_PREFIX_PATH={self.prefix}", "-DCMAKE_BUILD_TYPE=Release")
        self.must("cmake", "--build", build)
        models = self.path("models")
        self.run_ok("synth", "--model", "tiny", "--layers", "1", "--experts", "1", "--output", models)
        said = self.must(build / "consumer", Path(models) / "base")
        self.assertRegex(said, r"^\d+ tensors, \d+ parameters$")
        lost = subprocess.run([build / "consumer", self.path("nowhere")], capture_output=True, check=False)
        self.assertEqual(lost.returncode, 2)

    def test_no_path_of_the_build_is_left(self):
        for file in (self.prefix / "lib").rglob("*.cmake"):
            self.assertNotIn(str(SOURCE), file.read_text(encoding="utf-8"), file.name)


if __name__ == "__main__":
    if os.environ.get("KOINE_SANITIZE"):
        print("skipped: a sanitized library asks the same sanitizer of whoever links it")
        sys.exit(77)
    unittest.main()
