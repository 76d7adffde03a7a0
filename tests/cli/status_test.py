"""koine status: running, stopped, killed, hung, failed and complete runs; owners on other machines; sweeps."""
import json
import os
import shutil
import signal
import subprocess
import time

import mini_whisper as mini
from koine_cli import Case, KOINE, koine, main, plain_build_only
from run_folders import contents, members, start

SLOW = ("--set", "svd.mode=exact", "--threads", "1")


class Status(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = koine("synth", "--model", "tiny", "--experts", "3", "--output", "in", cwd=cls.root)
        assert made.returncode == 0, made.stderr

    def status(self, run):
        return json.loads(self.run_ok("status", run, "--json").stdout)

    def code(self, run):
        return koine("status", run, "--exit-code", cwd=self.root).returncode

    def start(self, run, ranks=1):
        """A merge that has begun to write."""
        process = start(("merge", "in/lors.yaml", "--output", run, *SLOW), ranks, self.root)
        self.addCleanup(self.end, process)
        end = time.time() + 60
        while not os.path.exists(self.path(run, ".koine", f"beat.{ranks - 1}")):
            self.assertIsNone(process.poll())
            self.assertLess(time.time(), end, "no beat")
            time.sleep(0.02)
        return process

    @staticmethod
    def end(process):
        for pid in members(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()
        while members(process.pid):  # mpirun's children take a moment to die
            time.sleep(0.01)

    def test_a_run_and_its_end(self):
        process = self.start("runs", ranks=2)
        seen = self.status("runs")
        self.assertEqual((seen["kind"], seen["state"], seen["exit_code"]), ("run", "running", 75))
        self.assertEqual([rank["rank"] for rank in seen["ranks"]], [0, 1])
        self.assertGreater(seen["bytes_total"], 0)
        self.assertEqual(self.code("runs"), 75)
        text = koine("status", "runs", cwd=self.root).stdout
        self.assertIn("running", text)
        self.assertIn("rank 1", text)
        self.assertEqual(process.wait(timeout=120), 0)
        done = self.status("runs")
        self.assertEqual((done["state"], done["exit_code"], done["share"]), ("complete", 0, 1))
        self.assertEqual(done["done"], done["total"])
        self.assertEqual(self.code("runs"), 0)
        self.assertEqual(int(self.run_ok("status", "runs", "--done").stdout), done["total"])

    @plain_build_only
    def test_watched_to_its_end(self):
        process = self.start("watched")
        seen = self.run_ok("status", "watched", "--watch", timeout=120)
        self.assertEqual(process.wait(timeout=10), 0)
        self.assertTrue(seen.stdout.splitlines()[-2].startswith("watched: complete") or
                        "watched: complete" in seen.stdout)
        self.assertIn("koine verify watched", seen.stderr)

    def test_stopped_by_a_signal(self):
        process = self.start("stopped")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=30), 75)
        seen = self.status("stopped")
        self.assertEqual((seen["state"], seen["exit_code"], seen["ending"]["code"]), ("stopped", 75, 75))
        # What it says to type is what was typed.
        line = next(line for line in koine("status", "stopped", cwd=self.root).stderr.splitlines() if line.startswith("next: "))
        self.assertEqual(line, "next: koine merge in/lors.yaml --output stopped --set svd.mode=exact --threads 1")
        elsewhere = koine("status", self.path("stopped"), cwd="/").stderr
        self.assertIn(f"cd {self.root} && koine merge", elsewhere)

    def test_killed_without_a_word(self):
        process = self.start("killed", ranks=2)
        self.end(process)
        seen = self.status("killed")
        self.assertEqual((seen["state"], seen["exit_code"], seen["ending"]), ("stopped", 75, None))
        self.assertIn("mpirun -n 2 koine merge", koine("status", "killed", cwd=self.root).stderr)

    @plain_build_only
    def test_silent(self):
        process = self.start("silent")
        process.send_signal(signal.SIGSTOP)
        end = time.time() + 40
        while self.status("silent")["state"] == "running":
            self.assertLess(time.time(), end, "a stopped process still runs, says status")
            time.sleep(0.5)
        self.assertEqual(self.status("silent")["state"], "silent")
        self.assertIn("no sign of life", koine("status", "silent", cwd=self.root).stdout)
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(timeout=120), 0)

    def test_failed(self):
        """Ends with the code and message of its last fault, until another attempt."""
        shutil.copytree(self.path("in"), self.path("broken"))
        with open(self.path("broken", "expert2", "model.safetensors"), "r+b") as file:
            file.seek(-4, os.SEEK_END)
            file.write(b"\x00\x00\xc0\x7f")  # NaN
        args = ("merge", "broken/lors.yaml", "--output", "failed")
        self.run_fails(2, *args)
        seen = self.status("failed")
        self.assertEqual((seen["state"], seen["exit_code"]), ("failed", 2))
        self.assertIn("expert2", seen["ending"]["message"])
        self.assertEqual(self.code("failed"), 2)
        self.assertIn("expert2", koine("status", "failed", cwd=self.root).stdout)

    def test_no_run(self):
        os.mkdir(self.path("empty"))
        for folder in ("empty", "nowhere"):
            self.assertIn("no run or sweep lies here", self.run_fails(2, "status", folder).stderr)

    @plain_build_only
    def test_damaged_notes(self):
        """What cannot be read counts as absent; nothing of it ends anything."""
        shutil.copytree(self.path("in"), self.path("in3"))
        self.run_ok("merge", "in3/lors.yaml", "--output", "noted", "--set", "svd.mode=fast")
        os.remove(self.path("noted", "manifest.json"))
        notes = [name for name in os.listdir(self.path("noted", ".koine")) if name.startswith(("attempt", "beat", "ending"))]
        self.assertGreaterEqual(len(notes), 3)
        for text in ("", "{", "[]", '{"rank": "x"}', "\xff" * 100):
            for name in notes:
                with open(self.path("noted", ".koine", name), "w", encoding="latin-1") as file:
                    file.write(text)
            self.assertEqual(self.status("noted")["exit_code"], 75)
        self.run_ok("merge", "in3/lors.yaml", "--output", "noted", "--set", "svd.mode=fast")

    def test_a_sweep(self):
        mini.write_family(self.path("small"), experts=2)
        mini.write_recipe(self.path("small", "lors.yaml"), experts=2)
        with open(self.path("sweep.yaml"), "w", encoding="utf-8") as file:
            file.write("recipe: small/lors.yaml\ngrid: {lambda: [0.1, 0.2, 0.3]}\n"
                       "evaluate: {command: 'test {lambda} != 0.2 && echo wer {lambda}', metric: {regex: 'wer ([0-9.]+)'}, "
                       "baselines: false}\n")
        self.run_fails(2, "sweep", "sweep.yaml", "--output", "swept")
        seen = self.status("swept")
        self.assertEqual((seen["kind"], seen["state"], seen["done"], seen["total"], seen["evaluated"], seen["failed"]),
                         ("sweep", "failed", 3, 3, 2, 1))
        self.assertEqual(self.code("swept"), 2)


