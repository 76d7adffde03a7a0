"""Every method, dtype and form of input on a small model, judged by the oracle."""
import json
import os

import mini_whisper as mini
from against_oracle import accepts, equals
from koine_cli import Case, main

EXPERTS = ["expert1", "expert2", "expert3"]


class Methods(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for dtype in ("fp32", "fp16", "bf16"):
            mini.write_family(os.path.join(cls.root, dtype), dtype=dtype)

    def merged(self, label, folder, **recipe):
        """Merges and exports; the path of the exported folder."""
        path = mini.write_recipe(os.path.join(folder, f"{label}.yaml"), **recipe)
        run, out = self.path(f"run-{label}"), self.path(f"out-{label}")
        self.run_ok("merge", path, "--output", run)
        self.run_ok("verify", run)
        self.run_ok("export", run, "--format", "hf", "--output", out)
        return out

    def paths(self, folder):
        return os.path.join(folder, "base"), [os.path.join(folder, e) for e in EXPERTS]

    def test_pruning_methods_in_every_dtype(self):
        for dtype in ("fp32", "fp16", "bf16"):
            folder = self.path(dtype)
            for method in ("lors", "svp", "mp"):
                with self.subTest(dtype=dtype, method=method):
                    out = self.merged(f"{method}-{dtype}", folder, method=method, parameters={"rank": 7, "density": 0.2, "lambda": 0.2})
                    accepts(self, out, *self.paths(folder), method)

    def test_dense_methods_bit_for_bit(self):
        for dtype in ("fp32", "fp16", "bf16"):
            folder = self.path(dtype)
            with self.subTest(dtype=dtype):
                out = self.merged(f"ta-{dtype}", folder, method="task_arithmetic", parameters={"lambda": 0.3})
                equals(self, out, *self.paths(folder), "task_arithmetic", lam=0.3)
                out = self.merged(f"linear-{dtype}", folder, method="linear")
                equals(self, out, *self.paths(folder), "average")

    def test_weights(self):
        folder = self.path("fp32")
        models = [{"model": e, "parameters": {"weight": w}} for e, w in zip(EXPERTS, (0.5, 1.25, -0.75))]
        for method, judge in (("task_arithmetic", "task_arithmetic"), ("linear", "average")):
            path = mini.write_recipe(os.path.join(folder, f"weighted-{method}.yaml"), method=method)
            with open(path) as f:
                recipe = json.load(f)
            recipe["models"] = models
            with open(path, "w") as f:
                json.dump(recipe, f)
            run, out = self.path(f"run-w-{method}"), self.path(f"out-w-{method}")
            self.run_ok("merge", path, "--output", run)
            self.run_ok("export", run, "--format", "hf", "--output", out)
            equals(self, out, *self.paths(folder), judge, weights=[0.5, 1.25, -0.75])

    def test_other_output_types(self):
        folder = self.path("fp32")
        for out_dtype, kind in (("float16", "F16"), ("bfloat16", "BF16")):
            out = self.merged(f"ta-to-{kind}", folder, method="task_arithmetic", out_dtype=out_dtype)
            equals(self, out, *self.paths(folder), "task_arithmetic", out_dtype=kind)
            out = self.merged(f"lors-to-{kind}", folder, method="lors", dtype=out_dtype, parameters={"rank": 7, "lambda": 0.2})
            accepts(self, out, *self.paths(folder), "lors", out_dtype=kind)

    def test_mixed_namings_dtypes_and_shards(self):
        folder = self.path("mixed")
        mini.write_sharded(os.path.join(folder, "base"), mini.values(0))
        mini.write_file(os.path.join(folder, "expert1", "model.safetensors"), mini.values(1), "fp16", "openai")
        mini.write_sharded(os.path.join(folder, "expert2"), mini.values(2), "bf16", parts=5)
        mini.write_file(os.path.join(folder, "expert3.safetensors"), mini.values(3), "fp32", "openai")
        models = ["expert1", "expert2", "expert3.safetensors"]
        paths = os.path.join(folder, "base"), [os.path.join(folder, m) for m in models]
        out = self.merged("mixed", folder, method="lors", models=models, parameters={"rank": 7, "lambda": 0.2})
        accepts(self, out, *paths, "lors")
        out = self.merged("mixed-ta", folder, method="task_arithmetic", models=models)
        equals(self, out, *paths, "task_arithmetic")

    def test_linear_is_exact_for_float64(self):
        """sum w_t double(W_t) / sum w_t, never through float32."""
        import numpy as np
        rng = np.random.default_rng(3)
        stored = []
        for t, folder in enumerate(("base", "expert1", "expert2")):
            x = rng.standard_normal((5, 7))
            stored.append(x)
            mini.write_file(self.path("f64", folder, "model.safetensors"), {}, extra=[("w", "F64", x)])
        out = self.merged("f64", self.path("f64"), method="linear", models=["expert1", "expert2"])
        found = mini.oracle.Checkpoint(out).raw("w")
        self.assertTrue(np.array_equal(found, (stored[1] + stored[2]) / 2.0))

    def test_laws_in_bits(self):
        """density 1 = full rank = task arithmetic; density 0 = svp; rank 0 = mp; lambda 0 = the base as numbers."""
        folder = self.path("fp32")
        lam = {"lambda": 0.25}
        plain = self.merged("law-ta", folder, method="task_arithmetic", parameters=lam)
        for label, method, parameters in (("law-density1", "lors", {"rank": 3, "density": 1}), ("law-full", "lors", {"rank": 64, "density": 0.1}),
                                          ("law-mp1", "mp", {"density": 1}), ("law-svp", "svp", {"rank": 64})):
            self.run_ok("diff", plain, self.merged(label, folder, method=method, parameters={**parameters, **lam}))
        self.run_ok("diff", self.merged("law-a", folder, method="lors", parameters={"rank": 3, "density": 0, **lam}),
                    self.merged("law-b", folder, method="svp", parameters={"rank": 3, **lam}))
        self.run_ok("diff", self.merged("law-c", folder, method="lors", parameters={"rank": 0, "density": 0.3, **lam}),
                    self.merged("law-d", folder, method="mp", parameters={"density": 0.3, **lam}))
        self.run_ok("diff", os.path.join(folder, "base"), self.merged("law-e", folder, method="lors", parameters={"lambda": 0}))


if __name__ == "__main__":
    main()
