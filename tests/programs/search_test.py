"""Tests of the program `search`."""

import json
import os
import random
import signal
import subprocess
import time
import unittest
from pathlib import Path

from sample_network import PROGRAMS, ProgramTest


class Search(ProgramTest):
    program = "search"

    def test_help_version_and_wrong_usage(self):
        self.check_help_and_version("tabular")
        self.refuses(status=2, says="subcommand is required")
        self.refuses("tabular", "--space", "nasnet", status=2, says="--space")
        self.refuses("tabular", "--trials", 0, status=2, says="--trials")
        self.refuses("tabular", "--model", "b99", says="unknown model 'b99'")

    def test_algorithms_are_compared_on_equal_seeds(self):
        told = json.loads(self.run_program("tabular", "--seeds", 2, "--trials", 300,
                                           "--model", self.table, "--quiet", "--json").stdout)
        self.assertEqual([one["algorithm"] for one in told["algorithms"]],
                         ["random", "evolution", "rl"])
        for one in told["algorithms"]:
            self.assertEqual(len(one["best"]), 2)
            self.assertTrue(all(0 < best <= 1 for best in one["best"]))
            self.assertAlmostEqual(one["mean_best"], sum(one["best"]) / 2)
        chance, evolution, _ = told["algorithms"]
        more = evolution["more_than_random"]
        self.assertAlmostEqual(more["mean"], evolution["mean_best"] - chance["mean_best"])
        self.assertNotIn("more_than_random", chance)

    def test_a_run_is_repeated_and_tells_how_far_it_is(self):
        options = ("tabular", "--algorithm", "evolution", "--seeds", 3, "--trials", 200)
        first, again = (self.run_program(*options) for _ in range(2))
        self.assertEqual(first.stdout.split("  ")[:8], again.stdout.split("  ")[:8])
        self.assertIn("3/3 runs", first.stderr)
        self.assertEqual(self.run_program(*options, "--quiet").stderr, "")

    def test_step_times_are_summed_up_by_shape(self):
        options = ("steps", "--model", self.table, "--networks", 3, "--size", 32, "--batch", 2)
        told = json.loads(self.run_program(*options, "--quiet", "--json").stdout)
        self.assertEqual(len(told["predicted"]), 3)
        self.assertEqual(told["calibrated_on"], 10)
        self.assertEqual(len(told["table"]), told["shapes"])
        self.assertTrue(all(time > 0 for time in told["predicted"] + told["measured"]))
        self.assertTrue(-1 <= told["spearman"] <= 1)
        done = self.run_program(*options, "--threads", 1)
        self.assertIn("rank correlation", done.stdout)
        self.assertIn("timings", done.stderr)
        self.refuses("steps", "--size", 16, status=2, says="--size")

    def test_a_family_is_scaled_beside_the_published_one(self):
        text = self.run_program("scale").stdout
        self.assertIn("= 1.920", text)
        self.assertIn("efficientnet_b7", text)
        self.assertNotIn("efficientnet_b7", self.run_program("scale", "--phi", 6).stdout)
        told = json.loads(self.run_program("scale", "--alpha", 1, "--beta", 1, "--gamma", 1.414,
                                           "--model", self.table, "--phi", 2, "--json").stdout)
        sizes = [one["size"] for one in told["networks"]]
        self.assertEqual(sizes, [sizes[0], round(1.414 * sizes[0]), round(1.414**2 * sizes[0])])
        self.assertEqual(len({one["parameters"] for one in told["networks"]}), 1)
        capped = json.loads(self.run_program("scale", "--model", "efficientnetv2_s", "--phi", 2,
                                             "--most-size", 480, "--late-depth", 1.1,
                                             "--json").stdout)["networks"]
        self.assertEqual([one["size"] for one in capped], [384, 442, 480])
        uniform = json.loads(self.run_program("scale", "--model", "efficientnetv2_s", "--phi", 2,
                                              "--json").stdout)["networks"]
        self.assertGreater(capped[2]["parameters"], uniform[2]["parameters"])
        code = self.run_program("scale", "--phi", 1, "--cpp").stdout
        self.assertEqual(code.count("static_assert(effnet::count_parameters("), 2)

    def test_constants_that_are_none_are_refused(self):
        self.refuses("scale", "--alpha", 0.9, says="at least 1")
        self.refuses("scale", "--gamma", 1.5, says="has to be about 2")
        self.refuses("scale", "--json", "--cpp", status=2, says="exclude each other")
        self.refuses("scale", "--phi", 99, status=2, says="--phi")
    def test_the_largest_network_within_budgets(self):
        told = json.loads(self.run_program("scale", "--model", "efficientnetv2_s", "--most-size", 480,
                                           "--late-depth", 1.1, "--most-parameters", 54e6, 120e6,
                                           "--json").stdout)["networks"]
        self.assertEqual(told[0]["phi"], 0)
        for one, most in zip(told[1:], (54e6, 120e6)):
            self.assertTrue(0.95 * most < one["parameters"] <= most)
            self.assertEqual(one["size"], 480)
        self.refuses("scale", "--most-parameters", 1000, says="not within a budget of 1000")
        self.refuses("scale", "--most-step", 5, status=2, says="goes with --most-parameters")


