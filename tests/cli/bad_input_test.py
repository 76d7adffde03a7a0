"""Bad input: exit 2, one clear line, nothing left behind."""
import json
import os
import shutil
import struct
import subprocess
import zipfile

import mini_whisper as mini
import numpy as np
from koine_cli import KOINE, Case, main


def rewrite_header(path, change):
    """Applies `change` to the JSON header (as text) of a safetensors file."""
    with open(path, "rb") as f:
        (n,) = struct.unpack("<Q", f.read(8))
        text, data = f.read(n).decode(), f.read()
    text = change(text)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text.encode())) + text.encode() + data)


class BadInput(Case):
    def setUp(self):
        mini.write_family(self.root, experts=2)
        self.recipe = mini.write_recipe(self.path("r.yaml"), experts=2, parameters={"rank": 3})
        self.expert = self.path("expert2", "model.safetensors")

    def tearDown(self):
        for name in os.listdir(self.root):
            shutil.rmtree(self.path(name), ignore_errors=True)
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))

    def refused(self, *words, args=(), leaves=False):
        done = self.run_fails(2, "merge", "r.yaml", "--output", "out", *args)
        lines = [x for x in done.stderr.strip().splitlines() if not x.startswith(("koine merge", "  ", "warning:"))]
        self.assertEqual(len(lines), 1, done.stderr)
        for word in words:
            self.assertIn(word, lines[0])
        if not leaves:
            self.assertFalse(os.path.exists(self.path("out")), "something was left behind")
        self.assertNotIn("Traceback", done.stderr)

    def test_missing_file(self):
        shutil.rmtree(self.path("expert2"))
        self.refused("expert2")

    def test_truncated_file(self):
        os.truncate(self.expert, os.path.getsize(self.expert) - 5)
        self.refused("expert2/model.safetensors")

    def test_header_longer_than_the_file(self):
        with open(self.expert, "r+b") as f:
            f.write(struct.pack("<Q", 10 ** 12))
        self.refused("expert2/model.safetensors", "header")

    def test_overlapping_offsets(self):
        def overlap(text):
            head = json.loads(text)
            names = [n for n in head if n != "__metadata__"]
            a, b = [n for n in names if head[n]["shape"] == [64]][:2]
            head[b]["data_offsets"] = head[a]["data_offsets"]
            return json.dumps(head)
        rewrite_header(self.expert, overlap)
        self.refused("expert2/model.safetensors")

    def test_repeated_key(self):
        rewrite_header(self.expert, lambda text: '{"__metadata__":{},' + text[1:])
        self.refused("expert2/model.safetensors", "twice")

    def test_expert_of_another_size(self):
        mini.write_file(self.expert, mini.values(2, d=128))
        done = self.run_fails(2, "merge", "r.yaml", "--output", "out")
        self.assertIn("expected [64", done.stderr)
        self.assertFalse(os.path.exists(self.path("out")))

    def test_tensor_missing(self):
        values = mini.values(2)
        del values["decoder.ln.bias"]
        mini.write_file(self.expert, values)
        self.refused("model.decoder.layer_norm.bias", "missing")

    def test_tensor_added(self):
        mini.write_file(self.expert, mini.values(2), extra=[("model.adapter.weight", "F32", np.zeros((2, 2), "<f4"))])
        self.refused("model.adapter.weight", "not in the base")

    def test_nan_is_found_and_the_run_can_go_on(self):
        values = mini.values(2)
        values["decoder.blocks.1.mlp.0.weight"] = values["decoder.blocks.1.mlp.0.weight"].copy()
        values["decoder.blocks.1.mlp.0.weight"].flat[77] = np.nan
        mini.write_file(self.expert, values)
        self.refused("model.decoder.layers.1.fc1.weight", "77", leaves=True)
        self.run_fails(5, "verify", "out")
        self.run_ok("merge", "r.yaml", "--output", "out", "--allow-nonfinite")

    def test_overflow_names_the_entry(self):
        for t, folder in enumerate(("base", "expert1", "expert2")):
            values = mini.values(t)
            values["decoder.ln.bias"] = values["decoder.ln.bias"].copy()
            values["decoder.ln.bias"][3] = 70000
            mini.write_file(self.path(folder, "model.safetensors"), values)
        self.refused("model.decoder.layer_norm.bias", "flat index 3", "float16", args=("--set", "out_dtype=float16"), leaves=True)

    def test_unknown_recipe_key(self):
        mini.write_recipe(self.path("r.yaml"), experts=2, parameters={"densty": 0.2})
        self.refused("r.yaml:", "densty", "did you mean 'density'?")

    def test_values_out_of_range(self):
        for key, value in (("rank", -1), ("rank", 2.5), ("density", 1.5)):
            with self.subTest(key=key, value=value):
                self.refused(key, str(value), args=("--set", f"parameters.{key}={value}"))

    def test_pickle_that_calls(self):
        with zipfile.ZipFile(self.path("evil.pt"), "w") as z:
            z.writestr("evil/data.pkl", b"\x80\x02cposix\nsystem\nX\x0c\x00\x00\x00touch hacked\x85R.")
            z.writestr("evil/version", "3\n")
        mini.write_recipe(self.path("r.yaml"), models=["expert1", "evil.pt"])
        self.refused("evil.pt", "posix.system")
        self.assertFalse(os.path.exists(self.path("hacked")))

    def test_index_that_leaves_its_folder(self):
        shutil.rmtree(self.path("expert2"))
        mini.write_sharded(self.path("expert2"), mini.values(2))
        index = self.path("expert2", "model.safetensors.index.json")
        with open(index) as f:
            document = json.load(f)
        for leaf in ("../expert1/model.safetensors", "/etc/passwd"):
            document["weight_map"]["model.decoder.layer_norm.bias"] = leaf
            with open(index, "w") as f:
                json.dump(document, f)
            self.refused("model.safetensors.index.json")

    def test_selector_that_hits_nothing(self):
        self.refused("atention", args=("--set", "select=[atention]"))

    def test_untied_output(self):
        values = mini.values(2)
        mini.write_file(self.expert, values, extra=[("proj_out.weight", "F32", values["decoder.token_embedding.weight"] + np.float32(1))])
        self.refused("proj_out.weight", leaves=True)

    def test_tied_output_is_fine(self):
        values = mini.values(2)
        mini.write_file(self.expert, values, extra=[("proj_out.weight", "F32", values["decoder.token_embedding.weight"])])
        self.run_ok("merge", "r.yaml", "--output", "out")

    def test_places_that_cannot_be(self):
        for output in ("n" * 300, "r.yaml/x", "r.yaml/x/y"):
            for ranks in (0, 2):
                done = self.run_fails(2, "merge", "r.yaml", "--output", output, ranks=ranks, timeout=30)
                self.assertNotIn("internal error", done.stderr)
                self.assertIn("name ", done.stderr)

    def test_a_full_standard_output(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([KOINE, "inspect", "base"], cwd=self.root, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("standard output", done.stderr)

    def test_verify_says_what_it_did_not_reach(self):
        self.run_ok("merge", "r.yaml", "--output", "out")
        whole = json.loads(self.run_ok("verify", "out", "--json").stdout)
        self.assertEqual((whole["complete"], whole["files_not_reached"], whole["bytes_not_reached"]), (True, 0, 0))
        self.assertIn("all as written", self.run_ok("verify", "out").stderr)
        for limit in ("--max-time=0.000001s", "--sample=10%"):
            done = self.run_ok("verify", "out", "--json", limit)
            part = json.loads(done.stdout)
            self.assertFalse(part["complete"])
            self.assertGreater(part["files_not_reached"], 0)
            self.assertEqual(part["bytes"] + part["bytes_not_reached"], whole["bytes"])
            self.assertNotIn("all as written", done.stderr)
            self.assertIn("what was read is as written", done.stderr)
            self.assertIn("not reached", done.stderr)

    def test_one_rank_fails_all_end(self):
        values = mini.values(2)
        values["encoder.blocks.0.mlp.0.weight"] = values["encoder.blocks.0.mlp.0.weight"].copy()
        values["encoder.blocks.0.mlp.0.weight"].flat[5] = np.inf
        mini.write_file(self.expert, values)
        done = self.run_fails(2, "merge", "r.yaml", "--output", "out", ranks=3, timeout=30)
        self.assertIn("flat index 5", done.stderr)


if __name__ == "__main__":
    main()
