"""One merge as a person sees it: what is printed where, what is left behind, what happens when it is run again."""
import json
import os
import shutil
import subprocess

import h5py
import mini_whisper as mini
import numpy as np
from koine_cli import Case, koine, main
from run_folders import contents


class Merge(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mini.write_family(cls.root)
        mini.write_recipe(os.path.join(cls.root, "lors.yaml"), parameters={"rank": 5, "lambda": 0.2}, output={"path": "runs/from-recipe"})
        done = koine("merge", "lors.yaml", "--output", "one", cwd=cls.root)
        assert done.returncode == 0, done.stderr
        cls.done = done

    def test_result_on_stdout_rest_on_stderr(self):
        self.assertEqual(self.done.stdout, "one\n")
        for word in ("merged 3 experts with lors", "expert2", "next: koine verify one", "next: koine export one"):
            self.assertIn(word, self.done.stderr)
        self.assertNotIn("\x1b", self.done.stderr)

    def test_quiet_says_only_the_path(self):
        done = self.run_ok("merge", "lors.yaml", "-q", "--output", "quiet")
        self.assertEqual((done.stdout, done.stderr), ("quiet\n", ""))

    def test_json(self):
        done = self.run_ok("merge", "lors.yaml", "--json", "--output", "as-json")
        said = json.loads(done.stdout)
        self.assertEqual((said["schema"], said["path"], said["shards"]), ("koine-merge-1", "as-json", 5))

    def test_output_of_the_recipe(self):
        done = self.run_ok("merge", "lors.yaml", "-q")
        self.assertEqual(done.stdout, "runs/from-recipe\n")
        self.assertEqual(contents(self.path("runs/from-recipe")), contents(self.path("one")))

    def test_what_is_left_behind(self):
        names = set(os.listdir(self.path("one")))
        self.assertEqual(names, {"model.h5", "shards", "files", "report.json", "report.html", "SHA256SUMS", "manifest.json",
                                 "run.log", "timing.json", ".koine"})
        self.assertEqual(set(os.listdir(self.path("one", "shards"))),
                         {"encoder.000.h5", "encoder.001.h5", "decoder.000.h5", "decoder.001.h5", "rest.h5"})
        self.assertEqual(os.listdir(self.path("one", "files")), ["config.json"])
        with open(self.path("one", "manifest.json")) as f:
            manifest = json.load(f)
        self.assertTrue(manifest["complete"])
        self.assertEqual(manifest["recipe"]["parameters"]["density"], 0.2)
        self.assertNotIn("path", json.dumps(manifest["recipe"].get("output", {})))
        subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=self.path("one"), check=True)

    def test_h5py_alone_gives_what_the_export_gives(self):
        self.run_ok("export", "one", "--format", "hf", "--output", "one-hf")
        exported = mini.oracle.Checkpoint(self.path("one-hf"))
        shutil.copytree(self.path("one"), self.path("moved", "elsewhere"))
        for run in (self.path("one"), self.path("moved", "elsewhere")):
            with h5py.File(os.path.join(run, "model.h5"), "r") as model:
                self.assertEqual(len(model["tensors"]), len(exported.entries))
                for name in exported.entries:
                    dataset = model["tensors"][name]
                    self.assertIsNone(dataset.chunks)
                    self.assertIsNone(dataset.compression)
                    self.assertEqual(dataset[()].tobytes(), np.ascontiguousarray(exported.raw(name)).tobytes(), name)
        self.run_ok("verify", "moved/elsewhere")

    def test_again_does_nothing(self):
        before = contents(self.path("one"))
        done = self.run_ok("merge", "lors.yaml", "--output", "one")
        self.assertIn("is complete and intact", done.stderr)
        self.assertEqual(contents(self.path("one")), before)

    def test_other_settings_never_overwrite(self):
        before = contents(self.path("one"))
        done = self.run_fails(2, "merge", "lors.yaml", "--output", "one", "--set", "parameters.rank=6")
        self.assertIn("rank", done.stderr)
        self.assertIn("--fresh", done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 2)      # what it does, and the error
        self.assertEqual(contents(self.path("one")), before)

    def test_fresh_replaces(self):
        self.run_ok("merge", "lors.yaml", "--output", "replaced")
        self.run_ok("merge", "lors.yaml", "--output", "replaced", "--set", "parameters.rank=6", "--fresh", ranks=2)
        self.run_ok("merge", "lors.yaml", "--output", "rank6", "--set", "parameters.rank=6")
        self.assertEqual(contents(self.path("replaced")), contents(self.path("rank6")))
        self.assertFalse(os.path.exists(self.path("replaced.koine-fresh")))

    def test_foreign_folder_is_refused(self):
        os.makedirs(self.path("foreign"))
        with open(self.path("foreign", "thesis.tex"), "w") as f:
            f.write("years of work")
        self.run_fails(2, "merge", "lors.yaml", "--output", "foreign")
        self.run_fails(2, "merge", "lors.yaml", "--output", "foreign", "--fresh")
        self.assertEqual(os.listdir(self.path("foreign")), ["thesis.tex"])

    def test_damage_is_found_and_only_it_is_merged_again(self):
        self.run_ok("merge", "lors.yaml", "--output", "hurt")
        expected = contents(self.path("hurt"))
        with open(self.path("hurt", "shards", "decoder.001.h5"), "r+b") as f:
            f.seek(20000)
            byte = f.read(1)
            f.seek(20000)
            f.write(bytes([byte[0] ^ 1]))
        done = self.run_fails(5, "verify", "hurt")
        self.assertIn("shards/decoder.001.h5", done.stdout)
        self.assertIn("koine merge", done.stderr)
        self.run_fails(5, "export", "hurt", "--format", "hf", "--output", "hurt-hf")
        done = self.run_ok("merge", "lors.yaml", "--output", "hurt")
        self.assertIn("(4 were there)", done.stderr)
        self.assertEqual(contents(self.path("hurt")), expected)

    def test_changed_expert_is_not_overlooked(self):
        """An expert saved again at the same path, same size: the complete run is not called complete."""
        mini.write_family(self.path("edit"), experts=1)
        mini.write_recipe(self.path("edit", "r.yaml"), experts=1)
        self.run_ok("merge", "edit/r.yaml", "--output", "edited")
        mini.write_file(self.path("edit", "expert1", "model.safetensors"), mini.values(3))
        done = self.run_fails(2, "merge", "edit/r.yaml", "--output", "edited")
        self.assertIn("expert1", done.stderr)
        self.run_ok("merge", "edit/r.yaml", "--output", "edited", "--fresh")

    def test_repair_reaches_sums_and_copies(self):
        """What verify finds, the command it prints repairs: SHA256SUMS, reports, copies, a stranger among them."""
        self.run_ok("merge", "lors.yaml", "--output", "bent")
        expected = contents(self.path("bent"))
        for leaf in ("SHA256SUMS", "report.html", "files/config.json", "files/stranger.txt", "manifest.json", "model.h5"):
            with open(self.path("bent", leaf), "a") as f:
                f.write("x")
            self.run_fails(5, "verify", "bent")
            self.run_ok("merge", "lors.yaml", "--output", "bent")
            self.assertEqual(contents(self.path("bent")), expected, leaf)
            self.run_ok("verify", "bent")

    def test_fresh_waits_for_nobody_and_harms_nobody(self):
        """A folder that another process works in is left alone by --fresh too."""
        import fcntl
        self.run_ok("merge", "lors.yaml", "--output", "held")
        with open(self.path("held", ".koine", "lock")) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for args in ((), ("--fresh",)):
                done = self.run_fails(2, "merge", "lors.yaml", "--output", "held", *args)
                self.assertIn("another koine is working here", done.stderr)
        self.run_ok("merge", "lors.yaml", "--output", "held", "--fresh")

    def test_fresh_through_a_link(self):
        self.run_ok("merge", "lors.yaml", "--output", "target")
        os.symlink("target", self.path("link"))
        self.run_ok("merge", "lors.yaml", "--output", "link", "--set", "parameters.rank=6", "--fresh")
        self.assertTrue(os.path.islink(self.path("link")))
        self.assertFalse(os.path.exists(self.path("target.koine-fresh")))
        self.run_ok("verify", "target")

    def test_other_integers_are_said_once(self):
        steps = ("model.step", "I64", np.array([1], "<i8"))
        for t, folder in enumerate(("ints/base", "ints/expert1")):
            mini.write_file(self.path(folder, "model.safetensors"), mini.values(t), extra=[(steps[0], steps[1], steps[2] + t)])
        mini.write_recipe(self.path("ints", "r.yaml"), experts=1)
        done = self.run_ok("merge", "ints/r.yaml", "--output", "ints-out")
        self.assertEqual(done.stderr.count("other integers"), 1, done.stderr)
        self.assertIn("expert1", done.stderr)

    def test_damaged_notes_of_ours_are_no_crash(self):
        self.run_ok("merge", "lors.yaml", "--output", "odd")
        for text in ('{"recipe": 5, "set": 3}', "", "[]"):
            with open(self.path("odd", ".koine", "origin.json"), "w") as f:
                f.write(text)
            self.run_fails(2, "verify", "odd", "--recompute", "5%")
        with open(self.path("odd", ".koine", "plan.json"), "w") as f:
            f.write("{")
        self.run_ok("merge", "lors.yaml", "--output", "odd")
        os.remove(self.path("odd", ".koine", "plan.json"))
        with open(self.path("odd", "manifest.json"), "a") as f:
            f.write("x")
        self.assertIn("--fresh", self.run_fails(2, "merge", "lors.yaml", "--output", "odd").stderr)

    def test_recompute(self):
        done = self.run_ok("verify", "one", "--recompute", "100%")
        self.assertIn("tensors merged again", done.stderr)

    def test_plan_writes_nothing_and_is_right(self):
        before = sorted(os.listdir(self.root))
        plan = json.loads(self.run_ok("plan", "lors.yaml", "--output", "planned", "--ranks", "3", "--json").stdout)
        dry = self.run_ok("merge", "lors.yaml", "--output", "planned", "--dry-run")
        self.assertIn("would be made", dry.stdout)
        self.assertEqual(sorted(os.listdir(self.root)), before)
        self.assertEqual(len(plan["ranks"]), 3)
        written = sum(os.path.getsize(self.path("one", "shards", leaf)) for leaf in os.listdir(self.path("one", "shards")))
        self.assertLess(plan["bytes_written"], written)
        self.assertGreater(plan["bytes_written"], 0.8 * written)        # small shards: HDF5's own few kB count


if __name__ == "__main__":
    main()
