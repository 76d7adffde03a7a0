# SPDX-License-Identifier: Apache-2.0
"""Spack recipe of Koine, for Spack 0.23 and 1.x; docs/how-to/install.md says how it is used."""

from spack.package import *


class Koine(CMakePackage, CudaPackage):
    """Merges Whisper language experts into one model, on one process or many."""

    license("Apache-2.0")

    # No archive is published: build a source tree (`spack develop --path`).
    version("0.1.0")

    generator("ninja")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("gzip", type="build")
    depends_on("pkgconfig", type="build")

    depends_on("mpi@3.1:")
    # A file is written by one process, but by any of its threads; api=v110: HDF5 1.10's names.
    depends_on("hdf5@1.10.8:1.14 +threadsafe~mpi api=v110")
    # OpenBLAS and no other BLAS: Koine asks it for its kernels. Each thread of Koine works on a
    # matrix of its own, so threads=none is as good as pthreads; openmp would nest threads.
    depends_on("openblas@0.3.20: +locking~ilp64")
    conflicts("^openblas threads=openmp", msg="build openblas with threads=none or pthreads")
    depends_on("yaml-cpp@0.7:0.8")
    depends_on("fmt@9.1:9")
    depends_on("nlohmann-json@3.11:3")
    depends_on("cli11@2.1:2")
    depends_on("openssl@3:")
    depends_on("zlib-api")
    depends_on("xxhash@0.8:")
    depends_on("cuda@12.8:", when="+cuda")

    depends_on("googletest@1.12:", type="test")
    depends_on("python@3.9:", type="test")
    depends_on("py-numpy", type="test")
    depends_on("py-h5py", type="test")

    conflicts("%gcc@:10", msg="Koine is C++20: GCC 11 or newer")
    conflicts("cuda_arch=none", when="+cuda", msg="name the GPUs' architecture, e.g. cuda_arch=90")

    def cmake_args(self):
        args = [
            self.define("KOINE_TESTS", self.run_tests),
            self.define_from_variant("KOINE_CUDA", "cuda"),
            self.define("KOINE_PRECOMPILE", True),
            self.define("KOINE_CCACHE", ""),  # Spack has its own
        ]
        if self.run_tests:
            args.append(self.define("KOINE_PYTHON", self.spec["python"].command.path))
        if self.spec.satisfies("+cuda"):
            architectures = self.spec.variants["cuda_arch"].value
            args.append(self.define("CMAKE_CUDA_ARCHITECTURES", architectures))
        return args

    def test_merge(self):
        """synthesise, merge alone and on two processes, verify, export"""
        smoke_test = Executable(join_path(self.prefix.share, "koine", "smoke_test.sh"))
        said = smoke_test(self.prefix.bin.koine, output=str.split, error=str.split)
        assert "koine works" in said
