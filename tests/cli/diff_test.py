"""koine diff: exit codes, the largest difference and its place, formats on either side."""
import json
import os
import shutil
import struct

from koine_cli import Case, koine, main


def tensor_offset(path, name):
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        return 8 + length + json.loads(file.read(length))[name]["data_offsets"][0]


class Diff(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        koine("synth", "--layers", "1", "--experts", "1", "--output", "d", cwd=cls.root)
        shutil.copytree(os.path.join(cls.root, "d/base"), os.path.join(cls.root, "changed"))
        path = os.path.join(cls.root, "changed/model.safetensors")
        with open(path, "r+b") as file:
            at = tensor_offset(path, "model.encoder.layers.0.fc1.weight") + 4 * (384 * 3 + 7)
            file.seek(at)
            value = struct.unpack("<f", file.read(4))[0]
            file.seek(at)
            file.write(struct.pack("<f", value + 0.5))

    def test_equal_is_zero(self):
        self.assertIn("equal", self.run_ok("diff", "d/base", "d/base/model.safetensors").stdout)

    def test_one_changed_element_is_found(self):
        text = self.run_fails(5, "diff", "d/base", "changed").stdout
        self.assertIn("encoder.blocks.0.mlp.0.weight: largest difference 0.5 at [3, 7]; 1 of 589,824", text)
        self.assertIn("1 differ", text)

    def test_tolerance(self):
        self.run_ok("diff", "d/base", "changed", "--tolerance", "0.51")
        self.run_fails(5, "diff", "d/base", "changed", "--tolerance", "0.49")
        self.run_fails(2, "diff", "d/base", "changed", "--tolerance", "-1")

    def test_json(self):
        report = json.loads(self.run_fails(5, "diff", "d/base", "changed", "--json").stdout)
        self.assertEqual((report["equal"], report["tensors_different"]), (False, 1))
        changed = [t for t in report["tensors"] if t["comparison"] == "differs"]
        self.assertEqual((changed[0]["index"], changed[0]["elements_beyond_tolerance"]), (384 * 3 + 7, 1))

    def test_quiet_is_one_line_and_many_differences_are_cut_short(self):
        self.assertEqual(self.run_fails(5, "diff", "d/base", "d/expert1", "-q").stdout.count("\n"), 1)
        self.assertLess(self.run_fails(5, "diff", "d/base", "d/expert1").stdout.count("\n"), 30)
        self.assertGreater(self.run_fails(5, "diff", "d/base", "d/expert1", "-v").stdout.count("\n"), 40)

    def test_bad_input_is_two(self):
        self.run_fails(2, "diff", "d/base", "nowhere")
        self.run_fails(2, "diff", "d/base")

    def test_several_processes_answer_once(self):
        done = koine("diff", "d/base", "changed", "-q", ranks=2, cwd=self.root)
        self.assertEqual((done.returncode, done.stdout.count("\n")), (5, 1), done.stderr)


if __name__ == "__main__":
    main()
