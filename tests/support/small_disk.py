"""A file system of a test's own, in memory: it can be full, or read-only."""
import os
import subprocess
import sys

from koine_cli import Case


class DiskCase(Case):
    """self.disk is mounted in the scratch folder; skipped where nothing can be mounted."""
    size = "64m"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.disk = os.path.join(cls.root, "disk")
        os.makedirs(cls.disk)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={cls.size}", "tmpfs", cls.disk]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            print("skipped: no file system can be mounted here (not root?)")
            super().tearDownClass()
            sys.exit(77)

    @classmethod
    def tearDownClass(cls):
        subprocess.run(["umount", cls.disk], check=False)
        super().tearDownClass()

    def remount(self, option):
        subprocess.run(["mount", "-o", f"remount,{option}", self.disk], check=True)
