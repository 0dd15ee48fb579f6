"""The programs with `--backend cuda`: on a GPU, or refusing in one sentence where that cannot be."""

import json
import re
import unittest

from sample_network import ProgramTest


class ProgramsOnGpu(ProgramTest):
    program = "classify"

    def setUp(self):
        super().setUp()
        found = re.search(r"^GPU +(.*)$", self.run_program("--version").stdout, re.M)
        self.missing = ("built without CUDA" if found is None else
                        "no CUDA device" if found[1].startswith("no CUDA device") else "")

    def on_gpu(self, program, *arguments):
        """What it prints there, or None after it has refused."""
        arguments = [*arguments, "--backend", "cuda"]
        if self.missing:
            done = self.refuses(*arguments, says=self.missing, program=program)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            return None
        return self.run_program(*arguments, program=program).stdout

    def network(self):
        return ["--model", self.table, "--weights", self.weights]

    def test_classify_agrees_with_the_processor(self):
        arguments = [*self.network(), "--json", "--top", 5, *self.pictures]
        text = self.on_gpu("classify", *arguments)
        if text is None:
            return
        for there, here in zip(json.loads(text), json.loads(self.run_program(*arguments).stdout)):
            shares = {guess["index"]: guess["probability"] for guess in here["top"]}
            for guess in there["top"]:
                self.assertAlmostEqual(guess["probability"], shares[guess["index"]], places=4)

    def test_evaluate(self):
        data = self.folder / "data"
        (data / "0").mkdir(parents=True)
        (data / "0" / "a.png").write_bytes(self.pictures[0].read_bytes())
        text = self.on_gpu("evaluate", *self.network(), "--data", data, "--json")
        if text is not None:
            self.assertEqual(json.loads(text)["images"], 1)

    def test_describe_profiles(self):
        text = self.on_gpu("describe", self.table, "--profile", "--passes", 2, "--json")
        if text is not None:
            self.assertEqual(json.loads(text)["backend"], "cuda")

    def test_train(self):
        out = self.folder / "run"
        text = self.on_gpu("train", "--model", self.table, "--data", "shapes:40x32", "--preset",
                           "scratch", "--size", 32, "--epochs", 1, "--batch", 8, "--out", out,
                           "--json")
        if text is None:
            self.assertFalse(out.exists())
        else:
            self.assertTrue((out / "weights.safetensors").exists())

    def test_roundings(self):
        arguments = [*self.network(), "--json", self.pictures[0]]
        for option in ("--tf32", "--bf16", "--fp16"):
            self.on_gpu("classify", *arguments, option)
        self.refuses(*arguments, "--backend", "cuda", "--tf32", "--bf16", status=2,
                     says="exclude each other")
        self.refuses(*arguments, "--tf32", status=2, says="--backend cuda")
        self.refuses(*arguments, "--backend", "reference", "--bf16", status=2, says="--bf16")


if __name__ == "__main__":
    unittest.main()
