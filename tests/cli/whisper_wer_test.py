"""configs/evaluate/whisper.py: error rates that can be counted by hand, its failures, and sweeps that it and a translation metric judge."""
import errno
import importlib.util
import json
import os
import subprocess
import sys

import mini_whisper as mini
from koine_cli import SOURCE, Case, main

SCRIPT = os.path.join(SOURCE, "configs", "evaluate", "whisper.py")
SPEC = importlib.util.spec_from_file_location("whisper_wer", SCRIPT)
wer = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(wer)

# Word errors: 1 of 4 (a substitution), 1 of 3 (a deletion), 0 of 2. Characters, blanks counted: 1 of 15, 5 of 12, 0 of 14.
CATALAN = [("a", "El gat és negre.", "el gat es negre"), ("b", "Bon dia, Anna", "bon dia"), ("c", "Moltes gràcies", "moltes gràcies")]
# No words: 1 of 4 characters, 0 of 1.
CHINESE = [("z", "今天天气。", "今 天天汽"), ("y", "好", "好")]


def table(rows, language):
    return [f"{name}\t{language}\t{text}" for name, text, _ in rows], [f"{name}\t{heard}" for name, _, heard in rows]


class Scorer(Case):
    def write(self, name, lines):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return name

    def score(self, *words, code=0, env=None):
        """What the command answers; of a failure, its one line."""
        done = subprocess.run([sys.executable, SCRIPT, *words], cwd=self.root, capture_output=True, text=True, check=False,
                              env={**os.environ, **(env or {})})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        if code:
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            return done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def score_texts(self, *groups, head="id\tlanguage\ttext", words=("--normaliser", "basic")):
        """Of (rows, language) pairs."""
        pairs = [table(*group) for group in groups]
        self.write("data.tsv", [head, *(line for data, _ in pairs for line in data)])
        files = [self.write(f"heard{i}.tsv", heard) for i, (_, heard) in enumerate(pairs)]
        return self.score("--data", "data.tsv", *words, "--hypotheses", *files)

    def assert_rates(self, found, **rates):
        for name, (errors, units) in rates.items():
            self.assertAlmostEqual(found[name], errors / units, places=12, msg=name)


