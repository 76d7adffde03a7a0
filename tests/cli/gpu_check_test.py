"""scripts/gpu_check.sh on a machine that seems to have a GPU: merges on an emulated device, statistics over a stand-in for NCCL, and
programs in the place of nvidia-smi, compute-sanitizer and the parity tests, which have tests of their own."""
import json
import os
import shutil
import subprocess
import unittest

import mini_whisper as mini
from koine_cli import KOINE, SOURCE, Case, main, plain_build_only

EMULATED = os.environ.get("KOINE_EMULATED_CUDA", "")
FAKE_GPU = os.environ.get("KOINE_FAKE_GPU", "")
LORS = {"rank": 5, "density": 0.2, "lambda": 0.2}
TOOLS = {
    "bin/nvidia-smi": 'case "$1" in -L) echo "GPU 0: emulated device (UUID: GPU-0)" ;; *) echo 580.0 ;; esac',
    "bin/compute-sanitizer": 'echo "========= ERROR SUMMARY: 0 errors"',
    "build/cuda/tests/parity/cuda/cuda_tests": 'echo "[  PASSED  ] 40 tests."',
    "build/cuda/tests/parity/parity_tests": 'case "$*" in *=DeviceGram.Rates) echo "gram rates: float64_gflops_per_s=60000 '
                                            'float32_gflops_per_s=50000 chosen=float64" ;; *) echo "[  PASSED  ] 65 tests." ;; esac',
}


@plain_build_only
@unittest.skipUnless(os.path.exists(EMULATED), "the emulated CUDA library is not built")
class GpuCheck(Case):
    def setUp(self):
        for folder in ("tree", "data", "fake"):
            shutil.rmtree(self.path(folder), ignore_errors=True)
            os.makedirs(self.path(folder))
        shutil.copytree(os.path.join(SOURCE, "scripts"), self.path("tree", "scripts"))
        for tool, body in TOOLS.items():
            self.put(tool, body)
        os.symlink(os.path.abspath(KOINE), self.path("tree", "build", "cuda", "koine"))
        os.symlink(EMULATED, self.path("tree", "build", "cuda", "libkoine_cuda.so"))
        for name, experts in (("models", 5), ("tiny", 2)):
            mini.write_family(self.path("data", name), experts=experts, dtype="fp16", d=96, n_enc=1, n_dec=1)
            mini.write_recipe(self.path("data", name, "lors.yaml"), experts=experts, parameters=LORS, select=["query"])

    def put(self, tool, body):
        path = self.path("tree", tool)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write("#!/bin/sh\n" + body + "\n")
        os.chmod(path, 0o755)

    def check(self, *options, json_at=("data", "gpu_check.json"), **env):
        env = {"PATH": self.path("tree", "bin") + ":" + os.environ["PATH"], "KOINE_CUDA_LIBRARY": EMULATED,
               "KOINE_FAKE_FOLDER": self.path("fake"), "KOINE_FAKE_GPUS": "1", **env}
        done = subprocess.run([self.path("tree", "scripts", "gpu_check.sh"), "--cuda-libs", FAKE_GPU, *options, "data"], cwd=self.root,
                              env={**os.environ, **env}, capture_output=True, text=True, timeout=600, stdin=subprocess.PIPE)
        with open(self.path(*json_at)) as file:
            return done, {step["step"]: step for step in json.load(file)["steps"]}

    def test_all_steps_pass(self):
        done, steps = self.check()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        wanted = {"device", "build", "libraries", "kernels", "lanes", "gram rates", "nccl on 1", "storage", "synth", "merge cuda", "solvers",
                  "same bytes on two processes", "same bytes twice", "same bytes on one thread", "merge cpu", "against the CPU",
                  "in the band", "sanitizer memcheck cuda_tests", "sanitizer racecheck cuda_tests", "sanitizer memcheck parity_tests"}
        self.assertLessEqual(wanted, set(steps))
        self.assertEqual((steps["kernels"]["passed"], steps["gram rates"]["pedantic_float64_gflops_per_s"]), (40, 60000))
        self.assertGreaterEqual(steps["against the CPU"]["equal_share"], 0.999)
        self.assertGreater(steps["merge lane"]["times_storage"], 0)
        self.assertEqual(steps["sanitizer memcheck cuda_tests"]["errors"], 0)
        for run in ("again", "ranks", "cpu"):  # a large model's would fill the disk
            self.assertFalse(os.path.exists(self.path("data", run)), run)

    def test_a_failure_keeps_nothing_else_from_being_done(self):
        self.put("build/cuda/tests/parity/cuda/cuda_tests", 'echo "[  FAILED  ] 1 test"; exit 1')
        done, steps = self.check(KOINE_EMULATED_FAIL="XsyevBatched_bufferSize,Xsyevd,Xgesvdp,Dgesvdj")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("failed or left out: kernels; solvers; ", done.stderr)
        self.assertEqual(steps["kernels: failed"]["status"], 1)
        self.assertGreater(steps["solvers"]["host:dgesdd"], 0)
        self.assertTrue(steps["same bytes twice"]["equal"])

    def test_what_has_no_time_is_left_out(self):
        done, steps = self.check("--seconds", "0", "--json", "elsewhere.json", json_at=["elsewhere.json"])
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual({name for name in steps if "failed" not in name}, {"device", "build"})
        self.assertIn("pytorch; ", done.stderr)
        self.assertEqual({step["status"] for name, step in steps.items() if "failed" in name}, {124})


if __name__ == "__main__":
    main()
