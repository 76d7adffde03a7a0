"""koine export: what other tools load, every byte checked on the way."""
import filecmp
import json
import os
import shutil

from koine_cli import Case, koine, main


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Export(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for arguments in (("synth", "--layers", "1", "--experts", "2", "--output", "d"),
                          ("merge", "d/lors.yaml", "--output", "run")):
            done = koine(*arguments, cwd=cls.root)
            assert done.returncode == 0, done.stderr

    def test_hf_folder_holds_the_run(self):
        done = self.run_ok("export", "run", "--format", "hf", "--output", "hf")
        self.assertEqual(done.stdout.splitlines()[-1], "hf")
        self.assertIn("next:", done.stderr)
        self.assertIn("tokenizer.json", done.stderr)
        self.assertEqual(sorted(os.listdir(self.path("hf"))),
                         ["README.md", "config.json", "generation_config.json", "koine_config.yml", "model.safetensors",
                          "preprocessor_config.json"])
        self.run_ok("diff", "run", "hf")
        self.assertTrue(filecmp.cmp(self.path("hf/config.json"), self.path("d/base/config.json"), False))
        card = read(self.path("hf/README.md"))
        for part in ("base_model:\n", "base_model_relation: merge", "library_name: transformers", "  - lors\n", "rank: 7"):
            self.assertIn(part, card)
        self.assertNotIn("mergekit\n", card.split("---")[1])
        recipe = read(self.path("hf/koine_config.yml"))
        for part in ("merge_method:", "expert2", "rank: 7", "svd:"):
            self.assertIn(part, recipe)

    def test_shards_have_an_index(self):
        self.run_ok("export", "run", "--format", "hf", "--output", "shards", "--shard-size", "30MB")
        index = json.loads(read(self.path("shards/model.safetensors.index.json")))
        files = sorted(set(index["weight_map"].values()))
        self.assertEqual(files, [f"model-{i:05}-of-{len(files):05}.safetensors" for i in range(1, len(files) + 1)])
        self.assertGreater(len(files), 1)
        report = json.loads(self.run_ok("inspect", "shards", "--json").stdout)
        self.assertEqual(index["metadata"]["total_size"], report["bytes"])
        self.run_ok("diff", "run", "shards")
        self.run_fails(2, "export", "run", "--format", "hf", "--output", "y", "--shard-size", "many")

    def test_dtype_rounds_again_and_the_config_says_so(self):
        self.run_ok("export", "run", "--format", "hf", "--output", "half", "--dtype", "float16")
        self.assertIn('"torch_dtype": "float16"', read(self.path("half/config.json")))
        self.assertEqual(read(self.path("half/config.json")).replace("float16", "float32"), read(self.path("d/base/config.json")))
        self.run_fails(5, "diff", "run", "half")
        self.run_ok("diff", "run", "half", "--tolerance", str(2.0 ** -10))  # half an ulp below 2 in float16
        self.run_fails(2, "export", "run", "--format", "hf", "--output", "z", "--dtype", "int8")

    def test_openai_file(self):
        self.run_ok("export", "run", "--format", "openai", "--output", "pt")
        self.assertEqual(sorted(os.listdir(self.path("pt"))), ["koine_config.yml", "model.pt"])
        self.run_ok("diff", "run", "pt/model.pt")
        self.assertIn("openai", self.run_ok("inspect", "pt/model.pt").stdout)

    def test_again_replaces_only_its_own_work(self):
        arguments = ["export", "run", "--format", "hf", "--output", "own"]
        self.run_ok(*arguments)
        self.run_ok(*arguments)
        with open(self.path("own/results.txt"), "w", encoding="utf-8") as file:
            file.write("mine")
        done = self.run_fails(2, *arguments)
        self.assertIn("results.txt", done.stderr)
        self.assertEqual(read(self.path("own/results.txt")), "mine")
        self.run_fails(2, "export", "run", "--format", "hf", "--output", "d")
        self.run_fails(2, "export", "run", "--format", "hf", "--output", "run")
        self.assertFalse([name for name in os.listdir(self.root) if name.startswith(".")])

    def test_an_output_stays_apart_from_the_run(self):
        shutil.copytree(self.path("run"), self.path("in/deep/run"))
        for run, output in (("run", "run/files/hf"), ("run/", "run/hf"), ("run", "run/."), ("in/deep/run", "in"),
                            ("in/deep/run/", "in/deep/")):
            done = self.run_fails(2, "export", run, "--format", "hf", "--output", output)
            self.assertIn("the run", done.stderr)
        self.run_ok("verify", "run")

    def test_a_link_to_the_output_stays(self):
        os.makedirs(self.path("elsewhere"))
        os.symlink("elsewhere", self.path("link"))
        for _ in range(2):
            self.run_ok("export", "run", "--format", "openai", "--output", "link")
            self.assertTrue(os.path.islink(self.path("link")))
            self.assertTrue(os.path.exists(self.path("elsewhere/model.pt")))
        os.symlink("nothing", self.path("dangling"))
        self.assertIn("link", self.run_fails(2, "export", "run", "--format", "openai", "--output", "dangling").stderr)

    def test_dtypes_have_the_words_of_synth(self):
        for word, dtype in (("fp16", "F16"), ("FLOAT16", "F16"), ("bf16", "BF16"), ("fp32", "F32"), ("f64", "F64")):
            self.run_ok("export", "run", "--format", "hf", "--output", "word", "--dtype", word)
            with open(self.path("word/model.safetensors"), "rb") as file:
                header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
            header.pop("__metadata__")
            self.assertEqual({entry["dtype"] for entry in header.values()}, {dtype})
        for word in ("fp8", "16", "fp", ""):
            self.run_fails(2, "export", "run", "--format", "hf", "--output", "word", "--dtype=" + (word or "floa"))

    def test_places_that_cannot_be(self):
        for output in ("", "/", "d/lors.yaml/x", "d/lors.yaml", "n" * 300):
            done = self.run_fails(2, "export", "run", "--format", "hf", "--output", output)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn("name a", done.stderr)

    def test_only_complete_runs(self):
        shutil.copytree(self.path("run"), self.path("cut"))
        os.remove(self.path("cut/manifest.json"))
        self.assertIn("not complete", self.run_fails(2, "export", "cut", "--format", "hf", "--output", "a").stderr)
        self.assertIn("no run folder", self.run_fails(2, "export", "d/base", "--format", "hf", "--output", "a").stderr)
        self.run_fails(2, "export", "nowhere", "--format", "hf", "--output", "a")
        self.run_fails(2, "export", "run", "--format", "gguf", "--output", "a")
        self.assertFalse(os.path.exists(self.path("a")))

    def test_a_damaged_tensor_is_named(self):
        shutil.copytree(self.path("run"), self.path("bad"))
        manifest = json.loads(read(self.path("bad/manifest.json")))
        name = "model.encoder.layers.0.fc1.weight"
        entry = manifest["tensors"][name]
        with open(self.path("bad", entry["shard"]), "r+b") as file:
            file.seek(entry["offset"] + 100)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))
        done = self.run_fails(5, "export", "bad", "--format", "hf", "--output", "b")
        self.assertIn(name, done.stderr)
        self.assertFalse(os.path.exists(self.path("b")))
        self.assertFalse([name for name in os.listdir(self.root) if name.startswith(".")])

    def test_a_base_without_config_exports_weights_and_says_what_is_missing(self):
        os.makedirs(self.path("bare"))
        shutil.copy(self.path("d/base/model.safetensors"), self.path("bare/base.safetensors"))
        with open(self.path("bare/r.yaml"), "w", encoding="utf-8") as file:
            file.write("merge_method: task_arithmetic\nbase_model: base.safetensors\nmodels: [{model: ../d/expert1}]\n")
        self.run_ok("merge", "bare/r.yaml", "--output", "bare/run")
        done = self.run_ok("export", "bare/run", "--format", "hf", "--output", "bare/out")
        self.assertIn("config.json", done.stderr)
        self.assertIn("warning", done.stderr)
        self.run_ok("diff", "bare/run", "bare/out")

    def test_two_processes_export_once(self):
        done = koine("export", "run", "--format", "hf", "--output", "two", ranks=2, cwd=self.root)
        self.assertEqual((done.returncode, done.stdout), (0, "two\n"), done.stderr)
        self.run_ok("diff", "run", "two")


if __name__ == "__main__":
    main()
