"""Tests of benchmarks/compare_peers.py and its parts, without the peers."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import xml.etree.ElementTree as xml

BENCHMARKS = pathlib.Path(__file__).resolve().parent.parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
sys.dont_write_bytecode = True

import quiet_machine  # noqa: E402
from bar_chart import bar_chart  # noqa: E402
from comparison import Comparison  # noqa: E402
from works import WORKS  # noqa: E402

MACHINE = {"cores": 2, "rounds": 2, "cpu": "Processor <9>", "isa": "AVX2", "torch": "2.15.0"}


def run_script(*arguments):
    return subprocess.run([sys.executable, BENCHMARKS / "compare_peers.py", *arguments],
                          capture_output=True, text=True)


def complete_comparison():
    """effnet takes 3 ms; the peers 6, 9, ... ms, on 2 threads; twice that on one."""
    found = Comparison(dict(MACHINE))
    for work in WORKS.values():
        for threads in (2, 1) if work.on_one_thread else (2,):
            for number, system in enumerate(work.systems):
                least = 3.0 * (number + 1) * (3 - threads)
                for peak in (200.0, 100.0):
                    found.add(work, threads, system, {"times": [least + 1, least, least + 5],
                                                      "peak_mb": peak * (number + 1)})
    return found


class Figures(unittest.TestCase):
    def test_a_row_has_minimum_median_and_least_peak_of_all_rounds(self):
        row = complete_comparison().rows()[0]
        self.assertEqual(row, {"work": "v2s_384_n1", "system": "effnet", "threads": 2,
                               "min_ms": 3.0, "median_ms": 4.0, "peak_mb": 100.0})

    def test_ratios_are_to_the_best_peer(self):
        found = complete_comparison().as_json()
        self.assertEqual(set(found["ratios"]), {*WORKS, "memory_train_v2s_300_n8"})
        self.assertEqual(set(found["ratios_1thread"]),
                         {name for name, work in WORKS.items() if not work.trains}
                         | {"train_b0_224_n16"})
        self.assertEqual(set(found["ratios"].values()), {0.5})

    def test_the_better_of_eager_and_compiled_counts(self):
        found = Comparison(dict(MACHINE))
        for system, least in (("effnet", 8.0), ("pytorch", 20.0), ("pytorch_compiled", 10.0)):
            found.add(WORKS["train_b0_224_n16"], 2, system, {"times": [least], "peak_mb": 1.0})
        self.assertEqual(found.ratios(2), {"train_b0_224_n16": 0.8})
        found.forget(WORKS["train_b0_224_n16"], 2, "pytorch_compiled")
        self.assertEqual(found.ratios(2), {"train_b0_224_n16": 0.4})

    def test_an_unfinished_work_has_no_figures(self):
        found = complete_comparison()
        found.forget(WORKS["b0_224_n1"], 2)
        self.assertNotIn("b0_224_n1", found.ratios(2))
        self.assertIn("b0_224_n1", found.ratios(1))


class Picture(unittest.TestCase):
    def test_it_names_machine_versions_threads_and_works(self):
        found = complete_comparison()
        found.remarks.append("taken on a busy machine")
        words = " ".join(element.text for element in xml.fromstring(bar_chart(found)).iter()
                         if element.tag.endswith("}text"))
        for part in ("Processor <9>", "AVX2", "2 cores", "PyTorch 2.15.0", "2 threads", "1 thread",
                     "taken on a busy machine", *(work.label for work in WORKS.values())):
            self.assertIn(part, words)

    def test_everything_lies_on_the_page(self):
        page = xml.fromstring(bar_chart(complete_comparison()))
        width, height = float(page.get("width")), float(page.get("height"))
        for element in page.iter():
            if element.get("x") is not None:
                end = float(element.get("x")) + float(element.get("width", 0))
                self.assertTrue(0 <= end <= width and 0 <= float(element.get("y")) <= height)

    def test_training_stands_beside_inference_where_there_is_one_number_of_threads(self):
        found = complete_comparison()
        for work in WORKS.values():
            found.forget(work, 1)
        left = {element.text: float(element.get("x"))
                for element in xml.fromstring(bar_chart(found)).iter()
                if element.tag.endswith("}text")}
        self.assertLess(left["Inference, 2 threads"], left["Training step, 2 threads"])

    def test_effnet_alone_is_drawn_too(self):
        found = Comparison(dict(MACHINE))
        found.add(WORKS["b0_224_n1"], 1, "effnet", {"times": [5.0], "peak_mb": 60.0})
        self.assertIn("5.00 ms", bar_chart(found))


class QuietMachine(unittest.TestCase):
    def test_a_busy_process_is_named(self):
        spinning = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            use = quiet_machine.use_by_others(window=1.0)
        finally:
            spinning.kill()
            spinning.wait()
        self.assertIn(spinning.pid, [pid for cores, pid, _ in use.busiest if cores > 0.02])
        self.assertTrue(use.busy)
        self.assertIn("of a core", str(use))

    def test_patience_ends(self):
        busy = quiet_machine.Use(1.5, ((1.5, 77, "compiler"),))
        with (unittest.mock.patch.object(quiet_machine, "use_by_others", return_value=busy),
              unittest.mock.patch.object(quiet_machine, "PATIENCE", 0)):
            with self.assertRaisesRegex(quiet_machine.MachineBusy, r"compiler \(process 77, 150 %"):
                quiet_machine.wait_until_quiet(print)

    def test_it_waits_for_the_others_to_end(self):
        uses = [quiet_machine.Use(1.5, ((1.5, 77, "compiler"),)), quiet_machine.Use(0.05, ())]
        said = []
        with unittest.mock.patch.object(quiet_machine, "use_by_others", side_effect=uses):
            quiet_machine.wait_until_quiet(said.append)
        self.assertEqual(len(said), 1)


class Script(unittest.TestCase):
    def check_refused(self, arguments, *parts):
        run = run_script(*arguments)
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
        for part in parts:
            self.assertIn(part, run.stderr)

    def test_what_makes_no_sense_is_refused_in_one_sentence(self):
        self.check_refused(["--work", "b9_1_n1"], "b9_1_n1", *WORKS)
        self.check_refused(["--threads", "0"], "--threads 0")
        self.check_refused(["--rounds", "0"], "at least 1")
        self.check_refused(["--quick", "--rounds", "4"], "--quick")
        self.check_refused(["--json", "/no/such/folder/x.json"], "/no/such/folder")
        self.check_refused(["--peers", BENCHMARKS / "peers"], "checkout")

    def test_a_build_without_benchmarks(self):
        with tempfile.TemporaryDirectory() as empty:
            run = run_script("--threads", "1", "--build-dir", empty)
        self.assertEqual(run.returncode, 1)
        self.assertIn("bench_network", run.stderr)

    @unittest.skipUnless("EFFNET_BUILD" in os.environ, "the benchmarks are not built")
    def test_effnet_has_a_benchmark_for_every_work(self):
        listed = ""
        for program in ("bench_network", "bench_training"):
            listed += subprocess.run(
                [pathlib.Path(os.environ["EFFNET_BUILD"]) / "benchmarks" / program,
                 "--benchmark_list_tests"], check=True, capture_output=True, text=True).stdout
        names = {line.partition("/")[0] for line in listed.splitlines()}
        self.assertLessEqual(set(WORKS), names)


if __name__ == "__main__":
    unittest.main()
