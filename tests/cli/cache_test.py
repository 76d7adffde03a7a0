"""The factor cache: same bytes cold, warm and damaged, no factorisation twice, a folder that is kept within its limit."""
import glob
import json
import os

import mini_whisper as mini
from koine_cli import Case, main, plain_build_only
from run_folders import contents


class Cache(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mini.write_family(cls.root, experts=3, d=256, n_enc=1, n_dec=1, rank=16)
        mini.write_recipe(os.path.join(cls.root, "lors.yaml"), experts=3, parameters={"rank": 7, "density": 0.2, "lambda": 0.2})
        mini.write_recipe(os.path.join(cls.root, "two.yaml"), experts=2, parameters={"rank": 7, "density": 0.2, "lambda": 0.2})

    def merge(self, output, *args, recipe="lors.yaml", **kwargs):
        """(factorised, found) of a merge, and the bytes it left."""
        done = self.run_ok("merge", recipe, "--output", output, "--json", *args, **kwargs)
        report = json.loads(done.stdout.splitlines()[-1])
        return report["matrices_factorised"], report["matrices_found"], contents(self.path(output))

    def test_cold_warm_and_none_give_the_same_bytes(self):
        made, found, plain = self.merge("plain")
        self.assertGreater(made, 0)
        self.assertEqual(found, 0)
        cold = self.merge("cold", "--cache", "c1")
        self.assertEqual(cold, (made, 0, plain))
        self.assertEqual(self.merge("warm", "--cache", "c1"), (0, made, plain))
        self.assertEqual(self.merge("ranks", ranks=3, env={"KOINE_CACHE": self.path("c1")}), (0, made, plain))

    @plain_build_only
    def test_another_rank_of_the_rung_and_another_rung(self):
        """A rank-7 merge is the same alone and with the cache warm at rung 8 or 64, whatever was asked of it before."""
        for key in (3, 8, 40):
            self.merge(f"first{key}", "--cache", "c2", "--set", f"parameters.rank={key}")
        self.assertEqual(self.merge("seven", "--cache", "c2")[2], self.merge("alone7")[2])
        self.assertEqual(self.merge("energy", "--cache", "c2", "--set", "parameters.rank={energy: 0.5}")[2],
                         self.merge("energy-alone", "--set", "parameters.rank={energy: 0.5}")[2])

    def test_one_more_expert_factorises_only_that_one(self):
        made, _, _ = self.merge("two", "--cache", "c3", recipe="two.yaml")
        more, found, _ = self.merge("three", "--cache", "c3", "--set", "parameters.lambda=0.2")
        self.assertEqual((more, found), (made // 2, made))

    def test_a_changed_expert_is_made_again(self):
        self.merge("before", "--cache", "c4")
        path = self.path("expert1", "model.safetensors") if os.path.isdir(self.path("expert1")) else self.path("expert1.safetensors")
        with open(path, "r+b") as file:
            file.seek(-4, os.SEEK_END)
            last = file.read(4)
            file.seek(-4, os.SEEK_END)
            file.write(last[:3] + bytes([last[3] ^ 0x80]))  # a sign
        self.assertEqual(self.merge("after", "--cache", "c4")[2], self.merge("after-alone")[2])

    def test_damage_is_made_again(self):
        made, _, plain = self.merge("sound", "--cache", "c5")
        entries = glob.glob(self.path("c5", "??", "*.factors"))
        self.assertEqual(len(entries), made)
        with open(entries[0], "r+b") as file:
            file.truncate(100)
        self.assertEqual(self.merge("mended", "--cache", "c5"), (1, made - 1, plain))

    def test_a_cache_that_cannot_be_written_costs_a_warning(self):
        made, _, plain = self.merge("known", "--cache", "c6")
        for group in glob.glob(self.path("c6", "??")):
            for entry in glob.glob(os.path.join(group, "*")):
                os.remove(entry)
            os.rmdir(group)
        for number in range(256):  # where entries would go there are files
            with open(self.path("c6", f"{number:02x}"), "w", encoding="utf-8"):
                pass
        done = self.run_ok("merge", "lors.yaml", "--output", "unwritten", "--cache", "c6")
        self.assertIn("warning: factors were not kept in the cache", done.stderr)
        self.assertEqual(contents(self.path("unwritten")), plain)

    @plain_build_only
    def test_it_is_shown_pruned_and_limited(self):
        made, _, _ = self.merge("filled", "--cache", "c7")
        before = json.loads(self.run_ok("cache", "c7", "--json").stdout)
        self.assertEqual(before["entries"], made)
        self.assertIn(f"{made} factorisations", self.run_ok("cache", env={"KOINE_CACHE": self.path("c7")}).stderr)
        half = before["bytes"] // 2
        after = json.loads(self.run_ok("cache", "c7", "--prune", str(half), "--json").stdout)
        self.assertLessEqual(after["bytes"], half)
        self.assertEqual(after["entries"] + after["removed_entries"], made)
        self.run_ok("cache", "c7", "--limit", str(half))
        self.merge("limited", "--cache", "c7")
        self.assertLessEqual(json.loads(self.run_ok("cache", "c7", "--json").stdout)["bytes"], half)

    def test_other_folders_are_refused(self):
        os.makedirs(self.path("thesis"), exist_ok=True)
        with open(self.path("thesis", "chapter1.tex"), "w", encoding="utf-8") as file:
            file.write("x")
        self.assertIn("is no factor cache", self.run_fails(2, "cache", "thesis").stderr)
        self.assertIn("is no factor cache", self.run_fails(2, "cache", "thesis", "--prune", "0").stderr)
        self.assertIn("is no factor cache", self.run_fails(2, "merge", "lors.yaml", "--output", "x", "--cache", "thesis").stderr)
        self.assertIn("no cache named", self.run_fails(2, "cache", env={"KOINE_CACHE": ""}).stderr)
        self.assertEqual(os.listdir(self.path("thesis")), ["chapter1.tex"])


if __name__ == "__main__":
    main()
