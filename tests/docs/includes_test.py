"""The sources keep the house's order, and the check that says so finds what it should."""
import os
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("KOINE_SOURCE", os.getcwd()))
sys.path.insert(0, str(SOURCE / "scripts"))
import check_includes  # noqa: E402


class OfThisTree(unittest.TestCase):
    def test_keeps_the_order(self):
        self.assertEqual(check_includes.problems_of(SOURCE), [])


class OfMadeUpTrees(unittest.TestCase):
    def problems(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return check_includes.problems_of(Path(folder))

    def test_arrows_that_are_fine(self):
        self.assertEqual(self.problems({
            "src/core/a.hpp": "#pragma once\n#include <vector>\n",
            "src/pipeline/b.cpp": '#include "core/a.hpp"\n#include "recipe/c.hpp"\n',
            "src/recipe/c.hpp": '#pragma once\n#include "core/a.hpp"\n',
            "src/store/d.cpp": '#include "stats/e.hpp"\n',
            "jobs/f.cpp": '#include "f.hpp"\n#include "pipeline/b.hpp"\n'}), [])

    def test_an_arrow_upwards(self):
        self.assertEqual(self.problems({"src/core/a.cpp": '\n#include "store/b.hpp"\n'}),
                         ["src/core/a.cpp:2: core may not include store"])

    def test_rooms_beside_the_stack(self):
        self.assertEqual(self.problems({"src/store/a.cpp": '#include "recipe/b.hpp"\n'}),
                         ["src/store/a.cpp:1: store may not include recipe"])
        self.assertEqual(self.problems({"src/pipeline/a.cpp": '#include "kernels/dense.hpp"\n'}),
                         ["src/pipeline/a.cpp:1: pipeline may not include kernels"])

    def test_neighbours_that_include_each_other(self):
        found = self.problems({"src/store/a.cpp": '#include "stats/b.hpp"\n', "src/stats/c.cpp": '#include "store/d.hpp"\n'})
        self.assertEqual(found, ["src/stats/c.cpp:1: stats includes store, which includes stats (src/store/a.cpp:1)"])

    def test_length_and_pragma(self):
        self.assertEqual(self.problems({"src/core/a.hpp": "int a;\n" * 301}),
                         ["src/core/a.hpp: 301 lines, at most 300: one idea per file",
                          "src/core/a.hpp:1: a header begins with #pragma once"])

    def test_golden_data_may_be_long(self):
        self.assertEqual(self.problems({"tests/formats/golden/a.hpp": "#pragma once\n" + "int a;\n" * 300}), [])

    def test_a_folder_that_is_no_room(self):
        self.assertIn("in no room", self.problems({"src/util/a.cpp": "\n"})[0])


if __name__ == "__main__":
    unittest.main()
