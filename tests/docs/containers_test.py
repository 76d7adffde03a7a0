"""packaging/Dockerfile and packaging/koine.def: what they copy, call and read from one another is there, and neither has a list of
packages of its own. No container engine is asked for."""
import os
import re
import subprocess
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("KOINE_SOURCE", os.getcwd()))
SECTIONS = {"files", "post", "environment", "test", "runscript", "help"}


def instructions():
    """(word, rest) of every instruction of the Dockerfile."""
    text = (SOURCE / "packaging/Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    return [tuple(line.split(None, 1)) for line in lines if line.strip()]


def stages():
    """Stage -> (header, [(section, its argument, body), ...]) of koine.def."""
    text = re.sub(r"^#.*\n", "", (SOURCE / "packaging/koine.def").read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {}
    for part in re.split(r"^(?=Bootstrap:)", text, flags=re.MULTILINE)[1:]:
        head, *sections = re.split(r"^%", part, flags=re.MULTILINE)
        header = dict(re.findall(r"^(\w+): *(\S+)$", head, flags=re.MULTILINE))
        rows = []
        for section in sections:
            title, body = section.split("\n", 1)
            name, _, argument = title.partition(" ")
            rows.append((name, argument.strip(), body))
        found[header["Stage"]] = (header, rows)
    return found


def shell_of_both():
    """Everything that the two files run while they build."""
    runs = [rest for word, rest in instructions() if word == "RUN"]
    return runs + [body for _, rows in stages().values() for name, _, body in rows if name in ("post", "test")]


class Dockerfile(unittest.TestCase):
    def test_stages_and_copies(self):
        known, copies = [], 0
        for word, rest in instructions():
            if word == "FROM":
                known.append(rest.split(" AS ")[1] if " AS " in rest else "")
            elif word == "COPY":
                copies += 1
                source = re.match(r"--from=(\S+) (\S+) ", rest)
                if source:
                    self.assertIn(source.group(1), known[:-1])
                else:
                    self.assertTrue((SOURCE / rest.split()[0]).exists(), rest)
        self.assertEqual(known, ["build", ""])
        self.assertEqual(copies, 3)

    def test_arguments_are_declared_before_they_are_used(self):
        declared = set()
        for word, rest in instructions():
            if word == "ARG":
                declared.add(rest.split("=")[0])
            self.assertLessEqual(set(re.findall(r"\$\{(\w+)\}", rest)), declared, rest)

    def test_nothing_that_the_build_needs_is_ignored(self):
        ignored = (SOURCE / ".dockerignore").read_text(encoding="utf-8").split()
        cmake = "".join(path.read_text(encoding="utf-8") for path in [SOURCE / "CMakeLists.txt", *(SOURCE / "cmake").glob("*.cmake")])
        needed = {name.name for name in SOURCE.iterdir() if re.search(rf"[ (/]{re.escape(name.name)}[/ )\n]", cmake)}
        self.assertLessEqual({"src", "jobs", "cmake", "packaging", "configs", "CHANGELOG.md"}, needed)
        self.assertLessEqual(needed & set(ignored), {"tests", "build"})  # KOINE_TESTS=OFF


class Apptainer(unittest.TestCase):
    def test_header_and_sections(self):
        self.assertEqual(list(stages()), ["build", "run"])
        for header, rows in stages().values():
            self.assertEqual(set(header), {"Bootstrap", "From", "Stage"})
            self.assertLessEqual({name for name, _, _ in rows}, SECTIONS)
        self.assertEqual({name for name, _, _ in stages()["run"][1]}, SECTIONS)

    def test_files(self):
        for number, (_, rows) in enumerate(stages().values()):
            for name, argument, body in rows:
                if name == "files":
                    source, target = body.split()
                    self.assertEqual((argument, source), [("", "./*"), ("from build", "/packages/koine_*.deb")][number])
                    self.assertTrue(target.endswith("/"), "a pattern is copied into a folder")

    def test_shell(self):
        for _, rows in stages().values():
            for name, _, body in rows:
                if name in ("post", "environment", "test", "runscript"):
                    done = subprocess.run(["sh", "-n"], input=body, text=True, capture_output=True, check=False)
                    self.assertEqual(done.returncode, 0, f"{name}: {done.stderr}")


class Both(unittest.TestCase):
    def test_what_they_call_is_there(self):
        called = {path for text in shell_of_both() for path in re.findall(r"/koine/(\S+\.sh)", text)}
        self.assertEqual(called, {"scripts/package.sh", "smoke_test.sh"})
        self.assertTrue(os.access(SOURCE / "scripts/package.sh", os.X_OK))
        self.assertTrue(os.access(SOURCE / "packaging/smoke_test.sh", os.X_OK))
        self.assertIn("packaging/smoke_test.sh DESTINATION ${CMAKE_INSTALL_DATADIR}/koine",
                      (SOURCE / "cmake/KoineInstall.cmake").read_text(encoding="utf-8"))

    def test_options_of_package_sh(self):
        usage = subprocess.run([SOURCE / "scripts/package.sh", "--help"], capture_output=True, text=True, check=True).stdout
        used = {option for text in shell_of_both() for call in re.findall(r"package\.sh ([^\n]*)", text)
                for option in re.findall(r"(?<!\S)--[a-z]+", call)}
        self.assertEqual(used, {"--output", "--packages"})
        for option in used:
            self.assertIn(option, usage)

    def test_no_list_of_packages(self):
        installed = [word for text in shell_of_both() for call in re.findall(r"apt-get install ([^&\n]*)", text) for word in call.split()]
        self.assertEqual(len([word for word in installed if word.endswith("/koine_*.deb")]), 2)
        for word in installed:
            self.assertTrue(word.startswith("-") or word.startswith("/"), f"a package's name: {word}")


if __name__ == "__main__":
    unittest.main()
