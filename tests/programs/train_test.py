"""Tests of the program `train`: small networks on small pictures, so that all of it takes seconds."""

import csv
import json
import random
import re
import shutil
import signal
import subprocess
import time
import unittest

from sample_network import PROGRAMS, ProgramTest, png, read_safetensors

TABLE = {
    "name": "tiny", "stem": 8, "head": 16, "eval_size": 32, "train_size": 32,
    "stages": [{"op": "fused_mbconv", "kernel": 3, "stride": 2, "out": 8},
               {"op": "mbconv", "repeats": 2, "kernel": 3, "stride": 1, "expand": 2, "out": 8,
                "se": 0.25}],
}
OUTPUTS = {"log.jsonl", "log.csv", "report.html", "last.ckpt", "best.ckpt", "weights.safetensors",
           "recipe.json", "sheet.png"}


class TrainTest(ProgramTest):
    program = "train"

    def setUp(self):
        super().setUp()
        self.table.write_text(json.dumps(TABLE))
        self.out = self.folder / "run"

    def options(self, *more, out=None, data="shapes:140x32"):
        """39 steps in four stages of 32 to 48 pixels, unless `more` says otherwise."""
        options = {"--model": self.table, "--data": data, "--out": out or self.out,
                   "--preset": "scratch", "--size": 48, "--epochs": 3, "--batch": 10,
                   "--threads": 2, "--evaluate-every": 10}
        for option in [option for option in more if option in options]:
            del options[option]
        return [word for option in options.items() for word in option] + list(more)

    def train(self, *arguments, status=0, **more):
        return self.run_program(*self.options(*arguments, **more), status=status)

    def result(self, out=None):
        return ((out or self.out) / "weights.safetensors").read_bytes()

    def rows(self, out=None):
        text = ((out or self.out) / "log.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    def two_colours(self, names=("blue thing", "red thing"), count=20):
        """Class folders of noisy pictures in two colours."""
        numbers = random.Random(2)
        data = self.folder / "colours"
        for name, colour in zip(names, ((30, 30, 220), (220, 30, 30))):
            (data / name).mkdir(parents=True)
            for i in range(count):
                noise = [numbers.randrange(30) for _ in range(64)]
                (data / name / f"{i}.png").write_bytes(
                    png(40, 40, lambda x, y: tuple(c + noise[(x * 7 + y) % 64] for c in colour)))
        return data

    def classes_of(self, out=None):
        _, metadata = read_safetensors((out or self.out) / "weights.safetensors")
        return json.loads(metadata["effnet.classes"])


class Train(TrainTest):
    def test_help_version_and_unknown_options(self):
        self.check_help_and_version(*self.options())

    def test_a_run_leaves_all_that_it_promises(self):
        done = self.train("--json", "--random-erasing", 0.1, "--rand-augment", 4)
        told = json.loads(done.stdout)
        self.assertEqual(told["steps"], 39)
        self.assertEqual(told["weights"], str(self.out / "weights.safetensors"))
        self.assertLessEqual(OUTPUTS, {path.name for path in self.out.iterdir()})
        for words in ("48 px x 10", "RandAugment", "total", "39/39", "top-1"):
            self.assertIn(words, done.stderr)
        self.assertNotIn("\r", done.stderr)  # no terminal, no bar

        rows = self.rows()
        steps = [row for row in rows if "loss" in row]
        judged = [row for row in rows if "val_loss" in row]
        self.assertEqual([row["step"] for row in steps], list(range(1, 40)))
        self.assertEqual([row["size"] for row in steps][::10], [32, 37, 43, 48])
        self.assertEqual([row["step"] for row in judged], [9, 19, 29, 39])
        self.assertEqual(judged[-1]["top1"], told["top1"])
        with open(self.out / "log.csv", newline="", encoding="utf-8") as file:
            table = list(csv.DictReader(file))
        self.assertEqual(len(table), len(rows))
        for text, row in zip(table, rows):
            self.assertEqual({key for key, value in text.items() if value}, set(row))

        page = (self.out / "report.html").read_text()
        for words in ("Loss and accuracy over time", "Learning rate", "Regularization", "Schedule",
                      "Stage 4", "Confusion matrix", "Worst mistakes", "Memory", "base_rate"):
            self.assertIn(words, page)
        self.assertGreater(page.count("data:image/jpeg;base64,"), 48)
        self.assertIsNone(re.search(r"https?://|<script", page))

        _, metadata = read_safetensors(self.out / "weights.safetensors")
        self.assertEqual(len(json.loads(metadata["effnet.classes"])), 10)
        self.assertEqual(metadata["effnet.input_size"], "48")

    def test_equal_runs_give_equal_bytes(self):
        self.train("--quiet")
        again = self.folder / "again"
        self.train("--loader-threads", 2, "--cache", 0, out=again)
        self.assertEqual(self.result(), self.result(again))
        other = self.folder / "other"
        self.train("--seed", 1, out=other)
        self.assertNotEqual(self.result(), self.result(other))

    def test_a_deterministic_run_does_not_depend_on_threads(self):
        self.train("--deterministic")
        again = self.folder / "again"
        self.train("--deterministic", "--threads", 1, out=again)
        self.assertEqual(self.result(), self.result(again))

    def test_the_recipe_repeats_the_run(self):
        self.train("--mixup", 0.1, "--optimizer", "sgd", "--class-weights", "balanced",
                   "--freeze-stages", 1)
        again = self.folder / "again"
        self.run_program("--recipe", self.out / "recipe.json", "--out", again, "--threads", 2)
        self.assertEqual(self.result(), self.result(again))
        self.assertEqual((self.out / "recipe.json").read_text(),
                         (again / "recipe.json").read_text())

    def test_class_folders_end_in_weights_that_the_other_programs_take(self):
        data = self.two_colours(count=30)
        (data / "notes.txt").write_text("no picture")
        (data / "red thing" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        done = self.train("--json", "--epochs", 12, data=data)
        self.assertIn("passed over 1 file", done.stderr)
        self.assertIn("broken.png", done.stderr)
        self.assertGreater(json.loads(done.stdout)["top1"], 90)
        weights = self.out / "weights.safetensors"
        told = json.loads(self.run_program("--weights", weights, "--json", "--top", 1,
                                           data / "red thing" / "0.png", program="classify").stdout)
        self.assertEqual(told[0]["top"][0]["label"], "red thing")
        (data / "red thing" / "broken.png").unlink()
        told = json.loads(self.run_program("--weights", weights, "--data", data, "--json",
                                           program="evaluate").stdout)
        self.assertGreater(told["top1"], 90)

        # From there to data with another class.
        (data / "green thing").mkdir()
        for i in range(20):
            (data / "green thing" / f"{i}.png").write_bytes(png(40, 40, lambda x, y: (x, 200, y)))
        tuned = self.folder / "tuned"
        done = self.run_program("--model", self.table, "--init", weights, "--data", data, "--out",
                                tuned, "--epochs", 4, "--threads", 2)
        self.assertIn("preset finetune", done.stderr)
        _, metadata = read_safetensors(tuned / "weights.safetensors")
        self.assertEqual(json.loads(metadata["effnet.classes"]),
                         ["blue thing", "green thing", "red thing"])

    def test_a_list_with_a_heading_and_other_columns(self):
        data = self.two_colours()
        lines = [f"{i},{name}/{i}.png,{'easy' if i % 2 else 'hard'},{name}"
                 for name in ("red thing", "blue thing") for i in range(20)]
        table = self.folder / "list.csv"
        table.write_text("\n".join(["number,path,kind,label"] + lines))
        # Paths count from the folder of the list.
        table = table.rename(data / "list.csv")
        done = self.train("--epochs", 1, data=table)
        self.assertIn("2 columns", done.stderr)
        self.assertEqual(self.classes_of(), ["blue thing", "red thing"])
        table.write_text("path,kind,sort\n0.png,hard,red thing\n")
        self.refuses(*self.options(data=table, out=self.folder / "other"), says="label")

    def test_classes_by_name_and_by_wordnet_id(self):
        names = self.folder / "names.txt"
        names.write_text("red thing\ngreen thing\nblue thing\n")
        data = self.two_colours()
        self.train("--epochs", 1, "--classes", names, data=data)
        self.assertEqual(self.classes_of(), ["red thing", "green thing", "blue thing"])
        names.write_text("red thing\nblue thing\nred thing\n")
        self.refuses(*self.options("--classes", names, data=data, out=self.folder / "twice"),
                     says="twice")
        (data / "blue thing").rename(data / "n01440764")
        (data / "red thing").rename(data / "n01443537")
        names.write_text(json.dumps([{"wnid": "n01443537", "index": 1, "name": "goldfish"},
                                     {"wnid": "n01440764", "index": 0, "name": "tench"}]))
        self.train("--epochs", 1, "--classes", names, "--val", data, data=data,
                   out=self.folder / "ids")
        self.assertEqual(self.classes_of(self.folder / "ids"), ["tench", "goldfish"])

    def test_weights_of_classes_from_a_file(self):
        weights = self.folder / "weights.txt"
        weights.write_text("1\n0.5\n")
        data = self.two_colours()
        self.train("--epochs", 1, "--class-weights", weights, data=data)
        recipe = json.loads((self.out / "recipe.json").read_text())
        self.assertEqual([one["weight"] for one in recipe["class_weights"]], [1, 0.5])
        for text, says in (("1\nmuch\n", "has 1 number and then something that is none"),
                           ("1\n1\n1\n", "has 3 numbers")):
            weights.write_text(text)
            self.refuses(*self.options("--class-weights", weights, data=data,
                                       out=self.folder / "other"), says=says)

    def test_the_sigmoid_loss_is_validated_as_what_it_is(self):
        self.train("--loss", "sigmoid", "--lr", 1e-9, "--epochs", 1)
        loss = [row["val_loss"] for row in self.rows() if "val_loss" in row][-1]
        self.assertAlmostEqual(loss, 6.93, delta=0.7)  # ten questions, each of log 2 at the start

    def test_a_batch_that_is_cut_is_told(self):
        done = self.run_program("--model", self.table, "--data", "shapes:160x32", "--preset",
                                "fixed", "--size", 32, "--dry-run")
        self.assertRegex(done.stderr, r"batch of 2048 is cut to \d+")

    def test_a_dry_run_prints_schedule_and_memory_and_leaves_nothing(self):
        text = self.train("--dry-run").stdout
        for words in ("learning rate", "48 px x 10", "total"):
            self.assertIn(words, text)
        self.assertFalse(self.out.exists())

    def test_a_batch_is_fitted_to_the_memory(self):
        sizes = []
        for memory in (0.05, 4):
            text = self.run_program("--model", self.table, "--data", "shapes:2000x32", "--preset",
                                    "fixed", "--size", 160, "--batch", "auto", "--memory", memory,
                                    "--dry-run").stdout
            sizes.append(int(re.search(r"160 px x (\d+)", text).group(1)))
        self.assertLess(sizes[0], sizes[1])
        self.assertEqual(sizes[1], 112)  # a sixteenth of the data, in whole eights


class TrainGoesOn(TrainTest):
    def resume(self, *arguments, status=0):
        return self.run_program("--out", self.out, "--resume", "--threads", 2, "--evaluate-every",
                                10, *arguments, status=status)

    def killed(self, *options, after):
        """Starts a run and kills it once it has logged so many steps, before its end: on a busy
        machine that may take several runs."""
        for _ in range(20):
            run = subprocess.Popen([PROGRAMS / "train", *map(str, self.options(*options))],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            log = self.out / "log.jsonl"
            while run.poll() is None and not (log.exists() and
                                              f'"step":{after},' in log.read_text()):
                time.sleep(0.002)
            run.send_signal(signal.SIGKILL)
            if run.wait() == -signal.SIGKILL and not (self.out / "weights.safetensors").exists():
                return
            self.assertIn(run.returncode, (0, -signal.SIGKILL))
            shutil.rmtree(self.out)
        self.fail("every run had ended before it was killed")

    def test_a_killed_run_goes_on_bit_by_bit_in_every_mode(self):
        for mode in ("progressive", "resize_only", "random_resize", "random_resize_adaptive",
                     "fixed"):
            whole = self.folder / ("whole_" + mode)
            self.train("--mode", mode, "--quiet", out=whole)
            for threads in (1, 2, 4):
                self.out = self.folder / f"{mode}_{threads}"
                self.killed("--mode", mode, "--checkpoint-every", 4, "--loader-threads", threads,
                            after=13)
                self.assertFalse((self.out / "weights.safetensors").exists())
                self.resume("--quiet", "--loader-threads", threads)
                self.assertEqual(self.result(), self.result(whole), (mode, threads))
                self.assertEqual([row["step"] for row in self.rows() if "loss" in row],
                                 list(range(1, 40)))
                judged = [[(row["step"], row["top1"]) for row in self.rows(out)
                           if "val_loss" in row] for out in (self.out, whole)]
                self.assertEqual(*judged)

    def test_stopping_anywhere_changes_nothing(self):
        whole = self.folder / "whole"
        self.train(out=whole)
        for step in (1, 9, 30, 38):  # in an epoch, at the end of a stage, before the end
            self.out = self.folder / f"stopped_{step}"
            done = self.train("--stop-after", step)
            self.assertIn(f"after step {step} of 39", done.stderr)
            self.assertFalse((self.out / "weights.safetensors").exists())
            self.resume()
            self.assertEqual(self.result(), self.result(whole))

    def test_a_finished_run_stays_as_it_is(self):
        self.train()
        before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns)
                  for path in self.out.iterdir()}
        done = self.resume()
        self.assertIn("finished", done.stderr)
        self.assertIn("top-1", done.stdout)
        self.assertEqual(before, {path.name: (path.read_bytes(), path.stat().st_mtime_ns)
                                  for path in self.out.iterdir()})
        self.train("--resume")  # the options of the run may be repeated

    def test_resume_starts_where_there_is_nothing(self):
        self.train("--resume", "--stop-after", 3)
        self.assertTrue((self.out / "last.ckpt").exists())

    def test_other_settings_are_refused_by_name(self):
        self.train("--stop-after", 5)
        for option, value, name in (("--lr", 0.5, "base_rate"), ("--epochs", 4, "epochs"),
                                    ("--seed", 3, "seed"), ("--data", "shapes:160x32", "data"),
                                    ("--size", 64, "size"), ("--optimizer", "sgd", "optimizer")):
            self.refuses("--out", self.out, "--resume", option, value, says=f"{name}")
        self.assertFalse((self.out / "weights.safetensors").exists())

    def test_a_damaged_checkpoint_gives_way_to_the_one_before(self):
        whole = self.folder / "whole"
        self.train(out=whole)
        self.train("--stop-after", 9, "--checkpoint-every", 4)
        last = self.out / "last.ckpt"
        last.write_bytes(last.read_bytes()[:-100])
        self.assertIn("last.ckpt", self.resume().stderr)
        self.assertEqual(self.result(), self.result(whole))

    def test_signals_end_it_with_a_checkpoint(self):
        whole = self.folder / "whole"
        self.train("--epochs", 40, out=whole)
        for number in (signal.SIGTERM, signal.SIGINT):
            self.out = self.folder / number.name
            run = subprocess.Popen(
                [PROGRAMS / "train", *map(str, self.options("--epochs", 40))],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            while run.poll() is None and not (self.out / "last.ckpt").exists():
                time.sleep(0.002)
            run.send_signal(number)
            _, errors = run.communicate(timeout=60)
            self.assertEqual(run.returncode, 1, errors)
            self.assertIn("--resume --out", errors.splitlines()[-1])
            self.resume()
            self.assertEqual(self.result(), self.result(whole))


class TrainRefuses(TrainTest):
    def test_what_is_missing(self):
        self.refuses(status=2, says="--out")
        self.refuses("--out", self.out, status=2, says="--model")
        self.refuses("--out", self.out, "--model", self.table, status=2, says="--data")

    def test_a_folder_that_is_not_empty(self):
        self.out.mkdir()
        (self.out / "mine.txt").write_text("")
        self.train("--help")
        done = self.train(status=1)
        self.assertIn("--resume", done.stderr)
        self.assertEqual([path.name for path in self.out.iterdir()], ["mine.txt"])

    def test_presets_that_do_not_know_the_network(self):
        done = self.train("--preset", "paper", status=1)
        self.assertIn("fixed", done.stderr)

    def test_data_weights_and_recipes_that_are_not_there(self):
        self.refuses(*self.options(data=self.folder / "absent"), says="absent")
        self.refuses(*self.options(data="shapes:none"), says="shapes:none")
        self.refuses(*self.options("--init", self.folder / "absent.pth"), says="absent.pth")
        self.refuses("--recipe", self.folder / "absent.json", "--out", self.out, says="absent.json")
        wrong = self.folder / "wrong.json"
        for text, says in (("{", "not JSON"), ('{"epoch": 3}', "epoch"),
                           ('{"model": 3}', "model"), ('{"stages": [{"sise": 3}]}', "sise")):
            wrong.write_text(text)
            self.refuses("--recipe", wrong, "--out", self.out, says=says)

    def test_a_validation_set_of_other_classes(self):
        data = self.folder / "data"
        (data / "cat").mkdir(parents=True)
        (data / "cat" / "1.png").write_bytes(png(40, 40, lambda x, y: (x, y, 0)))
        self.refuses(*self.options("--val", data), says="cat")

    def test_an_out_below_a_file(self):
        self.refuses(*self.options(out=self.table / "run"), says="cannot make the folder")

    def test_numbers_out_of_range(self):
        for option, value in (("--epochs", 0), ("--dropout", 1), ("--size", 8), ("--batch", "many"),
                              ("--lr", "fast"), ("--mode", "slow"), ("--stop-after", 0)):
            self.refuses(*self.options(option, value), status=2, says=option)
        self.refuses(*self.options("--batch", 1000), says="batch")
        self.refuses(*self.options("--min-size", 64), says="64", status=2)
        self.refuses(*self.options("--batch", "auto-foo"), says="auto-foo", status=2)

    def test_growing_images_in_a_single_stage(self):
        one = ("--preset", "fixed", "--size", 48)
        self.refuses(*self.options(*one, "--mode", "progressive"), says="--stages", status=2)
        self.refuses(*self.options(*one, "--min-size", 32), says="--stages", status=2)

    def test_another_recipe_for_a_run_to_go_on_with(self):
        self.train("--stop-after", 2, status=0)
        recipe = self.out / "recipe.json"
        self.refuses("--resume", "--out", self.out, "--recipe", recipe, says="own recipe", status=2)

    def test_a_run_that_diverges_says_where(self):
        done = self.train("--optimizer", "sgd", "--lr", 1000, "--warmup", 0, status=1)
        self.assertRegex(done.stderr.splitlines()[-1], r"step \d+")


if __name__ == "__main__":
    unittest.main()
