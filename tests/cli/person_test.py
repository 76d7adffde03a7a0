"""A person's view: help, guesses, terminals and pipes, signals, environment."""
import json
import os
import re
import subprocess
import time

import mini_whisper as mini
from koine_cli import KOINE, Case, koine, main, on_a_terminal

COMMANDS = ("merge", "plan", "export", "verify", "inspect", "diff", "synth", "sweep", "cache", "bench", "completion", "man")


class Person(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mini.write_family(cls.root)
        mini.write_recipe(os.path.join(cls.root, "lors.yaml"))

    def test_bare_command(self):
        done = self.run_ok()
        self.assertLessEqual(len(done.stdout.splitlines()), 20)
        self.assertIn("koine synth", done.stdout)

    def test_three_ways_to_help_are_one(self):
        for command in COMMANDS:
            texts = {self.run_ok(*args).stdout for args in ((command, "-h"), (command, "--help"), ("help", command))}
            self.assertEqual(len(texts), 1, command)
            text = texts.pop()
            self.assertLess(text.index("Example:"), text.index("Options:"), command)
            self.assertIn(f"koine {command}", text)
            self.assertIn("Exit codes:", text)

    def test_guesses_are_named_and_never_run(self):
        self.assertIn("did you mean 'merge'?", self.run_fails(2, "mrege", "lors.yaml", "--output", "guessed").stderr)
        self.assertIn("did you mean '--output'?", self.run_fails(2, "merge", "lors.yaml", "--ouptut", "guessed").stderr)
        self.assertFalse(os.path.exists(self.path("guessed")))

    def test_options_in_any_order_and_form(self):
        self.run_ok("merge", "--threads=1", "lors.yaml", "--output=a")
        self.run_ok("merge", "--output", "b", "--threads", "1", "lors.yaml")
        self.run_fails(2, "merge", "lors.yaml", "--out", "c")       # no abbreviations

    def test_version_is_a_report(self):
        report = json.loads(self.run_ok("--version", "--json").stdout)
        for key in ("version", "commit", "compiler", "mpi", "hdf5", "blas", "backends", "devices"):
            self.assertIn(key, report)
        self.assertRegex(self.run_ok("--version").stdout, r"^koine \d+\.\d+\.\d+")

    def test_blas_uses_this_cpu(self):
        """OpenBLAS takes the kernels of 2004 where it does not know the CPU: koine then starts itself again with better ones."""
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            if " avx2 " not in file.read():
                self.skipTest("this CPU has no AVX2")
        chosen = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
        seen = subprocess.run([KOINE, "--version", "--json"], env=chosen, capture_output=True, text=True, check=True).stdout
        self.assertRegex(json.loads(seen)["blas"], r"Haswell|Zen|Excavator|SkylakeX|Cooperlake|SapphireRapids")
        asked = self.run_ok("--version", "--json", env={"OPENBLAS_CORETYPE": "Nehalem"}).stdout
        self.assertIn("Nehalem", json.loads(asked)["blas"], "what is set stays")

    def test_quick_answers(self):
        """Help, version and inspect: 100 ms on an idle machine; the best of five keeps a busy one out."""
        if os.environ.get("KOINE_SANITIZE"):
            self.skipTest("a sanitizer's start-up is not the program's")
        for args in (("--help",), ("merge", "--help"), ("--version",), ("inspect", "base")):
            times = []
            for _ in range(5):
                start = time.perf_counter()
                self.run_ok(*args)
                times.append(time.perf_counter() - start)
            self.assertLess(min(times), 0.1, args)

    def test_a_terminal_gets_colour_and_a_pipe_does_not(self):
        self.assertIn("\x1b[", on_a_terminal(["merge", "none.yaml"], self.root))
        self.assertNotIn("\x1b[", on_a_terminal(["merge", "none.yaml"], self.root, {"NO_COLOR": "1"}))
        self.assertNotIn("\x1b[", on_a_terminal(["merge", "none.yaml"], self.root, {"TERM": "dumb"}))
        self.assertNotIn("\x1b[", koine("merge", "none.yaml", cwd=self.root).stderr)
        self.assertIn("\x1b[", koine("merge", "none.yaml", "--color", "always", cwd=self.root).stderr)

    def test_a_terminal_gets_a_bar(self):
        self.run_ok("synth", "--model", "tiny", "--layers", "2", "--experts", "2", "--output", "in")
        seen = on_a_terminal(["merge", "in/lors.yaml", "--output", "seen", "--threads", "1"], self.root)
        self.assertRegex(seen, r"\d+ % .* of .* matrices")
        self.assertIn("merged 2 experts with lors", seen)
        piped = self.run_ok("merge", "in/lors.yaml", "--output", "piped")
        self.assertNotIn("\r", piped.stderr)

    def test_all_errors_of_a_recipe_at_once(self):
        with open(self.path("bad.yaml"), "w") as f:
            f.write("merge_method: lors\nbase_model: base\nmodels:\n  - model: expert1\n  - modle: expert2\n"
                    "parameters:\n  densty: 0.2\n  rank: -1\n")
        done = self.run_fails(2, "merge", "bad.yaml", "--output", "x")
        places = re.findall(r"bad\.yaml:(\d+):\d+: ", done.stderr)
        self.assertEqual(places, sorted(places))
        self.assertGreaterEqual(len(places), 3)

    def test_settings_and_their_origin(self):
        text = self.run_ok("plan", "lors.yaml", "--output", "x", "--show-settings", "--set", "parameters.rank=9").stdout
        self.assertRegex(text, r"parameters\.rank = 9 +\(--set\)")
        self.assertRegex(text, r"parameters\.density = 0\.2 +\(default\)")

    def test_backends_and_transports_that_are_not_here(self):
        self.run_fails(3, "merge", "lors.yaml", "--output", "x", "--backend", "cuda", env={"KOINE_CUDA_LIBRARY": "/none"})
        self.run_fails(3, "merge", "lors.yaml", "--output", "x", "--transport", "nccl")
        self.run_fails(2, "merge", "lors.yaml", "--output", "x", "--transport", "self", ranks=2)
        self.run_ok("merge", "lors.yaml", "--output", "via-mpi", "--transport", "mpi")

    def test_completions_know_every_option(self):
        for shell in ("bash", "zsh", "fish"):
            text = self.run_ok("completion", shell).stdout
            for word in ("merge", "--allow-nonfinite" if shell != "fish" else "allow-nonfinite", "recompute"):
                self.assertIn(word, text, shell)
        checked = subprocess.run(["bash", "-n"], input=self.run_ok("completion", "bash").stdout, text=True, check=False)
        self.assertEqual(checked.returncode, 0)
        self.assertIn(".SS merge", self.run_ok("man").stdout)


if __name__ == "__main__":
    main()