class Searches(ProgramTest):
    """Searches that train: a few tiny networks on drawn shapes."""

    program = "search"

    def options(self, journal, *more, trials=8):
        return ("run", "--data", "shapes:120x32", "--model", self.table, "--size", 32, "--epochs", 3,
                "--trials", trials, "--batch", 16, "--cache", 0.1, "--journal", journal, *more)

    def entries(self, journal):
        return [json.loads(line) for line in journal.read_text().splitlines()]

    def what_matters(self, journal):
        """Of the trials, by number: all but how long they took."""
        trials = [one for one in self.entries(journal) if one.get("entry") == "trial"]
        for one in trials:
            del one["seconds"]
        return sorted(trials, key=lambda one: one["trial"])

    def with_times_of(self, journal, other):
        """Begins a search with the step times of another one: they would not be measured equal."""
        lines = journal.read_text().splitlines(keepends=True)
        other.write_text("".join(lines[:2]))

    def started(self, *arguments):
        return subprocess.Popen([str(PROGRAMS / self.program), *map(str, arguments)],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def wait_for(self, journal, text, running):
        while not (journal.exists() and text in journal.read_text()):
            self.assertIsNone(running.poll())
            time.sleep(0.05)

    def test_a_search_is_kept_in_a_journal_and_goes_on(self):
        journal = self.folder / "a.jsonl"
        done = self.run_program(*self.options(journal, "--algorithm", "random", "--round", 2,
                                              trials=18))
        self.assertIn("18 trials", done.stdout)
        self.assertIn("18/18 trials", done.stderr)
        header, times, *trials = self.entries(journal)
        self.assertEqual((header["journal"], header["kind"]), (1, "search"))
        self.assertEqual(times["entry"], "step_times")
        self.assertEqual(sorted(one["trial"] for one in trials), list(range(18)))
        by_number = {one["trial"]: one for one in trials}
        for one in trials:
            self.assertEqual(one["accuracy"], max(one["curve"]))
            self.assertGreater(one["step_seconds"], 0)
            if "copy_of" in one:
                self.assertEqual(one["candidate"], by_number[one["copy_of"]]["candidate"])
                self.assertEqual(one["curve"], by_number[one["copy_of"]]["curve"])
        # Both happen: 18 of 24 networks, and medians over as many as five of them and more.
        self.assertTrue(any("copy_of" in one for one in trials))
        self.assertTrue(any(one["stopped"] for one in trials))
        self.refuses(*self.options(journal), says="is already there")
        # Four workers, and a journal that was cut in the middle of a line: the same networks.
        for workers, kept in ((4, 2), (1, 11)):
            other = self.folder / f"b{workers}.jsonl"
            self.with_times_of(journal, other)
            with other.open("a") as file:
                file.write("".join(json.dumps(one) + "\n" for one in trials[:kept]))
                file.write('{"entry":"trial","tri')
            told = self.run_program("run", "--resume", "--journal", other, "--workers", workers,
                                    "--json")
            self.assertIn(f"going on after {kept} trials", told.stderr)
            self.assertEqual(self.what_matters(other), self.what_matters(journal))
            best = json.loads(told.stdout)["best"]
            self.assertEqual(best["reward"], max(one["reward"] for one in trials))
        more = json.loads(self.run_program("run", "--resume", "--journal", journal, "--trials", 20,
                                           "--quiet", "--json").stdout)
        self.assertEqual(more["trials"], 20)
        self.assertEqual(self.what_matters(journal)[:18], self.what_matters(other))
        code = self.run_program("run", "--resume", "--journal", journal, "--cpp", "--quiet").stdout
        self.assertIn("static_assert(effnet::count_parameters(", code)

    def test_a_killed_search_finds_what_an_unbroken_one_does(self):
        whole = self.folder / "whole.jsonl"
        self.run_program(*self.options(whole, "--algorithm", "rl", "--round", 4, trials=12))
        broken = self.folder / "broken.jsonl"
        self.with_times_of(whole, broken)
        draws = random.Random(1)
        for attempt in range(100):  # which have more time the more there were: machines differ
            running = self.started("run", "--resume", "--journal", broken, "--quiet")
            try:
                running.wait(draws.uniform(0.05, 0.6) * (1 + attempt / 5))
            except subprocess.TimeoutExpired:
                running.send_signal(signal.SIGKILL)
            said = running.communicate()[1].decode()
            self.assertIn(running.returncode, (0, -signal.SIGKILL), said)
            if running.returncode == 0:
                break
        self.assertEqual(running.returncode, 0)
        self.assertEqual(self.what_matters(broken), self.what_matters(whole))

    def test_a_worker_that_ends_is_told_and_costs_one_network(self):
        journal = self.folder / "k.jsonl"
        running = self.started(*self.options(journal, trials=1000))
        self.wait_for(journal, '"trial"', running)
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        os.kill(int(children.read_text().split()[0]), signal.SIGKILL)
        said = running.communicate()[1].decode()
        self.assertEqual(running.returncode, 1)
        self.assertIn("killed by signal 9", said)
        before = len(self.what_matters(journal))
        self.run_program("run", "--resume", "--journal", journal, "--trials", before + 3)
        self.assertEqual(len(self.what_matters(journal)), before + 3)

    def test_an_interrupted_search_says_how_to_go_on(self):
        journal = self.folder / "i.jsonl"
        running = self.started(*self.options(journal, trials=1000))
        self.wait_for(journal, '"trial"', running)
        running.send_signal(signal.SIGINT)
        said = running.communicate()[1].decode()
        self.assertEqual(running.returncode, 1)
        self.assertIn("to go on: search run --resume --journal", said)

    def test_reports_and_comparisons(self):
        journal, page = self.folder / "r.jsonl", self.folder / "r.html"
        self.run_program(*self.options(journal, "--reward", "flops", "--algorithm", "random"))
        self.run_program("report", journal, "--out", page)
        text = page.read_text()
        for part in ("best so far", "Pareto front", "Options by stage", "static_assert", "flops"):
            self.assertIn(part, text)
        told = self.run_program("compare", "--journal", journal, "--epochs", 2, "--seeds", 2)
        for name in ("found", "skeleton", "all MBConv", "all Fused-MBConv"):
            self.assertIn(name, told.stdout)
        again = self.run_program("compare", "--journal", journal, "--epochs", 2, "--seeds", 2)
        self.assertEqual(again.stdout, told.stdout)
        self.run_program("report", journal, journal, "--out", page)
        self.assertIn("Trained for longer", page.read_text())
        self.assertIn("All searches", page.read_text())
        guessed = self.run_program("tabular", "--journal", journal, "--trials", 50, "--seeds", 2,
                                   "--reward", "step_and_parameters")
        self.assertIn("accuracies are guessed from", guessed.stdout)
        self.assertIn("what the winners of all seeds have", guessed.stdout)

    def test_other_spaces_and_rewards(self):
        for reward in ("accuracy", "latency_soft", "latency_hard"):
            journal = self.folder / f"{reward}.jsonl"
            told = json.loads(self.run_program(
                *self.options(journal, "--space", "mnasnet", "--reward", reward, "--algorithm", "rl",
                              "--no-early-stopping", "--most-parameters", 1e5, trials=3),
                "--json", "--quiet").stdout)
            kinds = [one.get("entry") for one in self.entries(journal)]
            self.assertEqual("latency_times" in kinds, reward != "accuracy")
            for one in self.what_matters(journal):
                self.assertEqual(len(one["curve"]), 3)
                self.assertEqual(one["latency_seconds"] > 0, reward != "accuracy")
                if reward == "accuracy":
                    self.assertEqual(one["reward"], one["accuracy"])
            self.assertEqual(told["trials"], 3)
        within = self.folder / "within.jsonl"
        self.run_program(*self.options(within, "--most-parameters", 3000), "--quiet")
        for one in self.what_matters(within):
            self.assertEqual(one["curve"] == [], one["parameters"] > 3000)
            self.assertTrue(one["curve"] or one["reward"] == 0)

    def test_constants_are_searched_for(self):
        journal, page = self.folder / "s.jsonl", self.folder / "s.html"
        options = ("scale", "--model", self.table, "--data", "shapes:80x32", "--size", 32,
                   "--epochs", 1, "--batch", 16, "--grid-step", 0.5, "--cache", 0.1,
                   "--journal", journal)
        done = self.run_program(*options)
        header, *trainings = self.entries(journal)
        self.assertEqual(header["kind"], "scale")
        # The base, 3 single dimensions and 2 more of the grid; at phi 2 the single ones, and what
        # was found, which may be one of them.
        self.assertIn(len(trainings), (9, 10))
        for one in trainings:
            self.assertAlmostEqual(one["alpha"] * one["beta"]**2 * one["gamma"]**2,
                                   1 if one["phi"] == 0 else 2)
        best = max((one for one in trainings if one["phi"] == 1), key=lambda one: one["accuracy"])
        self.assertIn(f"alpha {best['alpha']:.4g} (depth)", done.stdout)
        again = self.run_program("scale", "--resume", "--journal", journal)
        self.assertEqual(again.stdout, done.stdout)
        self.run_program("report", journal, "--out", page)
        self.assertIn("resolution alone", page.read_text())
        self.refuses("scale", "--journal", self.folder / "n.jsonl", status=2, says="needs --data")
        self.refuses("scale", "--data", "shapes", status=2, says="needs --journal")
        self.refuses("scale", "--resume", "--journal", journal, "--alpha", 1.2, status=2,
                     says="leave out --alpha")
        text = journal.read_text()
        for old, new, says in (('"alpha":2.0', '"alpha":1.9', "are none of a grid"),
                               ('"alpha":2.0', '"alpha":1e300', "expected a number from 1 to 2"),
                               ('"phi":1', '"phi":7', '"phi" is 7')):
            self.assertIn(old, text)
            journal.write_text(text.replace(old, new))
            self.refuses("report", journal, "--out", page, says=says)

    def test_what_cannot_be_is_one_sentence(self):
        journal = self.folder / "x.jsonl"
        missing = self.folder / "missing"
        self.refuses("run", "--journal", journal, status=2, says="--data is required")
        self.refuses("run", "--data", missing, "--journal", journal, says="missing")
        self.assertFalse(journal.exists())
        self.refuses("run", "--resume", "--journal", journal, says="cannot open")
        self.refuses("report", journal, says="cannot open")
        self.refuses(*self.options(journal, "--most-parameters", 10),
                     says="no network of the space has at most 10 parameters; the smallest that was")
        self.assertFalse(journal.exists())
        self.refuses(*self.options(journal, "--most-step", 1e-6), says="ms a training step; the")
        self.assertFalse(journal.exists())
        self.run_program(*self.options(journal, trials=1), "--quiet")
        self.refuses("run", "--resume", "--journal", journal, "--seed", 3, status=2,
                     says="leave out --seed")
        self.refuses("tabular", "--journal", journal, "--space", "v2", status=2,
                     says="leave out --space")
        self.refuses("tabular", "--journal", journal, says="two trained candidates")
        self.refuses("tabular", "--journal", journal, "--reward", "latency_soft",
                     says="the journal has none")
        good = journal.read_text().splitlines()
        for text, says in (("", "it has no whole line"),
                           ("hello\n", "its first line has no"),
                           (good[0] + "\n" + good[1] + "\nnoise\n", "line 3 is no JSON object"),
                           (good[0] + "\n{}\n", 'line 2 lacks "entry"'),
                           (good[0] + '\n{"entry":"trial","candidate":[1]}\n', "line 2 lacks"),
                           (good[0] + "\n" + good[2].replace('"trial":0', '"trial":1e300') + "\n",
                            "expected a whole number from 0"),
                           (good[0] + "\n" + good[2].replace('"candidate":[', '"candidate":[77,')
                            + "\n", 'line 2: "candidate" is something else'),
                           (good[0] + '\n{"entry":"other"}\n', '"entry" is "other", expected'),
                           (good[0].replace('"epochs":3', '"epochs":-2') + "\n", '"epochs" is -2'),
                           (good[0].replace('"eval_size":32', '"eval_size":9000') + "\n",
                            "expected at most 1000000000 and 4096"),
                           (good[0].replace('"v2"', '"nasnet"') + "\n", '"space" is "nasnet"')):
            journal.write_text(text)
            self.refuses("run", "--resume", "--journal", journal, says=says)
            self.refuses("report", journal, "--out", self.folder / "x.html", says=says)
        self.refuses("report", journal, "--out", missing / "x.html", says="cannot write")
        self.refuses("compare", "--journal", journal, says="nasnet")

    def test_a_journal_has_one_writer(self):
        journal = self.folder / "w.jsonl"
        running = self.started(*self.options(journal, trials=1000))
        try:
            self.wait_for(journal, '"step_times"', running)
            self.refuses("run", "--resume", "--journal", journal, says="in use by another search")
        finally:
            running.kill()
            running.communicate()

    def test_a_page_of_equal_rewards(self):
        """Numbers that differ by rounding alone have no round ones between them."""
        journal, page = self.folder / "e.jsonl", self.folder / "e.html"
        self.run_program(*self.options(journal, "--reward", "accuracy", trials=4), "--quiet")
        lines = self.entries(journal)
        for one in lines[2:]:
            one.update(reward=1 / 12, accuracy=1 / 12, curve=[1 / 12])
        journal.write_text("".join(json.dumps(one) + "\n" for one in lines))
        self.run_program("report", journal, "--out", page)
        self.assertIn("Reward over trials", page.read_text())


if __name__ == "__main__":
    unittest.main()
