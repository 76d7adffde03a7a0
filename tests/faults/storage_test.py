"""A read-only output, inputs that are deleted or cut off half-way: one line each, nothing half-written passes, and what is
mended goes on to the same bytes."""
import os
import subprocess
import time

from koine_cli import KOINE, koine, main
from run_folders import contents, start
from small_disk import DiskCase


class Storage(DiskCase):
    size = "900m"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for args in (("synth", "--model", "tiny", "--experts", "2", "--output", "disk/in"),
                     ("merge", "disk/in/lors.yaml", "--output", "whole", "--set", "svd.mode=exact", "--threads", "1")):
            done = koine(*args, cwd=cls.root)
            assert done.returncode == 0, done.stderr

    def arguments(self, run):
        return ["merge", "disk/in/lors.yaml", "--output", run, "--set", "svd.mode=exact", "--threads", "1"]     # slow

    def one_line(self, said):
        lines = [line for line in said.splitlines() if line.startswith("koine: ")]
        self.assertEqual(len(lines), 1, said)
        return lines[0]

    def stopped_half_way(self, run):
        process = start(self.arguments(run), cwd=self.root)
        journal = self.path(run, ".koine", "journal")
        while process.poll() is None and not (os.path.isdir(journal) and len(os.listdir(journal)) >= 2):
            time.sleep(0.002)
        process.terminate()
        self.assertEqual(process.wait(), 75, "the merge was over first")

    def test_a_read_only_output(self):
        self.remount("ro")
        try:
            done = self.run_fails(2, *self.arguments("disk/run"))
        finally:
            self.remount("rw")
        self.assertIn("disk/run", self.one_line(done.stderr))
        self.assertFalse(os.path.exists(self.path("disk/run")))

    def test_an_input_deleted_half_way(self):
        self.stopped_half_way("deleted")
        expert = self.path("disk/in/expert2/model.safetensors")
        os.rename(expert, expert + ".away")
        done = self.run_fails(2, *self.arguments("deleted"))
        self.assertIn("expert2", self.one_line(done.stderr))
        os.rename(expert + ".away", expert)
        self.run_ok(*self.arguments("deleted"))
        self.assertEqual(contents(self.path("deleted")), contents(self.path("whole")))

    def test_an_input_cut_off_under_a_running_merge(self):
        expert = self.path("disk/in/expert1/model.safetensors")
        with open(expert, "rb") as file:
            whole = file.read()
        process = subprocess.Popen([KOINE, *self.arguments("cut")], cwd=self.root, stderr=subprocess.PIPE, text=True)
        journal = self.path("cut", ".koine", "journal")
        while process.poll() is None and not (os.path.isdir(journal) and os.listdir(journal)):
            time.sleep(0.002)
        os.truncate(expert, 4096)
        error = process.communicate()[1]
        with open(expert, "r+b") as file:
            file.write(whole)
        self.assertEqual(process.returncode, 2, error)
        self.assertIn("expert1", self.one_line(error))
        self.run_ok(*self.arguments("cut"))
        self.assertEqual(contents(self.path("cut")), contents(self.path("whole")))


if __name__ == "__main__":
    main()
