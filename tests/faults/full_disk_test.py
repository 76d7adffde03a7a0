"""A disk that fills up: exit 6 with the file and what to do; with room again the same command ends with the same bytes."""
import os
import threading
import time

from koine_cli import koine, main
from run_folders import contents
from small_disk import DiskCase


class FullDisk(DiskCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = koine("synth", "--model", "tiny", "--layers", "1", "--experts", "1", "--output", "in", cwd=cls.root)
        assert made.returncode == 0, made.stderr

    def test_refused_at_the_start(self):
        done = self.run_fails(6, "merge", "in/lors.yaml", "--output", "disk/early")
        self.assertIn("free", done.stderr)

    def test_fills_up_in_the_middle(self):
        self.run_ok("merge", "in/lors.yaml", "--output", "whole")
        self.remount("size=120m")
        filler = os.path.join(self.disk, "filler")
        def fill():
            time.sleep(0.05)                        # the preflight sees room
            try:
                with open(filler, "ab") as f:
                    while True:
                        f.write(b"y" * (1 << 20))
                        f.flush()
            except OSError:
                pass
        thread = threading.Thread(target=fill)
        thread.start()
        done = koine("merge", "in/lors.yaml", "--output", "disk/run", cwd=self.root)
        thread.join()
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("disk/run", done.stderr)
        os.remove(filler)
        self.run_ok("merge", "in/lors.yaml", "--output", "disk/run")
        self.assertEqual(contents(os.path.join(self.disk, "run")), contents(self.path("whole")))


if __name__ == "__main__":
    main()
