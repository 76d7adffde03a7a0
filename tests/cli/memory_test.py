"""Peak memory: flat in the number of experts, inside --memory, and what the plan says."""
import json
import os
import sys

import mini_whisper as mini
from koine_cli import Case, main

MANY = 48


class Memory(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mini.write_family(cls.root, experts=5, d=320, n_enc=1, n_dec=1, n_vocab=8000)
        for t in range(MANY):  # five files under many names: memory does not depend on what is in them
            folder = os.path.join(cls.root, f"copy{t}")
            os.makedirs(folder)
            os.link(os.path.join(cls.root, f"expert{t % 5 + 1}", "model.safetensors"), os.path.join(folder, "model.safetensors"))
        for experts in (5, MANY):
            mini.write_recipe(os.path.join(cls.root, f"of{experts}.yaml"), models=[f"copy{t}" for t in range(experts)],
                              parameters={"rank": 7, "density": 0.2})

    def peak(self, run, *options):
        self.run_ok("merge", *options, "--output", run, "--threads", 1)
        with open(self.path(run, "timing.json")) as f:
            return max(r["peak_memory_bytes"] for r in json.load(f)["ranks"])

    def test_flat_in_the_number_of_experts(self):
        five, many = self.peak("five", "of5.yaml"), self.peak("many", f"of{MANY}.yaml")
        self.assertLessEqual(abs(many - five), 0.05 * five, f"{five} bytes for 5 experts, {many} for {MANY}")

    def test_limit_is_kept_and_plan_is_right(self):
        planned = json.loads(self.run_ok("plan", "of5.yaml", "--threads", 1, "--json").stdout)["memory_bytes_per_process"]
        peak = self.peak("free", "of5.yaml")
        self.assertLessEqual(abs(peak - planned), 0.2 * peak, f"planned {planned}, measured {peak}")
        self.assertLessEqual(self.peak("held", "of5.yaml", "--memory", planned), planned)


if __name__ == "__main__":
    if os.environ.get("KOINE_SANITIZE"):
        print("skipped: a sanitizer's own memory would be measured")
        sys.exit(77)
    main()
