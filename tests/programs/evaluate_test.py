"""Tests of the program `evaluate`."""

import csv
import json
import re
import subprocess
import tarfile
import unittest

from sample_network import CLASSES, PICTURES, PROGRAMS, ProgramTest, png, shared


class Evaluate(ProgramTest):
    program = "evaluate"

    def setUp(self):
        """Data of which it is known what is right: all but one picture lie in the folder of the
        class that `classify` sees in them."""
        super().setUp()
        self.network = ["--model", self.table, "--weights", self.weights, "--labels", self.labels]
        told = json.loads(self.run_program(*self.network, "--json", *self.pictures,
                                           program="classify").stdout)
        self.seen = [[guess["index"] for guess in entry["top"]] for entry in told]
        self.data = self.folder / "data"
        for i, path in enumerate(self.pictures):
            truth = self.seen[i][0] if i else self.seen[i][1]  # the first one is wrong
            self.place(self.data / CLASSES[truth] / path.name, path)

    @staticmethod
    def place(target, source):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())

    def evaluate(self, *arguments, data=None, status=0):
        done = self.run_program(*self.network, "--data", data or self.data, "--json", *arguments,
                                status=status)
        return json.loads(done.stdout), done.stderr

    def check(self, told, images=4, top1=75.0):
        self.assertEqual(set(told), {"images", "top1", "top5", "images_per_second"})
        self.assertEqual((told["images"], told["top1"], told["top5"]), (images, top1, 100.0))
        self.assertGreater(told["images_per_second"], 0)

    def test_help_version_and_unknown_options(self):
        self.check_help_and_version("--data", self.data)

    def test_class_folders(self):
        told, progress = self.evaluate()
        self.check(told)
        self.assertIn("4/4 images", progress)
        self.assertNotIn("\r", progress)  # no terminal, no bar

    def test_the_batch_and_threads_do_not_change_the_result(self):
        for batch in (1, 3, 64):
            self.check(self.evaluate("--batch", batch, "--threads", 1)[0])
        self.check(self.evaluate("--backend", "reference")[0])

    def test_a_tar_of_class_folders(self):
        for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            path = self.folder / "data.tar"
            with tarfile.open(path, "w", format=form) as tar:
                tar.add(self.data, arcname=".")
            self.check(self.evaluate(data=path)[0])

    def test_pictures_named_by_class(self):
        ids = [f"n0{i}" for i in range(5)]
        self.labels.write_text(json.dumps(
            [{"wnid": ids[i], "index": i, "name": CLASSES[i]} for i in range(5)]))
        flat = self.folder / "flat"
        for i, path in enumerate(self.pictures):
            self.place(flat / f"{ids[self.seen[i][0]]}_{i}.png", path)
        self.check(self.evaluate(data=flat)[0], top1=100.0)

    def test_a_tar_of_pictures_named_by_class(self):
        flat = self.folder / "flat"
        for i, path in enumerate(self.pictures):
            self.place(flat / f"{CLASSES[self.seen[i][0]]}_{i}.png", path)
        for inside in (".", "flat", "some/where"):
            path = self.folder / "flat.tar"
            with tarfile.open(path, "w") as tar:
                tar.add(flat, arcname=inside)
            self.check(self.evaluate(data=path)[0], top1=100.0)

    def test_links_that_lead_upwards_or_nowhere_are_passed_by(self):
        folder = next(path for path in self.data.iterdir())
        (folder / "up").symlink_to(self.data)
        (folder / "nowhere.png").symlink_to(self.folder / "absent.png")
        self.check(self.evaluate()[0])

    def test_a_report_that_cannot_be_written_is_refused_at_once(self):
        done = self.refuses(*self.network, "--data", self.data, "--report",
                            self.folder / "absent" / "report.html", says="report.html")
        self.assertNotIn("images", done.stderr)

    def test_folders_named_by_index(self):
        numbered = self.folder / "numbered"
        for i, path in enumerate(self.pictures):
            self.place(numbered / str(self.seen[i][0]) / path.name, path)
        self.check(self.evaluate(data=numbered)[0], top1=100.0)

    def test_a_limit_spreads_over_the_data(self):
        told, _ = self.evaluate("--limit", 2)
        self.assertEqual(told["images"], 2)

    def test_the_csv_has_a_line_for_each_picture(self):
        path = self.folder / "verdicts.csv"
        self.evaluate("--csv", path)
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 4)
        self.assertEqual(sum(row["rank"] == "1" for row in rows), 3)
        for row in rows:
            self.assertEqual(row["truth_label"], CLASSES[int(row["truth"])])
            self.assertEqual(row["rank"] == "1", row["truth"] == row["predicted"])

    def test_the_report_needs_no_other_file(self):
        path = self.folder / "report.html"
        self.evaluate("--report", path)
        page = path.read_text()
        for words in ("75.0 %", "Confusion matrix", "Worst mistakes", "red.png", "<svg"):
            self.assertIn(words, page)
        self.assertEqual(page.count("data:image/jpeg;base64,"), 1)
        self.assertIsNone(re.search(r"https?://|<script", page))

    def test_broken_pictures_are_told_and_not_counted(self):
        folder = self.data / CLASSES[0]
        folder.mkdir(exist_ok=True)
        (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        told, errors = self.evaluate(status=1)
        self.check(told)
        self.assertIn("broken.png", errors)
        self.assertIn("1 of 5 pictures could not be read", errors)

    def test_nothing_that_can_be_read_is_an_error(self):
        for path in self.data.rglob("*.png"):
            path.write_bytes(b"no picture")
        done = self.run_program(*self.network, "--data", self.data, "--json", status=1)
        self.assertEqual(done.stdout, "")
        self.assertIn("none of the 4 pictures", done.stderr)

    def test_classes_that_the_labels_lack_are_refused(self):
        self.place(self.data / "zebra" / "a.png", self.pictures[0])
        self.refuses(*self.network, "--data", self.data, says=("'zebra'", "labels.txt"))

    def test_names_that_several_classes_have_are_refused(self):
        self.labels.write_text("\n".join(["crane", *CLASSES[1:]]))
        self.place(self.data / "crane" / "a.png", self.pictures[0])
        self.refuses(*self.network, "--data", self.data, says="'crane'")

    def test_data_that_are_not_there_or_no_pictures_are_refused(self):
        self.refuses(*self.network, "--data", self.folder / "absent", says="absent")
        (self.folder / "empty").mkdir()
        self.refuses(*self.network, "--data", self.folder / "empty", says="no pictures")
        self.refuses(*self.network, "--data", self.table, says="sample.json")
        self.refuses(*self.network, status=2, says="--data")

    def test_a_truncated_tar_is_refused(self):
        path = self.folder / "data.tar"
        with tarfile.open(path, "w") as tar:
            tar.add(self.data, arcname=".")
        path.write_bytes(path.read_bytes()[:3000])
        self.refuses(*self.network, "--data", path, says="data.tar")

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(
                [PROGRAMS / "evaluate", *map(str, self.network), "--data", str(self.data), "--json"],
                stdout=full, stderr=subprocess.PIPE, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output", done.stderr)


class EvaluatePhotos(ProgramTest):
    program = "evaluate"

    def test_the_figures_of_the_reference_implementation(self):
        weights = shared("weights/efficientnet_lite0.safetensors")
        photos = shared("data/imagenet_dev")
        if weights is None or photos is None:
            self.skipTest("the shared weights and photos are not there; set EFFNET_SHARED")
        wanted = json.loads(shared("oracles/expected.json").read_text())
        figures = wanted["imagenet_dev, efficientnet_lite0, 500 photos"]
        network = ["--model", "efficientnet_lite0", "--weights", weights, "--labels",
                   shared("data/imagenet_classes.json"), "--data", photos, "--json"]
        told = json.loads(self.run_program(*network).stdout)
        bicubic = figures["Pillow bicubic shorter side 256, centre crop 224, (x-127)/128"]
        self.assertEqual(told["images"], 500)
        self.assertAlmostEqual(told["top1"], bicubic["top1"], delta=0.21)
        self.assertAlmostEqual(told["top5"], bicubic["top5"], delta=0.21)
        told = json.loads(self.run_program(*network, "--interpolation", "bilinear").stdout)
        bilinear = figures["Pillow bilinear, the same"]
        self.assertAlmostEqual(told["top1"], bilinear["top1"], delta=0.21)
        self.assertAlmostEqual(told["top5"], bilinear["top5"], delta=0.21)


if __name__ == "__main__":
    unittest.main()
