"""An evaluation command that fills the sweep's disk: its point is marked, the others are evaluated, exit code and summary say so."""
import json
import os

import mini_whisper as mini
from koine_cli import main
from small_disk import DiskCase

FILLS = 'if [ {lambda} = 0.2 ]; then cat /dev/zero > "$KOINE_POINT_DIR/heard.wav" || exit 9; fi; echo \'{"wer": {lambda}}\''


class FullDisk(DiskCase):
    def test_its_point_is_marked_and_the_sweep_goes_on(self):
        mini.write_family(self.root, experts=2, n_enc=1, n_dec=1)
        mini.write_recipe(self.path("lors.yaml"), experts=2)
        with open(self.path("sweep.yaml"), "w", encoding="utf-8") as file:
            file.write("recipe: lors.yaml\ngrid: {lambda: [0.1, 0.2, 0.3]}\nkeep: all\n"
                       f"evaluate: {{command: {json.dumps(FILLS)}, metric: wer, goal: min, baselines: false}}\n")
        done = self.run_fails(2, "sweep", "sweep.yaml", "--output", "disk/sweep", "--json")
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["failed"], 1, done.stderr)
        self.assertIn("1 of the evaluations failed", done.stderr)
        with open(self.path("disk/sweep/results.json"), encoding="utf-8") as file:
            points = json.load(file)["points"]
        self.assertEqual([point["status"] for point in points], ["done", "failed", "done"])
        self.assertIn("9", points[1]["message"])
        self.assertIn("the disk was full, and what it left there was removed", points[1]["message"])
        self.assertEqual(sorted(os.listdir(self.path("disk/sweep/points/1"))), ["merged", "stderr.txt", "stdout.txt"])
        self.run_ok("verify", "disk/sweep/points/1/merged")


if __name__ == "__main__":
    main()
