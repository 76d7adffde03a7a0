"""koine synth --model tiny --experts 5, merged as the paper does, judged by the oracle."""
import os

from against_oracle import accepts, equals
from koine_cli import Case, main


class Tiny(Case):
    def test_tiny(self):
        self.run_ok("synth", "--model", "tiny", "--experts", "5", "--output", "tiny")
        base, experts = self.path("tiny", "base"), [self.path("tiny", f"expert{t}") for t in range(1, 6)]
        self.run_ok("merge", "tiny/lors.yaml", "--output", "lors", "--set", "parameters.rank=7", "--set", "parameters.density=0.2",
                    "--set", "parameters.lambda=0.2", ranks=2)
        self.run_ok("export", "lors", "--format", "hf", "--output", "lors-hf")
        print(accepts(self, self.path("lors-hf"), base, experts, "lors", fast=True))
        for method, judge in (("task_arithmetic", "task_arithmetic"), ("linear", "average")):
            self.run_ok("merge", "tiny/lors.yaml", "--output", method, "--set", f"merge_method={method}", "--set", "parameters.lambda=0.2")
            self.run_ok("export", method, "--format", "hf", "--output", method + "-hf")
            equals(self, self.path(method + "-hf"), base, experts, judge, lam=0.2)

    def test_namings_agree(self):
        """The same numbers under OpenAI's names in .pt archives give the same merged numbers."""
        options = ("--model", "tiny", "--layers", "1", "--experts", "2", "--dtype", "fp16")
        self.run_ok("synth", *options, "--output", "hf")
        self.run_ok("synth", *options, "--naming", "openai", "--output", "pt")
        self.assertTrue(os.path.exists(self.path("pt", "expert2.pt")))
        for label in ("hf", "pt"):
            self.run_ok("merge", f"{label}/lors.yaml", "--output", f"run-{label}")
        self.run_ok("diff", "run-hf", "run-pt")
        self.run_ok("export", "run-pt", "--format", "openai", "--output", "out-pt")
        self.run_ok("export", "run-hf", "--format", "openai", "--output", "out-hf")
        self.run_ok("diff", "out-pt/model.pt", "out-hf/model.pt")


if __name__ == "__main__":
    main()
