"""koine inspect: what a checkpoint holds, at once."""
import json
import os
import time

from koine_cli import Case, koine, main


class Inspect(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        koine("synth", "--model", "tiny", "--experts", "1", "--dtype", "fp16", "--output", "d", cwd=cls.root)

    def test_says_what_it_is(self):
        text = self.run_ok("inspect", "d/base").stdout
        for part in ("Whisper tiny", "hf", "167", "float16 (167)", "37,760,640", "n_mels 80"):
            self.assertIn(part, text)
        self.assertEqual(text, self.run_ok("inspect", "d/base/model.safetensors").stdout.replace("d/base/model.safetensors", "d/base"))

    def test_json_and_the_list_of_tensors(self):
        report = json.loads(self.run_ok("inspect", "d/base", "--json", "--tensors").stdout)
        self.assertEqual((report["size"], report["tensors"], report["parameters"]), ("tiny", 167, 37760640))
        self.assertEqual(report["dims"]["n_text_layer"], 4)
        self.assertEqual(len(report["tensor_list"]), 167)
        self.assertIn("model.decoder.embed_tokens.weight", self.run_ok("inspect", "d/base", "--tensors").stdout)

    def test_answers_within_a_tenth_of_a_second(self):
        seconds = []
        for _ in range(5):
            start = time.monotonic()
            self.run_ok("inspect", "d/base")
            seconds.append(time.monotonic() - start)
        if not os.environ.get("KOINE_SANITIZE"):
            self.assertLess(min(seconds), 0.1)

    def test_what_is_no_checkpoint_is_refused_in_one_line(self):
        os.makedirs(self.path("empty"))
        os.makedirs(self.path("adapter"))
        contents = {"adapter/adapter_config.json": b"{}", "pointer.safetensors": b"version https://git-lfs.github.com/spec/v1\n",
                    "old.pt": b"\x80\x02}q\x00.", "x.h5": b"\x89HDF\r\n\x1a\n", "ggml.bin": b"lmgg" + bytes(60), "nothing": b"",
                    "short.safetensors": b"\x08"}
        for name, content in contents.items():
            with open(self.path(name), "wb") as file:
                file.write(content)
        says = {"missing": "does not exist", "empty": "no model.safetensors", "adapter": "adapter", "pointer.safetensors": "git lfs pull",
                "old.pt": "torch", "x.h5": "run folder", "ggml.bin": "whisper.cpp", "nothing": "no checkpoint",
                "short.safetensors": "at least 8"}
        for name, part in says.items():
            done = self.run_fails(2, "inspect", name)
            self.assertIn(part, done.stderr)
            self.assertEqual((done.stdout, done.stderr.count("\n")), ("", 1), name)


if __name__ == "__main__":
    main()
