"""koine bench: a line per figure, every result checked, nothing left behind. Never judges a time."""
import json
import os
import signal
import subprocess
import time

from koine_cli import Case, KOINE, SOURCE, main, on_a_terminal, plain_build_only

KINDS = {"string": str, "array": list, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}
WITHOUT_BOUND = {"dgemm", "sgemm", "triad", "copy", "page_cache_read", "write_fsync"}


def schema():
    with open(os.path.join(SOURCE, "tests/formats/golden/bench_line.json"), encoding="utf-8") as file:
        return json.load(file)


class Bench(Case):
    def setUp(self):
        self.scratch = self.path("scratch")
        os.makedirs(self.scratch, exist_ok=True)

    def tearDown(self):
        self.assertEqual(os.listdir(self.scratch), [], "left behind")

    def bench(self, *args):
        """The lines, parsed; each has the golden keys and kinds, and a result that was checked."""
        done = self.run_ok("bench", "--scratch", self.scratch, *args)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        golden = schema()
        for line in lines:
            self.assertEqual(list(line), list(golden))
            for key, kinds in golden.items():
                self.assertTrue(any(isinstance(line[key], KINDS[kind]) for kind in kinds.split(" or ")), (key, line[key]))
            self.assertIs(line["checked"], True, line)
        return lines

    def test_quick_shows_that_all_works(self):
        lines = self.bench("--quick")
        listed = {line.split()[0] for line in self.run_ok("bench", "--list").stdout.splitlines()}
        seen = {line["bench"] for line in lines}
        for name, instead in (("gram", {"gram32", "gram"}), ("svd", {"svd_fast", "svd_certified", "svd_exact"}),
                              ("solver", {"krylov", "rounded_gram", "rounded_block", "certificate", "cholesky", "tau_block", "project"}),
                              ("select", {"kth_largest", "take_kept"})):
            listed = listed - {name} | instead
        self.assertEqual(listed, {name for name in seen if not name.startswith("merge.")})
        self.assertLessEqual({"merge.read", "merge.prune", "merge.publish"}, seen)
        for line in lines:
            if not line["bench"].startswith("merge."):
                self.assertGreater(line["median_s"], 0, line)
            if line["bench"] in WITHOUT_BOUND:
                self.assertIsNone(line["bound"])
            elif not line["bench"].startswith("merge."):
                self.assertGreater(line["ratio_to_bound"], 0, line)

    @plain_build_only
    def test_a_merge_says_what_it_merged(self):
        (merge,) = [line for line in self.bench("--quick", "--only", "merge", "--experts", "3") if line["bench"] == "merge"]
        self.assertEqual((merge["model"], merge["experts"]), ("tiny", 3))
        self.assertGreater(merge["peak_memory_bytes"], 1 << 20)
        self.assertGreater(merge["bytes"], 1 << 20)

    @plain_build_only
    def test_only_what_is_asked_for_and_the_rates_it_is_held_against(self):
        lines = self.bench("--only", "gram,product", "--shape", "40x24,64x64", "--threads", "1,2", "--repeats", "3", "--quick")
        kernels = [(line["bench"], line["shape"], line["threads"]) for line in lines if line["bench"] not in WITHOUT_BOUND]
        expected = [(name, shape, threads) for shape in ([40, 24], [64, 64]) for threads in (1, 2) for name in ("gram32", "gram", "product")]
        self.assertEqual(kernels, expected)
        measured = set()
        for line in lines:
            self.assertEqual(line["repeats"], 3)
            if line["bound"]:
                self.assertIn((line["bound"], line["threads"]), measured)
            measured.add((line["bench"], line["threads"]))

    def test_bad_options(self):
        for args, word in ((("--only", "grm"), "did you mean 'gram'?"), (("--shape", "768"), "768x3072"),
                           (("--shape", "8x768"), "from 16 to"), (("--shape", "46000x47000"), "expected"),
                           (("--shape", "1x2x3"), "expected"), (("--threads", "0"), "--threads"),
                           (("--repeats", "0"), "--repeats"), (("--model", "huge"), "huge"),
                           (("--experts", "0"), "--experts"), (("--scratch", "nowhere"), "nowhere"),
                           (("--fast",), "unknown option"), (("extra",), "koine bench --help")):
            with self.subTest(args=args):
                self.assertIn(word, self.run_fails(2, "bench", "--quick", *args).stderr)

    @plain_build_only
    def test_a_terminal_gets_a_table(self):
        seen = on_a_terminal(["bench", "--quick", "--only", "gram", "--scratch", self.scratch], self.root)
        rows = [line for line in seen.splitlines() if line.startswith(("bench ", "gram "))]
        self.assertEqual(len(rows), 3, seen)        # the heading and two shapes
        self.assertRegex(rows[1], r"gram +fp32 +48x160 +1 .* % of (dgemm|copy) .* yes")
        self.assertEqual(len({row.index(word) for row, word in ((rows[0], "checked"), (rows[1], "yes"), (rows[2], "yes"))}), 1)
        self.assertIn('{"schema"', on_a_terminal(["bench", "--quick", "--only", "gram", "--json", "--scratch", self.scratch], self.root))

    @plain_build_only
    def test_ctrl_c_stops_and_leaves_nothing(self):
        for only, wait in (("svd", 0.7), ("merge", 1.0)):
            with self.subTest(only=only):
                process = subprocess.Popen([KOINE, "bench", "--only", only, "--shape", "512x512", "--repeats", "1000",
                                            "--scratch", self.scratch], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                deadline = time.monotonic() + 30
                while not os.listdir(self.scratch) and time.monotonic() < deadline:
                    time.sleep(0.02)
                time.sleep(wait)
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=60)
                self.assertEqual(process.returncode, 75)
                self.assertEqual(os.listdir(self.scratch), [])


if __name__ == "__main__":
    main()
