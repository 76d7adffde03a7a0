"""A sweep's report.html in a real browser: it draws without a fault and without a network, sorts, shows recipes, survives hostile
text, a narrow phone, the dark and paper. KOINE_PICTURES=FOLDER keeps the pictures, to be looked at."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import sweep_results
from chromium import Browser, find_chromium
from koine_cli import KOINE, Case, main

UNIT_TESTS = os.path.join(os.path.dirname(os.path.abspath(KOINE)), "tests", "unit_tests")  # writes the pages
DATA = "({...document.documentElement.dataset})"
PAIRS = {"ink": "paper", "dim": "paper", "bad": "paper", "accent": "paper", **{f"q{i}": "on-low" if i < 5 else "on-high" for i in range(9)}}


def luminance(colour):
    parts = [int(colour.strip()[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    """As in WCAG 2: 1 … 21."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


class SweepPage(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = Browser()
        cls.grid = sweep_results.grid()
        cls.pictures = os.environ.get("KOINE_PICTURES") or tempfile.mkdtemp(dir=cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        super().tearDownClass()

    def show(self, results, fragment="", **look):
        """Opens the page of these results; what it says of itself."""
        source, page = self.path("results.json"), self.path("report.html")
        with open(source, "w", encoding="utf-8") as file:
            json.dump(results, file)
        subprocess.run([UNIT_TESTS, "--gtest_filter=SweepHtml.PageFromAFile"], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "KOINE_RESULTS": source, "KOINE_PAGE": page})
        self.browser.open(page, fragment, **look)
        said = self.browser.run(DATA)
        self.assertEqual((said.get("ready"), said.get("errors"), self.browser.faults()), ("yes", "0", []), said)
        self.assertEqual(self.browser.requests(), [])
        self.assertEqual(int(said["points"]), len(results["points"]))
        return said

    def order(self):
        return [int(number) for number in self.browser.run(DATA)["order"].split()]

    def by(self, name, member="metrics", down=False):
        """Numbers of the points in the order of a figure; those that have none left out."""
        points = {p["point"]: p for p in self.grid["points"]}
        value = lambda p: p[member].get(name, points[p["same_as"]][member].get(name) if p["same_as"] is not None else None)
        known = [(value(p) * (-1 if down else 1), p["point"]) for p in self.grid["points"] if value(p) is not None]
        return [number for _, number in sorted(known)]

    def text(self, selector):
        return self.browser.run(f"document.querySelector({json.dumps(selector)})?.textContent ?? null")

    def test_the_answer_is_in_the_first_screen(self):
        self.show(self.grid, width=360, height=640)
        self.assertIn(f"Best: point {self.grid['best']}, wer 0.1", self.text("h1"))
        self.assertLess(self.browser.run("document.querySelector('.command').getBoundingClientRect().bottom"), 640)
        self.assertIn("koine merge best.yaml", self.text(".command"))

    def test_the_best_comes_first_and_failed_ones_last(self):
        self.show(self.grid)
        self.assertEqual(self.order(), self.by("wer")[:12])
        self.assertIn(int(self.browser.run(DATA)["last"]), {13, 57, 88})
        self.browser.run("document.querySelector('#points .note button').click()")
        rows = self.browser.run("[...document.querySelectorAll('#points tbody tr')].map((row) => row.innerText)")
        self.assertEqual(sorted(int(re.match(r"\d+", row).group()) for row in rows), list(range(100)))
        self.assertEqual([row.count("CUDA out of memory") for row in rows[-3:]], [1, 1, 0])
        self.assertIn("same as 76", next(row for row in rows if row.startswith("96")))

    def test_sorting_by_address_by_click_and_by_key(self):
        self.show(self.grid, "#sort=-drift")
        self.assertEqual(self.order(), self.by("drift", "statistics", down=True)[:12])
        button = "[...document.querySelectorAll('#points thead button')].find((b) => b.textContent === 'cer')"
        self.browser.run(f"{button}.click()")
        self.assertEqual(self.order(), self.by("cer")[:12])
        self.browser.press("Enter")
        self.assertEqual(self.order(), self.by("cer", down=True)[:12])
        self.assertEqual(self.browser.run("document.querySelector('th[aria-sort]').getAttribute('aria-sort')"), "descending")
        self.assertIn("sort=-cer", self.browser.run("location.hash"))

    def test_a_cell_of_the_heat_map_is_the_best_over_the_rest(self):
        self.show(self.grid)
        names = self.browser.run("[...document.querySelectorAll('#heat g[role=button]')].map((g) => g.getAttribute('aria-label'))")
        groups = {}
        for number in self.by("wer"):
            settings = self.grid["points"][number]["settings"]
            groups.setdefault((settings["rank"], settings["density"]), number)
        self.assertEqual(sorted(int(re.match(r"point (\d+)", name).group(1)) for name in names), sorted(groups.values()))

    def test_the_front_holds_what_no_other_point_beats(self):
        self.show(self.grid)
        names = self.browser.run("[...document.querySelectorAll('#pareto g[role=button]')].map((g) => g.getAttribute('aria-label'))")
        points = [(self.grid["points"][n]["statistics"]["kept_share"], self.grid["points"][n if n != 96 else 76]["metrics"]["wer"], n)
                  for n in self.by("wer")]
        front = [n for cost, value, n in points if not any(c <= cost and v <= value and (c, v) != (cost, value) for c, v, _ in points)]
        self.assertEqual(sorted(int(re.search(r"point (\d+)", name).group(1)) for name in names), sorted(front))

    def test_a_point_shows_its_recipe(self):
        self.show(self.grid)
        self.browser.run("document.querySelector('#heat g[role=button]').focus()")
        self.browser.press("Enter")
        self.assertTrue(self.browser.run("document.getElementById('point').open"))
        number = int(re.search(r"\d+", self.text("#point-name")).group())
        self.assertEqual(self.text("#point pre"), self.grid["points"][number]["recipe"])
        self.assertIn(f"koine export .#{number} ", self.text("#point .command code"))
        self.browser.press("Escape")
        self.assertFalse(self.browser.run("document.getElementById('point').open"))
        self.show({**self.grid, "output": "runs/my sweep"}, "#point=88")
        self.assertIn("no answer within 30 min", self.text("#point"))
        self.assertIn("koine export 'runs/my sweep#88' ", self.text("#point .command code"))

    def test_every_figure_can_be_plotted(self):
        said = self.show(self.grid)
        self.assertEqual(said["plots"], "5")
        for select in self.browser.run("[...document.querySelectorAll('main select')].map((s) => s.length)"):
            self.assertGreater(select, 0)
        self.browser.run("for (const s of document.querySelectorAll('main select')) for (let i = 0; i < s.length; ++i) "
                         "{ s.selectedIndex = i; s.dispatchEvent(new Event('change')); }")
        self.assertEqual((self.browser.run(DATA)["errors"], self.browser.faults()), ("0", []))

    def test_hostile_text_stays_text(self):
        self.show(sweep_results.hostile(), "#point=13")
        self.assertIsNone(self.browser.run(DATA).get("evil"))
        self.assertEqual(self.text("#point pre"), sweep_results.EVIL)
        self.assertEqual(self.browser.run("document.querySelectorAll('img').length"), 0)
        self.assertEqual(self.browser.run("document.scripts.length"), 2)

    def test_odd_sweeps(self):
        one = {**self.grid, "points": self.grid["points"][:1], "best": 0}
        for results in ({**self.grid, "points": [], "best": None, "metrics": [], "statistics": []}, one, sweep_results.failed(),
                        {**self.grid, "baselines": []}, {**self.grid, "columns": []}):
            self.show(results)

    def test_statistics_alone_are_plotted_too(self):
        self.assertEqual(self.show(sweep_results.grid(has_metrics=False))["plots"], "4")
        self.assertIn("highest energy_kept", self.text("#heat"))

    def test_two_thousand_points_are_quick(self):
        said = self.show(sweep_results.search())
        self.assertLess(self.browser.run("performance.getEntriesByType('navigation')[0].loadEventEnd"), 5000)  # 0.4 s alone
        self.assertEqual(int(said["order"].split()[0]), sweep_results.search()["best"])
        self.assertIn("highest bleu", self.text("#heat"))

    def test_nothing_sticks_out_on_a_phone(self):
        for results in (self.grid, sweep_results.hostile()):
            self.show(results, width=360)
            self.assertLessEqual(self.browser.run("document.documentElement.scrollWidth"), 360)

    def test_contrast(self):
        for dark, media in ((False, ""), (True, ""), (True, "print")):
            self.show(self.grid, dark=dark, media=media)
            value = lambda name: self.browser.run(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}')")
            for name, other in PAIRS.items():
                self.assertGreaterEqual(contrast(value(name), value(other)), 4.5, (name, other, dark, media))
            self.assertEqual(luminance(value("paper")) < 0.5, dark and media != "print")

    def test_pictures(self):
        for name, look in (("wide", {"width": 1280}), ("phone", {"width": 390}), ("dark", {"width": 1280, "dark": True}),
                           ("print", {"width": 794, "media": "print"})):
            self.show(self.grid, **look)
            picture = os.path.join(self.pictures, f"sweep_{name}.png")
            self.browser.picture(picture)
            self.assertGreater(os.path.getsize(picture), 50_000, name)  # a blank page has some 5,000


if __name__ == "__main__":
    if not find_chromium():
        print("skipped: no chromium here (Debian: apt-get install chromium)")
        sys.exit(77)
    if not os.path.exists(UNIT_TESTS):
        print(f"skipped: {UNIT_TESTS} is not built, and it writes the pages")
        sys.exit(77)
    main()
