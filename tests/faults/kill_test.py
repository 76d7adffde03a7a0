"""Killed at ten moments, started again on another number of ranks: the same bytes; nothing unfinished passes."""
import os
import time

from koine_cli import Case, koine, main
from run_folders import contents, kill_after

MOMENTS = 10


class Kill(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = koine("synth", "--model", "tiny", "--layers", "2", "--experts", "2", "--output", "in", cwd=cls.root)
        assert made.returncode == 0, made.stderr
        began = time.time()
        done = koine("merge", "in/lors.yaml", "--output", "whole", "--threads", "1", cwd=cls.root)
        assert done.returncode == 0, done.stderr
        cls.seconds = time.time() - began
        cls.expected = contents(os.path.join(cls.root, "whole"))

    def test_ten_moments(self):
        hit = 0
        for moment in range(MOMENTS):
            run, ranks = f"killed{moment}", 1 + moment % 3
            args = ("merge", "in/lors.yaml", "--output", run, "--threads", "1")
            share = (moment + 0.5) / MOMENTS
            was_running = kill_after(args, 0.3 * (ranks > 1) + share * self.seconds, ranks, self.root)
            hit += was_running
            if not os.path.exists(self.path(run, "manifest.json")):
                self.assertIn(koine("verify", run, cwd=self.root).returncode, (2, 5))
                self.run_fails(2, "export", run, "--format", "hf", "--output", f"export{moment}")
            self.run_ok(*args, ranks=1 + (moment + 1) % 4)
            self.assertEqual(contents(self.path(run)), self.expected, f"killed at {share:.2f} on {ranks} ranks")
            leftovers = [f for _, _, files in os.walk(self.path(run)) for f in files if ".tmp." in f]
            self.assertEqual(leftovers, [])
        self.assertGreater(hit, MOMENTS // 3, "the kills came too late to mean anything")

    def test_stop_by_signal(self):
        """SIGTERM: exit 75 and a word on how to go on; the same command then ends the run."""
        import signal
        import subprocess
        from run_folders import command
        args = ("merge", "in/lors.yaml", "--output", "stopped", "--threads", "1")
        process = subprocess.Popen(command(args, 1), cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(0.4 * self.seconds)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        if process.returncode != 0:                 # it may just have ended
            self.assertEqual(process.returncode, 75)
            self.assertIn("run the same command again", said)
        self.run_ok(*args)
        self.assertEqual(contents(self.path("stopped")), self.expected)

    def test_edited_input_is_refused(self):
        """An input edited between kill and resume, same size and same time stamp, is found."""
        import shutil
        shutil.copytree(self.path("in"), self.path("in2"))
        args = ("merge", "in2/lors.yaml", "--output", "edited", "--threads", "1")
        kill_after(args, 0.6 * self.seconds, 1, self.root)
        journal = self.path("edited", ".koine", "journal")
        if os.path.exists(self.path("edited", "manifest.json")) or not os.listdir(journal):
            self.skipTest("the kill came too early or too late")
        path = self.path("in2", "expert1", "model.safetensors")
        stat = os.stat(path)
        with open(path, "r+b") as f:                # one low bit of every 64 kB of the file's second half
            for at in range(stat.st_size // 2, stat.st_size, 65536):
                f.seek(at)
                byte = f.read(1)
                f.seek(at)
                f.write(bytes([byte[0] ^ 1]))
        with open(path, "r+b") as f:                # and of its first half
            for at in range(65536, stat.st_size // 2, 65536):
                f.seek(at)
                byte = f.read(1)
                f.seek(at)
                f.write(bytes([byte[0] ^ 1]))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        done = self.run_fails(2, *args)
        self.assertIn("expert1", done.stderr)
        self.assertIn("changed", done.stderr)


if __name__ == "__main__":
    main()
