"""What the command-line tests share: running koine, with or without mpirun, in a scratch folder."""
import os
import pty
import select
import shutil
import subprocess
import tempfile
import unittest

KOINE = os.environ.get("KOINE", "build/cpu/koine")
SOURCE = os.environ.get("KOINE_SOURCE", os.getcwd())
PYTHON = "/usr/bin/python3"

# A sanitized program is many times slower: these add nothing that it would find.
plain_build_only = unittest.skipIf(os.environ.get("KOINE_SANITIZE"), "the plain build shows it")


def koine(*args, ranks=0, cwd=None, env=None, timeout=600):
    """Runs koine; ranks > 0 puts mpirun in front. Returns CompletedProcess with text output."""
    command = [KOINE, *map(str, args)]
    if ranks:
        command = ["mpirun", "-n", str(ranks), *command]
    return subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True,
                          timeout=timeout, check=False)


def koine_of_two(first, second, args, cwd, timeout=600):
    """Two processes with `first` and two with `second` (each a list of arguments and an environment), all with args."""
    command = ["mpirun"]
    for own, env in (first, second):
        words = [f"{name}={value}" for name, value in env.items()]
        command += [":"] * (len(command) > 1) + ["-n", "2", "env", *words, KOINE, *map(str, args), *map(str, own)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)


def on_a_terminal(args, cwd, env=None):
    """What a person at a terminal sees of stdout and stderr."""
    try:
        ours, theirs = pty.openpty()
    except OSError:
        raise unittest.SkipTest("this system has no pseudo-terminals (no /dev/pts)") from None
    process = subprocess.Popen([KOINE, *map(str, args)], cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs,
                               env={**os.environ, "TERM": "xterm", **(env or {})})
    os.close(theirs)
    seen = b""
    while process.poll() is None or select.select([ours], [], [], 0.2)[0]:
        try:
            seen += os.read(ours, 4096)
        except OSError:
            break
    process.wait()
    os.close(ours)
    return seen.decode()


class Case(unittest.TestCase):
    """A scratch folder per class, and assertions that show what the program printed."""

    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="koine-cli-")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root, ignore_errors=True)

    def run_ok(self, *args, **kwargs):
        done = koine(*args, cwd=kwargs.pop("cwd", self.root), **kwargs)
        self.assertEqual(done.returncode, 0, f"koine {args}\n{done.stdout}\n{done.stderr}")
        return done

    def run_fails(self, code, *args, **kwargs):
        done = koine(*args, cwd=kwargs.pop("cwd", self.root), **kwargs)
        self.assertEqual(done.returncode, code, f"koine {args}\n{done.stdout}\n{done.stderr}")
        return done

    def path(self, *parts):
        return os.path.join(self.root, *parts)


def main():
    unittest.main(verbosity=1)
