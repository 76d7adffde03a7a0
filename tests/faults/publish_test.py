"""A shard that cannot be published while the next ones are merged: exit 6 with its name; the same command then ends with the same bytes."""
import os
import shutil

from koine_cli import Case, koine, main
from run_folders import contents


class Publish(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = koine("synth", "--model", "tiny", "--layers", "2", "--experts", "1", "--output", "in", cwd=cls.root)
        assert made.returncode == 0, made.stderr
        done = koine("merge", "in/lors.yaml", "--output", "whole", cwd=cls.root)
        assert done.returncode == 0, done.stderr
        cls.expected = contents(os.path.join(cls.root, "whole"))

    def unfinished(self, name):
        """A copy of the whole run without its end and without its journal: every shard is merged again."""
        shutil.copytree(self.path("whole"), self.path(name))
        os.remove(self.path(name, "manifest.json"))
        journal = self.path(name, ".koine", "journal")
        for record in os.listdir(journal):
            os.remove(os.path.join(journal, record))
        return journal

    def block(self, *parts):
        """A folder that is not empty stands where a file is to be renamed to."""
        path = self.path(*parts)
        if os.path.exists(path):
            os.remove(path)
        os.makedirs(os.path.join(path, "in the way"))
        return path

    def check(self, run, blocked, journal):
        for threads in ("1", "3"):
            done = self.run_fails(6, "merge", "in/lors.yaml", "--output", run, "--threads", threads)
            self.assertIn(os.path.basename(blocked), done.stderr)
            self.assertFalse(os.path.exists(self.path(run, "manifest.json")))
        leftovers = [f for _, _, files in os.walk(self.path(run)) for f in files if ".tmp." in f]
        self.assertEqual(leftovers, [])
        shutil.rmtree(blocked)
        self.run_ok("merge", "in/lors.yaml", "--output", run)
        self.assertEqual(contents(self.path(run)), self.expected)
        self.assertEqual(len(os.listdir(journal)), len(os.listdir(self.path(run, "shards"))))

    def test_the_shard_cannot_take_its_place(self):
        for shard in ("encoder.000", "decoder.001", "rest"):
            with self.subTest(shard):
                journal = self.unfinished(f"shard-{shard}")
                self.check(f"shard-{shard}", self.block(f"shard-{shard}", "shards", shard + ".h5"), journal)

    def test_the_journal_cannot_be_written(self):
        journal = self.unfinished("journal")
        self.check("journal", self.block("journal", ".koine", "journal", "decoder.000.json"), journal)


if __name__ == "__main__":
    main()
