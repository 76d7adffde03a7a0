"""What libkoine_cuda.so takes from CUDA's libraries, and that the program takes nothing: their dynamic symbols."""
import os
import subprocess
import sys
import unittest

LIBRARY, PROGRAM = sys.argv[1], sys.argv[2]

CALLS = {
    "matrix products in float64, batched": "cublasDgemmStridedBatched",
    "Gram matrices where float64 is slow": "cublasSgemmStridedBatched",
    "the certificate's update": "cublasDsyrk_v2",
    "no other precision": "cublasSetMathMode",
    "a workspace of our own": "cublasSetWorkspace_v2",
    "eigenproblems of Krylov spaces, batched": "cusolverDnXsyevBatched",
    "all eigenpairs of a Gram matrix": "cusolverDnXsyevd",
    "the SVD by a polar decomposition": "cusolverDnXgesvdp",
    "the last solver on the device": "cusolverDnDgesvdj",
    "the certificate, batched": "cusolverDnDpotrfBatched",
    "page-locked buffers": "cudaMallocHost",
    "streams that wait for each other": "cudaStreamWaitEvent",
    "the same bits every time": "cusolverDnSetDeterministicMode",
}


def symbols(path, kind):
    done = subprocess.run(["nm", "-D", f"--{kind}-only", path], capture_output=True, text=True, check=True)
    return {line.split()[-1].split("@")[0] for line in done.stdout.splitlines()}


class Imports(unittest.TestCase):
    def test_the_library_calls_cublas_and_cusolver(self):
        imported = symbols(LIBRARY, "undefined")
        for what, call in CALLS.items():
            self.assertIn(call, imported, what)

    def test_the_library_exports_its_table(self):
        self.assertIn("koine_cuda_table", symbols(LIBRARY, "defined"))

    def test_no_driver_is_linked(self):
        needed = subprocess.run(["readelf", "-d", LIBRARY], capture_output=True, text=True, check=True).stdout
        self.assertNotIn("libcuda.so", needed)

    @unittest.skipUnless(os.path.exists(PROGRAM), "the program is not built here")
    def test_the_program_needs_no_cuda(self):
        for name in symbols(PROGRAM, "undefined"):
            self.assertFalse(name.startswith(("cuda", "cublas", "cusolver")), name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
