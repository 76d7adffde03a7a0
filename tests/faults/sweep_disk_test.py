"""An evaluation command that fills the sweep's disk: its point is marked, the others are evaluated, exit code and summary say so."""
import json
import os

import mini_whisper as mini
from koine_cli import main
from small_disk import DiskCase

# Until nobody else has any room: what the next point's merge gives back is taken too.
ALL = 'for i in 1 2 3; do cat /dev/zero >> "$KOINE_POINT_DIR/heard.wav"; sleep 0.3; done; exit 9'
# There is room for what the sweep notes, but not for another merge.
NEARLY_ALL = 'cat /dev/zero > "$KOINE_POINT_DIR/heard.wav"; truncate -s -100K "$KOINE_POINT_DIR/heard.wav"; exit 9'


class FullDisk(DiskCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mini.write_family(cls.root, experts=2, n_enc=1, n_dec=1)
        mini.write_recipe(os.path.join(cls.root, "lors.yaml"), experts=2)

    def test_its_point_is_marked_and_the_sweep_goes_on(self):
        self.sweep("all", ALL)

    def test_it_is_marked_when_a_later_merge_finds_no_room(self):
        self.sweep("nearly", NEARLY_ALL)

    def sweep(self, name, fill):
        command = f"if [ {{lambda}} = 0.2 ]; then {fill}; fi; echo '{{\"wer\": {{lambda}}}}'"
        with open(self.path("sweep.yaml"), "w", encoding="utf-8") as file:
            file.write("recipe: lors.yaml\ngrid: {lambda: [0.1, 0.2, 0.3, 0.4, 0.5]}\nkeep: all\n"
                       f"evaluate: {{command: {json.dumps(command)}, metric: wer, goal: min, baselines: false}}\n")
        run = f"disk/{name}"
        done = self.run_fails(2, "sweep", "sweep.yaml", "--output", run, "--json")
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["failed"], 1, done.stderr)
        self.assertIn("1 of the evaluations failed", done.stderr)
        with open(self.path(run, "results.json"), encoding="utf-8") as file:
            points = json.load(file)["points"]
        self.assertEqual([point["status"] for point in points], ["done", "failed", "done", "done", "done"])
        self.assertIn("9", points[1]["message"])
        self.assertEqual(points[1]["message"].count("the disk was full, and what it left there was removed"), 1, points[1])
        self.assertEqual(sorted(os.listdir(self.path(run, "points", "1"))), ["merged", "stderr.txt", "stdout.txt"])
        self.run_ok("verify", f"{run}/points/1/merged")


if __name__ == "__main__":
    main()
