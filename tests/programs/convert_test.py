"""Tests of the program `convert`."""

import unittest

from sample_network import CLASSES, ProgramTest, read_safetensors, shared


class Convert(ProgramTest):
    program = "convert"

    def setUp(self):
        super().setUp()
        self.out = self.folder / "out.safetensors"

    def convert(self, source, out, *options):
        return self.run_program(source, out, "--model", self.table, *options)

    def test_help_version_and_unknown_options(self):
        self.check_help_and_version(self.weights, self.out)

    def test_every_naming_and_back_is_the_same(self):
        self.convert(self.weights, self.out)
        first = self.out.read_bytes()
        self.assertEqual(read_safetensors(self.out)[0], read_safetensors(self.weights)[0])
        source = self.out
        for naming, name in (("torchvision", "features.0.0.weight"),
                             ("lukemelas", "_conv_stem.weight"), ("timm", "conv_stem.weight")):
            out = self.folder / naming
            self.convert(source, out, "--naming", naming)
            self.assertIn(name, read_safetensors(out)[0])
            source = out
        self.assertEqual(source.read_bytes(), first)

    def test_conventions_and_labels_are_written(self):
        labels = self.folder / "names.txt"
        labels.write_text("\n".join(CLASSES) + "\n")
        self.convert(self.weights, self.out, "--convention", "keras", "--labels", labels)
        told = read_safetensors(self.out)[1]
        self.assertEqual(told["effnet.padding"], "tf_same")
        self.assertEqual(told["effnet.crop"], "tf_center")
        self.assertIn("grey, plain", told["effnet.classes"])

    def test_what_does_not_fit_is_refused_and_writes_nothing(self):
        self.refuses(self.weights, self.out, says="--model")  # no network known by name
        self.refuses(self.weights, self.out, "--model", "resnet50", says="resnet50")
        self.refuses(self.folder / "absent", self.out, says="absent")
        self.refuses(self.weights, self.folder / "no" / "out", "--model", self.table, says="no/out")
        short = self.folder / "short.txt"
        short.write_text("one\n")
        self.refuses(self.weights, self.out, "--model", self.table, "--labels", short, says="short")
        self.assertFalse(self.out.exists())

    def test_wrong_usage(self):
        self.refuses(status=2, says="IN")
        self.refuses(self.weights, status=2, says="OUT")
        self.refuses(self.weights, self.folder / "out.pth", status=2, says="safetensors")
        self.refuses(self.weights, self.out, "--naming", "keras", status=2, says="--naming")


class ConvertRealWeights(ProgramTest):
    program = "convert"

    def test_lite0_is_recognised_and_stays_the_same(self):
        weights = shared("weights/efficientnet_lite0.safetensors")
        if not weights:
            self.skipTest("the real weights are not there; set EFFNET_SHARED")
        timm, back = self.folder / "timm", self.folder / "back"
        self.run_program(weights, timm, "--naming", "timm")
        self.run_program(timm, back, "--naming", "lukemelas")
        before, after = read_safetensors(weights), read_safetensors(back)
        self.assertEqual(before[0], after[0])
        self.assertEqual(after[1]["effnet.mean"], "127,127,127")
        self.assertEqual(after[1]["license"], before[1]["license"])


if __name__ == "__main__":
    unittest.main()