class Owners(Case):
    """Two jobs on one folder: who works there is named; one that is gone is taken over."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mini.write_family(cls.root, experts=2)
        mini.write_recipe(os.path.join(cls.root, "lors.yaml"), experts=2)

    def leave(self, run, host):
        """What a process on another machine leaves while it works."""
        os.makedirs(self.path(run, ".koine"))
        for name, value in (("attempt.json", {"host": host, "process": 77, "job": "12", "command": "koine merge x", "folder": "/", "cache": "",
                                              "started": int(time.time()), "processes": 1, "threads": 1, "bytes": 1, "matrices": 1,
                                              "units": 1}),
                            ("beat.0", self.beat(host, 5))):
            with open(self.path(run, ".koine", name), "w", encoding="utf-8") as file:
                json.dump(value, file)

    @staticmethod
    def beat(host, count):
        return {"rank": 0, "host": host, "process": 77, "count": count, "time": int(time.time()), "bytes": 0, "tensors": 0,
                "matrices": 0}

    def test_a_live_owner_elsewhere(self):
        self.leave("theirs", "another-host")
        process = subprocess.Popen([KOINE, "merge", "lors.yaml", "--output", "theirs"], cwd=self.root, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        count = 5
        while process.poll() is None:
            count += 1
            with open(self.path("theirs", ".koine", "new"), "w", encoding="utf-8") as file:
                json.dump(self.beat("another-host", count), file)
            os.rename(self.path("theirs", ".koine", "new"), self.path("theirs", ".koine", "beat.0"))
            time.sleep(0.3)
        said = process.stderr.read()
        process.stderr.close()
        self.assertEqual(process.returncode, 2, said)
        self.assertIn("another koine is working here (host another-host, process 77, job 12)", said)

    def test_a_dead_owner_elsewhere(self):
        self.leave("dead", "another-host")
        began = time.time()
        self.run_ok("merge", "lors.yaml", "--output", "dead")
        self.assertGreater(time.time() - began, 2.9)
        self.run_ok("merge", "lors.yaml", "--output", "plain")
        self.assertEqual(contents(self.path("dead")), contents(self.path("plain")))


if __name__ == "__main__":
    main()
