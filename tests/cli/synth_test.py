"""koine synth: true names and shapes, the same bytes always, careful with what is there."""
import filecmp
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from koine_cli import Case, KOINE, SOURCE, koine, main, plain_build_only

sys.path.insert(0, os.path.join(SOURCE, "tests", "oracle"))
import make_synth  # noqa: E402  (the list of names and shapes)


def header(path):
    with open(path, "rb") as file:
        return json.loads(file.read(int.from_bytes(file.read(8), "little")))


class Synth(Case):
    def test_names_and_shapes_are_those_of_whisper(self):
        self.run_ok("synth", "--model", "tiny", "--experts", "1", "--dtype", "fp16", "--output", "tiny")
        d, encoder, decoder, _, mels, vocab = make_synth.SIZES["tiny"]
        expected = {make_synth.to_hf(name): list(shape) for name, shape in make_synth.entries(d, encoder, decoder, mels, vocab)}
        for model in ("base", "expert1"):
            found = header(self.path("tiny", model, "model.safetensors"))
            self.assertEqual(found.pop("__metadata__"), {"format": "pt"})
            self.assertEqual({name: entry["shape"] for name, entry in found.items()}, expected)
            self.assertEqual({entry["dtype"] for entry in found.values()}, {"F16"})
            with open(self.path("tiny", model, "config.json"), encoding="utf-8") as file:
                config = json.load(file)
            self.assertEqual((config["d_model"], config["vocab_size"], config["torch_dtype"]), (384, 51865, "float16"))
        self.assertFalse(filecmp.cmp(self.path("tiny/base/model.safetensors"), self.path("tiny/expert1/model.safetensors"), False))

    def test_result_is_the_last_line_and_quiet_is_quiet(self):
        done = self.run_ok("synth", "--layers", "1", "--experts", "1", "--dtype", "bf16", "--output", "q", "-q")
        self.assertEqual((done.stdout, done.stderr), ("q\n", ""))
        self.assertTrue(os.path.exists(self.path("q/lors.yaml")))

    def test_the_same_again_is_done_at_once_other_settings_are_refused(self):
        arguments = ["synth", "--layers", "1", "--experts", "1", "--dtype", "fp16", "--output", "again"]
        self.run_ok(*arguments)
        before = os.stat(self.path("again/base/model.safetensors")).st_mtime_ns
        start = time.monotonic()
        done = self.run_ok(*arguments)
        self.assertLess(time.monotonic() - start, 1.0)
        self.assertIn("already there", done.stderr)
        self.assertEqual(os.stat(self.path("again/base/model.safetensors")).st_mtime_ns, before)
        done = self.run_fails(2, *arguments, "--seed", "5")
        self.assertIn("seed 0, asked for 5", done.stderr)

    def test_a_folder_of_somebody_else_is_left_alone(self):
        os.makedirs(self.path("mine"))
        with open(self.path("mine/notes.txt"), "w", encoding="utf-8") as file:
            file.write("x")
        done = self.run_fails(2, "synth", "--output", "mine")
        self.assertIn("not made by koine synth", done.stderr)
        self.assertEqual(os.listdir(self.path("mine")), ["notes.txt"])

    def test_wrong_words_are_explained(self):
        self.assertIn("did you mean 'tiny'", self.run_fails(2, "synth", "--model", "tinny", "--output", "x").stderr)
        self.run_fails(2, "synth", "--experts", "0", "--output", "x")
        self.run_fails(2, "synth", "--dtype", "int8", "--output", "x")
        self.run_fails(2, "synth", "--layers", "-1", "--output", "x")
        self.assertFalse(os.path.exists(self.path("x")))

    def test_places_that_cannot_be(self):
        with open(self.path("plain"), "w", encoding="utf-8"):
            pass
        for output in ("", "n" * 300, "plain/x", "plain"):
            done = self.run_fails(2, "synth", "--layers", "1", "--output", output)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn("name a", done.stderr)

    def test_a_file_of_another_size_is_made_again(self):
        for naming, leaf in (("hf", "expert1/model.safetensors"), ("openai", "expert1.pt")):
            arguments = ["synth", "--layers", "1", "--experts", "1", "--dtype", "fp16", "--naming", naming, "--output", f"cut-{naming}"]
            self.run_ok(*arguments)
            self.assertIn("already there", self.run_ok(*arguments).stderr)
            path = self.path(f"cut-{naming}", leaf)
            shutil.copy(path, self.path("whole.bin"))
            for size in (os.path.getsize(path) - 1, 0):
                os.truncate(path, size)
                self.assertNotIn("already there", self.run_ok(*arguments).stderr)
                self.assertTrue(filecmp.cmp(path, self.path("whole.bin"), False))

    @plain_build_only
    def test_both_namings_hold_the_same_numbers(self):
        arguments = ["synth", "--layers", "1", "--experts", "1", "--dtype", "fp16"]
        self.run_ok(*arguments, "--output", "n/hf")
        self.run_ok(*arguments, "--output", "n/pt", "--naming", "openai")
        self.assertEqual(sorted(os.listdir(self.path("n/pt"))), [".koine-synth.json", "base.pt", "expert1.pt", "lors.yaml"])
        for hf, openai in (("base", "base.pt"), ("expert1", "expert1.pt")):
            self.assertIn("equal", self.run_ok("diff", f"n/hf/{hf}", f"n/pt/{openai}").stdout)

    @plain_build_only
    def test_killed_and_started_again_gives_the_same_bytes(self):
        arguments = ["synth", "--layers", "1", "--experts", "3", "--dtype", "fp16", "--threads", "1"]
        self.run_ok(*arguments, "--output", "whole")
        with subprocess.Popen([KOINE, *arguments, "--output", "killed"], cwd=self.root, stderr=subprocess.DEVNULL) as process:
            while not os.path.exists(self.path("killed/base/model.safetensors")) and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
        self.run_ok(*arguments, "--output", "killed")
        for model in ("base", "expert1", "expert2", "expert3"):
            leaf = f"{model}/model.safetensors"
            self.assertTrue(filecmp.cmp(self.path("whole", leaf), self.path("killed", leaf), False), leaf)

    @plain_build_only
    def test_two_processes_make_one_folder(self):
        done = koine("synth", "--layers", "1", "--experts", "1", "--dtype", "fp16", "--output", "two", ranks=2, cwd=self.root)
        self.assertEqual((done.returncode, done.stdout), (0, "two\n"), done.stderr)


if __name__ == "__main__":
    main()
