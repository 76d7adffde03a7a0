"""What CMake looks for, what scripts/lib/packages.sh installs, what libkoine-dev depends on and what the Spack recipe asks for are one list.

Spack itself is not asked for: the recipe is run with stand-ins for its vocabulary, which note what it says.
"""
import os
import re
import subprocess
import sys
import types
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("KOINE_SOURCE", os.getcwd()))

# What CMake calls it: Spack's name, Debian's name to build with, Debian's name that libkoine-dev depends on.
LIBRARIES = {
    "PkgConfig": ("pkgconfig", "pkg-config", "pkg-config"),
    "MPI": ("mpi", "libopenmpi-dev", "libopenmpi-dev"),
    "hdf5": ("hdf5", "libhdf5-dev", "libhdf5-dev"),
    "libxxhash": ("xxhash", "libxxhash-dev", "libxxhash-dev"),
    "yaml-cpp": ("yaml-cpp", "libyaml-cpp-dev", "libyaml-cpp-dev"),
    "fmt": ("fmt", "libfmt-dev", "libfmt-dev"),
    "nlohmann_json": ("nlohmann-json", "nlohmann-json3-dev", "nlohmann-json3-dev"),
    "OpenSSL": ("openssl", "libssl-dev", "libssl-dev"),
    "ZLIB": ("zlib-api", "zlib1g-dev", "zlib1g-dev"),
    "openblas": ("openblas", "libopenblas-pthread-dev", "libopenblas-dev"),
    "lapacke": (None, "liblapacke-dev", "liblapacke-dev"),  # Spack's is inside openblas
    "CLI11": ("cli11", "libcli11-dev", None),               # the program's alone
    "Threads": (None, None, None),                          # the C library's
}
BUILD_TOOLS = {"g++", "ninja-build", "openmpi-bin"}
SPACK_TOOLS = {"c", "cxx", "cmake", "gzip"}


def text_of(name):
    return (SOURCE / name).read_text(encoding="utf-8")


def names_in_cmake():
    text = text_of("cmake/KoineFind.cmake") + text_of("cmake/KoineDependencies.cmake")
    found = set(re.findall(r"find_package\((\S+)", text)) | set(re.findall(r"find_library\(\w+ (\S+)", text))
    for last in re.findall(r"pkg_(?:check_modules|search_module)\([^)]* (\S+)\)", text):
        found.add(last)
    return found


def shell_list(function):
    line = f". scripts/lib/common.sh; . scripts/lib/packages.sh; {function}"
    return set(subprocess.run(["bash", "-c", line], cwd=SOURCE, capture_output=True, text=True, check=True).stdout.split())


def column(number):
    return {row[number] for row in LIBRARIES.values() if row[number]}


class Recipe:
    """The Spack recipe, run with stand-ins: .depends is (name, spec, keywords), .defines what cmake_args set."""

    def __init__(self):
        self.depends, self.versions, self.conflicts = [], [], []
        words = types.ModuleType("spack.package")
        words.CMakePackage = type("CMakePackage", (), {
            "define": lambda _, name, value: self.defines.update({name: value}) or name,
            "define_from_variant": lambda _, name, variant: self.defines.update({name: variant}) or name})
        words.CudaPackage = type("CudaPackage", (), {})
        words.depends_on = lambda spec, **more: self.depends.append((re.match(r"[\w-]+", spec).group(), spec, more))
        words.version = lambda number, **_: self.versions.append(number)
        words.conflicts = lambda spec, **_: self.conflicts.append(spec)
        words.license = words.generator = lambda *_: None
        words.Executable = words.join_path = None
        sys.modules["spack"], sys.modules["spack.package"] = types.ModuleType("spack"), words
        scope = {"__name__": "koine"}
        exec(compile(text_of("packaging/spack/packages/koine/package.py"), "package.py", "exec"), scope)  # pylint: disable=exec-used
        self.package = scope["Koine"]()

    def arguments(self, tests, cuda):
        """name -> value of what cmake_args defines; a variant's name where the variant decides."""
        self.defines = {}
        python = types.SimpleNamespace(command=types.SimpleNamespace(path="/usr/bin/python3"))
        self.package.run_tests = tests
        self.package.spec = type("Spec", (), {
            "satisfies": lambda _, constraint: {"+cuda": cuda}[constraint], "__getitem__": lambda _, name: {"python": python}[name],
            "variants": {"cuda_arch": types.SimpleNamespace(value=("90",))}})()
        self.assert_all_returned(self.package.cmake_args())
        return self.defines

    def assert_all_returned(self, returned):
        assert sorted(returned) == sorted(self.defines), returned


class Debian(unittest.TestCase):
    def test_table_is_what_cmake_looks_for(self):
        self.assertEqual(names_in_cmake(), set(LIBRARIES))

    def test_packages_to_build_with(self):
        self.assertEqual(shell_list("build_packages"), column(1) | BUILD_TOOLS)

    def test_what_the_library_depends_on(self):
        line = re.search(r'DEVELOPMENT_PACKAGE_DEPENDS "([^"]*)"', text_of("cmake/KoinePackage.cmake")).group(1)
        self.assertEqual(set(re.split(r"[,\s\\]+", line)), column(2))


class Spack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.recipe = Recipe()

    def test_dependencies(self):
        plain = {name for name, _, more in self.recipe.depends if "when" not in more and more.get("type") != "test"}
        self.assertEqual(plain, column(0) | SPACK_TOOLS)
        self.assertEqual([spec for _, spec, more in self.recipe.depends if more.get("when")], ["cuda@12.8:"])
        self.assertIn("find_package(CUDAToolkit 12.8 REQUIRED)", text_of("cmake/KoineCuda.cmake"))

    def test_versions(self):
        project = text_of("CMakeLists.txt")
        self.assertEqual(self.recipe.versions, re.findall(r"project\(koine VERSION (\S+)", project))
        least = re.search(r"cmake_minimum_required\(VERSION (\S+)\)", project).group(1)
        self.assertIn(f"cmake@{least}:", [spec for _, spec, _ in self.recipe.depends])

    def test_cmake_arguments_are_options_of_the_project(self):
        cmake = text_of("CMakeLists.txt") + "".join(path.read_text(encoding="utf-8") for path in (SOURCE / "cmake").glob("*.cmake"))
        known = set(re.findall(r"(?:option|find_program)\((KOINE_\w+)", cmake)) | set(re.findall(r"set\((KOINE_\w+)[^)]*CACHE", cmake))
        for tests in (False, True):
            for cuda in (False, True):
                defines = self.recipe.arguments(tests, cuda)
                self.assertLessEqual({name for name in defines if not name.startswith("CMAKE_")}, known)
                self.assertEqual(defines["KOINE_TESTS"], tests)
                self.assertEqual(defines["KOINE_CUDA"], "cuda")
                self.assertEqual("CMAKE_CUDA_ARCHITECTURES" in defines, cuda)

    def test_repository(self):
        self.assertEqual(text_of("packaging/spack/repo.yaml"), "repo:\n  namespace: koine\n")
        self.assertEqual(self.recipe.package.__class__.__name__, "Koine")


if __name__ == "__main__":
    unittest.main()
