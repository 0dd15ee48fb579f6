"""Tests of the program `experiments`."""

import json
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

from sample_network import PROGRAMS, ProgramTest, png

NAMES = ["fused_stages", "depthwise_by_stage", "randaug_by_size", "progressive",
         "adaptive_regularization", "same_training", "progressive_elsewhere", "scaling",
         "image_size_cost", "results", "pretrain_finetune", "training_setup", "claims"]
SMOKE = ("--scale", "smoke", "--data", "shapes:200x48", "--other-data", "shapes:100x48")


class Experiments(ProgramTest):
    program = "experiments"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The whole set once, for the tests that look at it.
        cls.set_folder = tempfile.TemporaryDirectory(prefix="effnet_experiments_")
        cls.whole = Path(cls.set_folder.name) / "whole"
        cls.ran = subprocess.run([PROGRAMS / "experiments", "run", *SMOKE, "--out", cls.whole],
                                 capture_output=True, text=True, check=False)

    @classmethod
    def tearDownClass(cls):
        cls.set_folder.cleanup()
        super().tearDownClass()

    def started(self, *arguments):
        return subprocess.Popen([PROGRAMS / "experiments", *map(str, arguments)],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    @staticmethod
    def accuracies(folder):
        """What the trainings came to, by their folders' names."""
        found = {}
        for path in Path(folder).glob("*/*/trial.json"):
            told = json.loads(path.read_text())
            if "top1" in told.get("outcome", {}):
                found[f"{path.parent.parent.name}/{path.parent.name}"] = told["outcome"]["top1"]
        return found

    @staticmethod
    def make_up(folder, top1, seconds):
        path = folder / "trial.json"
        told = json.loads(path.read_text())
        told["outcome"].update(top1=top1, seconds=seconds)
        path.write_text(json.dumps(told))

    def test_help_version_and_wrong_usage(self):
        self.check_help_and_version("run")
        self.refuses(status=2, says="subcommand is required")
        self.refuses("run", "b99", status=2, says="there is no experiment 'b99'")
        here = ("--out", self.folder / "wrong")
        self.refuses("run", "progressive", *here, status=2, says="--data is required")
        self.refuses("run", "pretrain_finetune", "--data", "shapes:200x48", *here, status=2,
                     says="--other-data")
        self.refuses("run", "--scale", "huge", status=2, says="--scale")
        self.refuses("run", "--budget", 0, status=2, says="--budget")
        self.refuses("run", "--data", self.folder / "nothing", *here, says="nothing")
        self.refuses("run", "progressive", "--data", "shapes:200x48", "--val",
                     self.folder / "no_val", *here, says="no_val")
        self.assertFalse((self.folder / "wrong" / "set.json").exists())
        self.refuses("report", "--out", self.folder / "nothing", says="there is no folder")
        file = self.folder / "a_file"
        file.write_text("")
        self.refuses("run", "claims", "--out", file, says="cannot make the folder")

    def test_the_list_names_all(self):
        text = self.run_program("list", "--out", self.folder / "none").stdout
        rows = [line.split()[0] for line in text.split("\n\n")[0].splitlines()[2:]]
        self.assertEqual(rows, NAMES)

    def test_the_whole_set_runs_and_fills_its_page(self):
        self.assertEqual(self.ran.returncode, 0, self.ran.stderr)
        self.assertNotIn("not run yet", self.ran.stdout)
        self.assertEqual(self.run_program("report", "--out", self.whole).stdout,  # which knows
                         f"{self.whole}/report.html\n")
        page = (self.whole / "report.html").read_text()
        for name in NAMES:
            self.assertIn(f"<h2 id={name}>", page)
        for part in ("262", "83.2 ± 0.09", "19,341,616", "85.1 ± 0.07", "B7 is 8.4 times smaller"):
            self.assertIn(part, page)
        self.assertNotIn("missing:", page)
        self.assertGreater(page.count("<svg"), 10)
        self.assertNotIn("src=\"http", page)
        for path in self.whole.glob("*/*/trial.json"):
            if "top1" in path.read_text():
                for log in ("train.log", "log.jsonl", "recipe.json", "report.html"):
                    self.assertTrue((path.parent / log).exists(), path)
                self.assertEqual(list(path.parent.glob("*.ckpt*")), [])
        again = self.run_program("run", *SMOKE, "--out", self.whole)
        self.assertEqual((again.stdout, again.stderr), (self.ran.stdout, ""))

    def test_figures_are_files_too(self):
        figures = self.folder / "figures"
        self.run_program("report", "--out", self.whole, "--page", self.folder / "page.html",
                         "--figures", figures)
        files = sorted(figures.iterdir())
        self.assertIn(figures / "progressive_Accuracy_over_wall_time.svg", files)
        self.assertEqual(len(files), (self.folder / "page.html").read_text().count("<svg"))
        for path in files:
            picture = xml.parse(path).getroot()
            self.assertEqual(picture.tag, "{http://www.w3.org/2000/svg}svg")
            self.assertTrue(picture.get("aria-label"), path)
            self.assertNotIn("var(--", path.read_text())
        file = self.folder / "a_file"
        file.write_text("")
        self.refuses("report", "--out", self.whole, "--figures", file,
                     says="cannot make the folder")

    def test_the_claims_are_a_table_in_markdown_too(self):
        table = self.folder / "claims.md"
        page = self.folder / "with_claims.html"
        self.run_program("report", "--out", self.whole, "--page", page, "--claims", table)
        lines = table.read_text().splitlines()
        self.assertEqual(lines[0], "| experiment | claim | published | measured here | verdict |")
        self.assertTrue(all(line.count("|") == 6 for line in lines))
        self.assertEqual({line.split("`")[1] for line in lines[2:]}, set(NAMES))
        first = page.read_text().split("</table>")[0]  # of the page, which is of all claims, too
        for line in lines[2:]:
            for cell in line.strip("| ").split(" | ")[1:]:
                self.assertIn(f"<td>{cell}</td>", first.replace(" class=good", "")
                              .replace(" class=bad", ""))
        self.refuses("report", "--out", self.whole, "--claims", self.folder / "no" / "claims.md",
                     says="no/claims.md")

    def test_trainings_are_run_seed_by_seed(self):
        folder = self.folder / "by_seed"
        told = self.run_program("run", "progressive", *SMOKE, "--workers", 1, "--out", folder)
        done = [line.split(": ")[1] for line in told.stderr.splitlines() if "top-1" in line]
        self.assertEqual(done, ["fixed size, seed 0", "progressive, seed 0",
                                "fixed size, seed 1", "progressive, seed 1"])

    def test_pretraining_hands_its_weights_on(self):
        recipes = [json.loads(path.read_text()) for path in
                   (self.whole / "pretrain_finetune").glob("*/recipe.json")]
        inits = [one["init"] for one in recipes if one["init"]]
        self.assertEqual((len(recipes), len(inits)), (9, 3))
        for init in inits:
            before = json.loads((Path(init).parent / "recipe.json").read_text())
            self.assertEqual(before["loss"], "sigmoid")

    def test_a_set_belongs_to_its_scale_and_data(self):
        for option, value, was in (("--scale", "mini", "smoke"), ("--backend", "cuda", "cpu"),
                                   ("--data", "shapes:300x48", "shapes:200x48"),
                                   ("--val", "shapes:50x48", ""),
                                   ("--other-data", "shapes:50x48", "shapes:100x48")):
            self.refuses("run", "progressive", "--out", self.whole, option, value,
                         says=f"was run with {option[2:].replace('-', '_')} '{was}', not '{value}'")

    def test_a_set_is_run_from_anywhere(self):
        """Goes on with data and folder moved and named in another way."""
        data = self.folder / "pictures"
        for name in ("train", "val"):
            for label in "ab":
                (data / name / label).mkdir(parents=True)
                for i in range(20):
                    colour = (10 * i, 200, 30 if label == "a" else 220)
                    (data / name / label / f"{i}.png").write_bytes(
                        png(48, 48, lambda x, y: colour))
        out = self.folder / "out"
        options = ("run", "progressive", "--scale", "smoke", "--quiet")
        self.run_program(*options, "--data", data / "train", "--out", out, "--budget", 0.01)
        (self.folder / "elsewhere").mkdir()
        data.rename(self.folder / "elsewhere" / "pictures")
        out.rename(self.folder / "moved")
        told = subprocess.run(
            [PROGRAMS / "experiments", *options, "--data", "elsewhere/pictures/train/",
             "--out", "./moved"],
            cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertEqual(len(self.accuracies(self.folder / "moved")), 4)

    def test_a_broken_set_file_is_told(self):
        folder = self.folder / "set"
        folder.mkdir()
        for text in ("", "{", "[]", '{"data": 1}', '{"scale": "huge"}',
                     (self.whole / "set.json").read_text().replace("smoke", "huge")):
            (folder / "set.json").write_text(text)
            self.refuses("report", "--out", folder, says="set.json")

    def test_broken_records_are_told(self):
        copy = self.folder / "broken"
        shutil.copytree(self.whole / "claims", copy / "claims")
        record = next(copy.glob("claims/*/trial.json"))
        whole = record.read_text()
        for text in ("", "{", "[]", "{}", whole[:40], whole.replace('"seconds"', '"hours"'),
                     re.sub(r'"seconds": [^,]*', '"seconds": -1', whole),
                     re.sub(r'"seconds": [^,]*', '"seconds": 0', whole),
                     re.sub(r'"seconds": [^,]*', '"seconds": 1e300', whole),
                     re.sub(r'"seconds": [^,]*', '"seconds": "a"', whole), " " * 2_000_000):
            record.write_text(text)
            for command in ("run", "report"):
                names = ("claims",) if command == "run" else ()
                self.refuses(command, *names, *SMOKE, "--out", copy, says="trial.json")

    def test_verdicts_follow_from_the_outcomes(self):
        folder = self.folder / "made_up"
        shutil.copytree(self.whole / "progressive", folder / "progressive")

        def says(fixed, progressive):
            """The two verdicts on (top-1, seconds) by seed."""
            for name, outcomes in (("fixed_size", fixed), ("progressive", progressive)):
                for seed, (top1, seconds) in enumerate(outcomes):
                    self.make_up(folder / "progressive" / f"{name}_seed_{seed}", top1, seconds)
            text = self.run_program("run", "progressive", *SMOKE, "--out", folder).stdout
            accuracy, = re.findall(r"(.*): Progressive learning is no more than a point", text)
            time, = re.findall(r"(.*): Progressive learning takes less time", text)
            return accuracy, time

        self.assertEqual(says([(50, 100), (60, 110)], [(51, 50), (61, 56)]), ("holds", "holds"))
        self.assertEqual(says([(50, 100), (60, 110)], [(40, 150), (51, 160)]),
                         ("contradicted", "contradicted"))
        self.assertEqual(says([(50, 100), (60, 110)], [(48, 98), (50, 109)]),
                         ("not resolved", "not resolved"))
        # Far apart, but not by the same: two standard errors are more.
        self.assertEqual(says([(50, 100), (60, 110)], [(30, 20), (61, 108)]),
                         ("not resolved", "not resolved"))

    def test_one_seed_resolves_no_accuracy_and_only_large_differences_of_time(self):
        folder = self.folder / "single"
        name = "progressive_elsewhere"
        shutil.copytree(self.whole / name, folder / name)
        for seconds, verdict in ((100, "holds"), (60, "not resolved"), (30, "contradicted")):
            self.make_up(folder / name / "V1-B4_vanilla_seed_0", 10, seconds)
            self.make_up(folder / name / "V1-B4_progressive_seed_0", 90, 60)
            text = self.run_program("run", name, *SMOKE, "--out", folder).stdout
            self.assertIn(f"{verdict}: Progressive learning takes less time: V1-B4", text)
            self.assertIn("not resolved: Progressive learning is more accurate: V1-B4 (+80.0", text)

    def test_a_half_finished_set_says_what_is_missing(self):
        half = self.folder / "half"
        for name in ("training_setup", "depthwise_by_stage"):
            told = self.run_program("run", name, "--scale", "smoke", "--data", "shapes:20000x48",
                                    "--out", half, "--budget", 0.01)
            self.assertIn("the time is over; the same command goes on", told.stderr)
            self.assertIn("not run yet", told.stdout)
        missing = self.run_program("report", "--out", half).stdout
        self.assertRegex(missing, r"training_setup: \d of 6 trials are missing: ")
        self.assertRegex(missing, r"depthwise_by_stage: \d+ of 208 trials are missing: ")
        self.assertIn("progressive: 4 of 4 trials are missing: fixed size, seed 0;", missing)
        self.assertIn("trials are missing", (half / "report.html").read_text())

    def test_more_seeds_are_added_to_those_there(self):
        folder = self.folder / "seeds"
        shutil.copytree(self.whole / "training_setup", folder / "training_setup")
        told = self.run_program("run", "training_setup", *SMOKE, "--seeds", 2, "--out", folder)
        self.assertEqual(told.stderr.count("seed 1: top-1"), 6)
        self.assertNotIn("seed 0", told.stderr)
        self.assertIn("2 seeds", told.stdout)

    def test_killed_again_and_again_it_comes_to_the_same(self):
        broken = self.folder / "killed"
        names = ("scaling", "training_setup")  # one thread each: the same bits
        draws = random.Random(1)
        kills = 0
        for attempt in range(200):  # which have more time the more there were: machines differ
            running = self.started("run", *names, *SMOKE, "--out", broken, "--quiet")
            try:
                running.wait(draws.uniform(0.1, 1) * (1 + attempt / 10))
            except subprocess.TimeoutExpired:
                running.send_signal(signal.SIGKILL)
                kills += 1
            said = running.communicate()[1].decode()
            self.assertIn(running.returncode, (0, -signal.SIGKILL), said)
            if running.returncode == 0:
                break
        self.assertEqual(running.returncode, 0)
        self.assertGreater(kills, 0)
        unbroken = self.accuracies(self.whole)
        for name, top1 in self.accuracies(broken).items():
            self.assertEqual(top1, unbroken.pop(name), name)
        self.assertFalse([name for name in unbroken if name.startswith(names)])

    def test_interrupted_it_stops_and_goes_on(self):
        folder = self.folder / "interrupted"
        options = ("run", "training_setup", "--scale", "smoke", "--data", "shapes:20000x48", "--out",
                   folder)
        running = self.started(*options)
        while not list(folder.glob("*/*/log.jsonl")) and running.poll() is None:
            time.sleep(0.05)
        self.refuses(*options, says="another program runs experiments in")
        running.send_signal(signal.SIGINT)
        said = running.communicate()[1].decode()
        self.assertEqual(running.returncode, 1)
        self.assertIn("interrupted; the same command goes on", said)
        stopped = list(folder.glob("*/*/last.ckpt"))
        self.assertTrue(stopped)
        self.run_program(*options, "--budget", 0.02)
        self.assertTrue(any("going on after step" in (one.parent / "train.log").read_text()
                            for one in stopped))

    def test_a_training_that_fails_is_told_and_the_others_go_on(self):
        folder = self.folder / "failing"
        broken = folder / "training_setup" / "momentum_0_seed_0"
        (broken / "log.jsonl").mkdir(parents=True)  # where a file has to go
        told = self.run_program("run", "training_setup", *SMOKE, "--out", folder, status=1)
        self.assertIn("training_setup: momentum 0, seed 0 failed: ", told.stderr)
        self.assertIn("log.jsonl", told.stderr)
        self.assertEqual(told.stderr.count("top-1"), 5)

    def test_a_dry_run_at_full_size_needs_no_data(self):
        text = self.run_program("run", "progressive", "fused_stages", "--scale", "full",
                                "--dry-run").stdout
        for part in ("132,121,624", "36,044,712,640", "1751595 steps", "437898", " 185 ", " 243 ",
                     "11.67", "all activations", "hours on one NVIDIA H100"):
            self.assertIn(part, text)
        self.assertNotIn("not run yet", text)


if __name__ == "__main__":
    unittest.main()