class Rates(Scorer):
    def test_counted_by_hand(self):
        found = self.score_texts((CATALAN, "ca"))
        # Raw, these are wrong too: El, negre. | Bon, "dia," | Moltes.
        self.assert_rates(found, wer=(2, 9), wer_raw=(7, 9), cer=(6, 41))
        self.assertEqual(found["n"], 3)
        self.assertEqual([(i["id"], i["errors"], i["words"]) for i in found["items"]], [("a", 1, 4), ("b", 1, 3), ("c", 0, 2)])
        self.assertEqual(found["signature"]["normaliser"], "basic")
        self.assertEqual(found["signature"]["decoding"], "stored texts")
        self.assertRegex(found["signature"]["data"], r"^data\.tsv sha256:[0-9a-f]{12}$")

    def test_every_language_alone_and_scripts_without_spaces_by_character(self):
        found = self.score_texts((CATALAN, "ca"), (CHINESE, "zh-CN"))
        self.assert_rates(found["languages"]["ca"], wer=(2, 9))
        self.assert_rates(found["languages"]["zh-CN"], wer=(1, 5), cer=(1, 5), wer_raw=(2, 6))
        self.assert_rates(found, wer=(3, 14), wer_mean=(2 / 9 + 1 / 5, 2), wer_worst=(2, 9))
        for language in found["languages"].values():
            self.assertLessEqual(language["wer_low"], language["wer"])
            self.assertGreaterEqual(language["wer_high"], language["wer"])

    def test_empty_references_and_empty_texts(self):
        found = self.score_texts(([("a", "un dos tres", ""), ("b", "...", "hola món"), ("c", "", "")], "ca"))
        self.assertEqual([(i["errors"], i["words"]) for i in found["items"]], [(3, 3), (2, 0), (0, 0)])
        self.assert_rates(found, wer=(5, 3))
        self.assertEqual(self.score_texts(([("a", "", "")], "ca"))["wer"], 0)
        self.write("data.tsv", ["id\ttext", "a\t-"])
        self.write("heard.tsv", ["a\tmot"])
        self.assertIn("hold no word", self.score("--data", "data.tsv", "--hypotheses", "heard.tsv", code=2))

    def test_normalising_is_whispers_but_keeps_marks(self):
        self.assertEqual(wer.basic("  L'ÀNIMA [música] (riu) és—Ⅳ… 50 % "), "l ànima és iv 50")
        self.assertEqual(wer.basic("हिन्दी, भाषा।"), "हिन्दी भाषा", "vowel signs are marks")
        self.assertEqual(wer.basic("e\u0301te\u0301"), "\u00e9t\u00e9", "one spelling of an accent")
        texts = ["Hola, què tal?", "¿Dónde «está» l'eau?", "<unk> Straße № 5 (äh) ...", "Привет — мир!"]
        whisper = wer.whisper_normalisers(())
        if whisper is None:
            self.skipTest("transformers is not installed: its normaliser is not compared")
        for text in texts:
            self.assertEqual(wer.basic(text), whisper[1](text).strip())
        self.assertEqual(whisper[0]("I'm fifty-two"), "i am 52")

    def test_edits_are_levenshteins(self):
        for a, b, distance in (("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("abcd", "badc", 3)):
            self.assertEqual((wer.edits(a, b), wer.edits(b, a)), (distance, distance))

    def test_the_interval_is_one_and_the_same_and_covers(self):
        rows = [(str(i), "un dos tres quatre", "un dos tres quatre" if i % 4 else "un dos tres") for i in range(100)]
        first = self.score_texts((rows, "ca"))
        self.assertEqual(first, self.score_texts((rows, "ca")))
        self.assert_rates(first, wer=(25, 400))
        # 100 clips with 0 or 1 error of 4 words: a standard error of sqrt(0.25 * 0.75 / 100) / 4, 1.96 of them to each side.
        for edge, sign in (("wer_low", -1), ("wer_high", 1)):
            self.assertAlmostEqual(first[edge], 0.0625 + sign * 1.96 * 0.0108, delta=0.004)
        other = self.score_texts((rows, "ca"), words=("--normaliser", "basic", "--seed", "1"))
        self.assertEqual(other["wer"], first["wer"])
        exact = self.score_texts(([("a", "un", "un"), ("b", "dos", "dos")], "ca"))
        self.assertEqual((exact["wer_low"], exact["wer_high"]), (0, 0))

    def test_tables(self):
        """Common Voice's columns; ids from the audio; a language for all; a limit for each language."""
        self.write("cv.tsv", ["client_id\tpath\tsentence\tlocale", "x\tclip1.mp3\tUn dos\tca", "x\tclip2.mp3\tOne\ten",
                              "x\tclip3.mp3\tTres\tca"])
        self.write("heard.tsv", ["id\ttext", "clip1.mp3\tun dos", "clip2.mp3\ttwo", "clip3.mp3\tmal"])
        words = ("--data", "cv.tsv", "--hypotheses", "heard.tsv", "--normaliser", "basic")
        self.assert_rates(self.score(*words), wer=(2, 4))
        limited = self.score(*words, "--limit", "1")
        self.assert_rates(limited, wer=(1, 3))
        self.assertNotEqual(limited["signature"], self.score(*words)["signature"])
        for share, errors, words_ in (("1", 2, 4), ("0.5", 1, 3), ("0.01", 1, 3)):
            self.assert_rates(self.score(*words, env={"KOINE_SHARE": share}), wer=(errors, words_))
        self.assertIn("share 0.5", self.score(*words, "--share", "0.5")["signature"]["data"])
        self.write("plain.tsv", ["text", "un dos"])
        self.write("heard.tsv", ["0\tun"])
        words = ("--data", "plain.tsv", "--hypotheses", "heard.tsv", "--normaliser", "basic")
        self.assertEqual(list(self.score(*words)["languages"]), ["und"])
        self.assertEqual(list(self.score(*words, "--language", "ca")["languages"]), ["ca"])


class Failures(Scorer):
    def test_one_line_that_names_the_place(self):
        self.write("data.tsv", ["id\ttext", "a\tun", "b\tdos"])
        for lines, message in ((["a\tun"], "no text was heard of 'b'"), (["a\tun", "a\tun"], "heard.tsv:2: a second text of 'a'"),
                               (["a\tun", "q\tun"], "heard.tsv:2: the data has no utterance 'q'")):
            self.write("heard.tsv", lines)
            self.assertIn(message, self.score("--data", "data.tsv", "--hypotheses", "heard.tsv", "--out", "answer.json", code=2))
        for lines, message in ((["id\taudio"], "no column 'text'"), (["id\ttext"], "no utterance"), (["id\ttext", "a"], ":2: 1 columns"),
                               (["id\ttext", "a\tun", "a\tdos"], ":3: a second utterance 'a'")):
            self.write("bad.tsv", lines)
            self.assertIn(message, self.score("--data", "bad.tsv", "--hypotheses", "heard.tsv", code=2))
        self.assertIn("No such file", self.score("--data", "none.tsv", "--hypotheses", "heard.tsv", code=2))
        self.assertFalse(os.path.exists(self.path("answer.json")))

    def test_what_may_pass(self):
        for error in (OSError(errno.ESTALE, "stale"), OSError(errno.EIO, "I/O"), MemoryError(), RuntimeError("CUDA out of memory. Tried")):
            self.assertTrue(wer.may_pass(error), error)
        for error in (OSError(errno.ENOENT, "none"), RuntimeError("shapes"), wer.Fault("out of memory"), ValueError("x")):
            self.assertFalse(wer.may_pass(error), error)

    def test_decoding_needs_transformers(self):
        self.write("data.tsv", ["id\taudio\ttext", "a\ta.wav\tun"])
        os.makedirs(self.path("hidden", "transformers"), exist_ok=True)
        with open(self.path("hidden", "transformers", "__init__.py"), "w", encoding="utf-8") as file:
            file.write("raise ImportError('hidden')\n")
        said = self.score("checkpoint", "--data", "data.tsv", code=2, env={"PYTHONPATH": self.path("hidden")})
        self.assertIn("decoding needs transformers and torch", said)


# Of a checkpoint: which stored translations it "says". The larger lambda is, the more sentences come out right, but the weights must
# be those of the point: the command looks into the checkpoint for how far they are from the base.
TRANSLATE = r"""
import collections, json, math, os, struct, sys
def weights(folder):
    with open(os.path.join(folder, "model.safetensors"), "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        at = f.tell()
        low, high = header["model.decoder.layers.0.fc1.weight"]["data_offsets"]
        f.seek(at + low)
        return struct.unpack(f"<{(high - low) // 4}f", f.read(high - low))
here, base, expert = (weights(folder) for folder in (sys.argv[1], "base", "expert1"))
far = math.dist(here, base) / math.dist(expert, base)
references = [line.rstrip("\n") for line in open("reference.en", encoding="utf-8")]
stored = {name: open(f"heard.{name}", encoding="utf-8").read().splitlines() for name in ("base", "expert")}
share = min(1, far / 0.7)
heard = [stored["expert" if i < round(share * len(references)) else "base"][i] for i in range(len(references))]
with open(os.path.join(os.environ["KOINE_POINT_DIR"], "heard.en"), "w", encoding="utf-8") as f:
    f.write("\n".join(heard) + "\n")
def chrf(hypotheses, references, order=6, beta=2):
    # The definition of sacrebleu's corpus chrF2: precision and recall of character n-grams of all sentences, their orders' mean.
    precisions, recalls = [], []
    for n in range(1, order + 1):
        grams = lambda t: collections.Counter("".join(t.split())[i:i + n] for i in range(len("".join(t.split())) - n + 1))
        pairs = [(grams(h), grams(r)) for h, r in zip(hypotheses, references)]
        match = sum(sum((h & r).values()) for h, r in pairs)
        said, due = (sum(sum(pair[side].values()) for pair in pairs) for side in (0, 1))
        if said and due:
            precisions.append(match / said)
            recalls.append(match / due)
    p, r = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    return 100 * (1 + beta ** 2) * p * r / (beta ** 2 * p + r) if p + r else 0.0
try:
    import sacrebleu
    metric = sacrebleu.CHRF()
    score, signature = metric.corpus_score(heard, [references]).score, str(metric.get_signature())
    assert abs(score - chrf(heard, references)) < 0.01, (score, chrf(heard, references))
except ImportError:
    score, signature = chrf(heard, references), "chrF2, as sacrebleu defines it"
json.dump({"chrf": score, "n": len(references), "signature": signature}, open(sys.argv[2], "w"))
"""


class Sweeps(Scorer):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mini.write_family(cls.root, experts=1)
        mini.write_recipe(os.path.join(cls.root, "lors.yaml"), experts=1, parameters={"rank": 7})

    def sweep(self, name, *lines, output):
        self.write(name, ["recipe: lors.yaml", *lines])
        done = self.run_ok("sweep", name, "--output", output, "--json")
        with open(self.path(output, "results.json"), encoding="utf-8") as file:
            return json.loads(done.stdout.splitlines()[-1]), json.load(file)

    def test_a_translation_sweep_keeps_the_highest(self):
        with open(self.path("translate.py"), "w", encoding="utf-8") as file:
            file.write(TRANSLATE)
        english = ["The cat is black.", "Good morning, Anna.", "Many thanks.", "Where is the station?", "It rains in the north.",
                   "We are late."]
        self.write("reference.en", english)
        self.write("heard.expert", english)
        self.write("heard.base", ["The dog is back.", "Good night, Hanna.", "Money tanks.", "Wear is the nation?",
                                  "It rains in the mouth.", "We ate."])
        command = f"'{sys.executable}' translate.py {{checkpoint}} {{result}}"
        done, results = self.sweep("translation.yaml", "grid: {merge_method: [task_arithmetic], lambda: [0.1, 0.4, 0.7, 0]}",
                                   f"evaluate: {{command: {json.dumps(command)}, metric: chrf, goal: max}}",
                                   output="translation")
        scores = [point["metrics"]["chrf"] for point in results["points"]]
        self.assertEqual((done["best"], done["best_metric"], done["failed"]), (2, 100, 0))
        self.assertEqual(sorted(scores), [scores[3], scores[0], scores[1], scores[2]])
        base, expert = results["baselines"]
        self.assertEqual((base["metrics"]["chrf"], expert["metrics"]["chrf"]), (scores[3], 100))
        with open(self.path("translation", "points", "2", "heard.en"), encoding="utf-8") as file:
            self.assertEqual(file.read().splitlines(), english)
        self.run_ok("merge", "translation/best.yaml", "--output", "best-again")

    def test_the_scorer_answers_a_sweep(self):
        """Texts that a command of its own has decoded, scored by the script: metrics, languages and one signature for all."""
        data, heard = zip(table(CATALAN, "ca"), table(CHINESE, "zh"))
        self.write("data.tsv", ["id\tlanguage\ttext", *data[0], *data[1]])
        for name, texts in (("right", [line.rsplit("\t")[0] + "\t" + line.rsplit("\t")[2] for line in (*data[0], *data[1])]),
                            ("wrong", [*heard[0], *heard[1]])):
            self.write(f"{name}.tsv", texts)
        command = (f"case {{lambda}} in 0.2) h=right;; *) h=wrong;; esac; '{sys.executable}' '{SCRIPT}' {{checkpoint}} --data data.tsv "
                   "--hypotheses $h.tsv --normaliser basic --out {result}")
        done, results = self.sweep("scored.yaml", "grid: {lambda: [0.1, 0.2, 0.3]}",
                                   f"evaluate: {{command: {json.dumps(command)}, metric: languages.ca.wer, baselines: false}}",
                                   output="scored")
        self.assertEqual((done["best"], done["best_metric"], done["failed"]), (1, 0, 0))
        self.assert_rates(results["points"][0]["metrics"], **{"wer": (3, 14), "languages.ca.wer": (2, 9), "languages.zh.wer": (1, 5)})
        for name in ("wer_low", "wer_high", "wer_raw", "cer", "wer_mean", "languages.zh.wer_high"):
            self.assertIn(name, results["metrics"])


if __name__ == "__main__":
    main()
