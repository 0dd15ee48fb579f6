"""Tests of the program `describe`."""

import json
import pathlib
import unittest

from sample_network import TABLE, ProgramTest


class Describe(ProgramTest):
    program = "describe"

    def test_help_version_and_unknown_options(self):
        self.check_help_and_version("efficientnet_b0")

    def test_a_known_network_as_json(self):
        told = json.loads(self.run_program("efficientnetv2_s", "--json").stdout)
        self.assertEqual(told["parameters"], 21458488)
        self.assertEqual(told["bn_statistics"], 153872)
        self.assertEqual(told["size"], 384)
        self.assertEqual([stage["layers"] for stage in told["stages"]], [2, 4, 4, 6, 9, 15])
        parts = told["stages"] + [told["stem"], told["head"], told["classifier"]]
        self.assertEqual(sum(part["parameters"] for part in parts), told["parameters"])
        self.assertEqual(sum(part["macs"] for part in parts), told["macs"])
        self.assertEqual(sum(part["activation_bytes"] for part in parts), told["activation_bytes"])

    def test_the_size_changes_macs_and_not_parameters(self):
        small = json.loads(self.run_program("efficientnet_b0", "--size", 128, "--json").stdout)
        large = json.loads(self.run_program("efficientnet_b0", "--size", 256, "--json").stdout)
        self.assertEqual(small["parameters"], large["parameters"])
        self.assertAlmostEqual(large["macs"] / small["macs"], 4, delta=0.05)

    def test_the_table_is_aligned(self):
        text = self.run_program("resnet50").stdout
        self.assertIn("25,557,032", text)
        lines = text.split("\n")
        rule = next(i for i, line in enumerate(lines) if line.startswith("---"))
        widths = {len(line) for line in lines[rule - 1:rule + 7]}
        self.assertEqual(len(widths), 1, text)

    def test_spellings_of_a_name(self):
        plain = json.loads(self.run_program("efficientnetv2_s", "--json").stdout)
        for name in ("tf_efficientnetv2_s", "efficientnet_v2_s"):
            self.assertEqual(json.loads(self.run_program(name, "--json").stdout), plain)

    def test_a_table_from_a_file(self):
        told = json.loads(self.run_program(self.table, "--json").stdout)
        self.assertEqual(told["model"], "sample")
        self.assertEqual(told["classes"], TABLE["classes"])
        self.assertEqual(len(told["stages"]), 1)

    def test_bad_tables_are_refused(self):
        self.refuses(self.folder / "absent.json", says="absent.json")
        for text in ("", "{", "[]", '{"stages": []}', '{"stages": [{"op": "conv", "out": 8}]}',
                     json.dumps({**TABLE, "surprise": 1}), json.dumps({**TABLE, "stem": -1}),
                     json.dumps({**TABLE, "stem": 16})):
            self.table.write_text(text)
            self.refuses(self.table, says="sample")

    def test_unknown_names_are_refused_with_the_known_ones(self):
        self.refuses("efficientnet_b9", says=("'efficientnet_b9'", "efficientnet_b8", "resnet50"))

    def test_wrong_usage(self):
        self.refuses(status=2, says="MODEL")
        self.refuses("efficientnet_b0", "--size", 0, status=2, says="--size")
        self.refuses("efficientnet_b0", "--size", "large", status=2, says="--size")
        self.refuses("efficientnet_b0", "efficientnet_b1", status=2)


class DescribeProfile(ProgramTest):
    program = "describe"

    def profile(self, *arguments):
        return self.run_program(*arguments, "--profile", "--passes", 2, "--threads", 1)

    def test_every_op_of_the_network_in_its_order(self):
        told = json.loads(self.profile(self.table, "--batch", 3, "--json").stdout)
        self.assertEqual((told["model"], told["batch"], told["size"]), ("sample", 3, 64))
        self.assertEqual((told["backend"], told["threads"], told["passes"]), ("cpu", 1, 2))
        self.assertEqual([op["role"] for op in told["ops"]],
                         ["stem", "depthwise", "project", "head", "classifier", "classifier"])
        depthwise = told["ops"][1]
        self.assertEqual((depthwise["stage"], depthwise["block"]), (1, 1))
        self.assertEqual((depthwise["src"], depthwise["dst"]), ([3, 32, 32, 8], [3, 16, 16, 8]))
        self.assertEqual(depthwise["op"], "3x3 s2, silu")
        self.assertTrue(depthwise["kernel"])
        self.assertEqual(told["ops"][4]["op"], "mean")
        self.assertNotIn("gflops", told["ops"][4])
        self.assertAlmostEqual(sum(op["share"] for op in told["ops"]), 1)
        self.assertAlmostEqual(sum(op["ms"] for op in told["ops"]), told["ms"])
        one_image = json.loads(self.run_program(self.table, "--json").stdout)
        self.assertEqual(told["macs"], 3 * one_image["macs"])

    def test_the_reference_runs_activations_apart(self):
        told = json.loads(self.profile(self.table, "--backend", "reference", "--json").stdout)
        self.assertEqual(told["backend"], "reference")
        self.assertEqual([op["op"] for op in told["ops"][:4]], ["3x3 s2", "silu", "3x3 s2", "silu"])

    def test_the_table_fits_a_terminal_and_has_a_line_an_op(self):
        for network, ops in (("efficientnet_b0", 68), ("efficientnetv2_s", 144), ("resnet50", 56)):
            lines = self.profile(network, "--size", 64).stdout.split("\n")
            rule = next(i for i, line in enumerate(lines) if line.startswith("---"))
            total = next(i for i, line in enumerate(lines) if line.startswith("total"))
            self.assertEqual(total - rule - 1, ops)
            self.assertIn(f" {ops} ops ", lines[total])
            self.assertEqual(len({len(line) for line in lines[rule - 1:total + 1]}), 1)
            self.assertLessEqual(max(map(len, lines)), 120)

    def test_bf16_where_the_processor_has_it(self):
        self.refuses(self.table, "--profile", "--bf16", "--backend", "reference", status=2,
                     says=("--bf16", "reference"))
        if "avx512_bf16" in pathlib.Path("/proc/cpuinfo").read_text():
            told = json.loads(self.profile(self.table, "--bf16", "--json").stdout)
            self.assertIn("pointwise_bf16", [op["kernel"] for op in told["ops"]])
        else:
            self.refuses(self.table, "--profile", "--bf16", says=("AVX512_BF16", "fp32"))

    def test_wrong_usage(self):
        for option, value in (("--batch", 0), ("--batch", "many"), ("--backend", "gpu"),
                              ("--threads", 0), ("--passes", 0), ("--size", 31)):
            self.refuses(self.table, "--profile", option, value, status=2, says=option)
        self.refuses(self.table, "--batch", 2, status=2, says=("--batch", "--profile"))

    def test_more_memory_than_there_is(self):
        self.refuses("efficientnet_l2", "--profile", "--batch", 65536, "--size", 8192,
                     says=("GB", "--batch"))



class DescribeRoofline(ProgramTest):
    program = "describe"

    def roofline(self, *arguments):
        return json.loads(self.run_program(*arguments, "--roofline", "h100", "--json").stdout)

    def test_every_layer_does_what_its_shape_says(self):
        told = self.roofline("efficientnet_b0", "--batch", 2, "--size", 65)
        self.assertEqual((told["batch"], told["size"], len(told["layers"])), (2, 65, 82))
        macs = json.loads(self.run_program("efficientnet_b0", "--size", 65, "--json").stdout)["macs"]
        self.assertEqual(sum(layer["flop"] for layer in told["layers"]), 2 * 2 * macs)
        stem = told["layers"][0]
        self.assertEqual((stem["src"], stem["dst"]), ([2, 65, 65, 3], [2, 33, 33, 32]))
        numbers = 2 * 65 * 65 * 3 + 2 * 33 * 33 * 32 + 3 * 3 * 3 * 32
        self.assertEqual(stem["fp32_bytes"], 4 * numbers)

    def test_the_longest_of_arithmetic_memory_and_start(self):
        told = self.roofline("efficientnetv2_s", "--batch", 64)
        for layer in told["layers"]:
            depthwise = layer["role"] == "depthwise"
            for kind, rate, width in (("fp32", 66.9e12, 4), ("tf32", 494.7e12, 4),
                                      ("bf16", 989.4e12, 2)):
                arithmetic = layer["flop"] / (66.9e12 if depthwise else rate)
                memory = layer["fp32_bytes"] / 4 * width / 3.352e12
                self.assertAlmostEqual(layer[f"{kind}_us"] / 1e6, max(arithmetic, memory, 2e-6))
        self.assertEqual({layer["bf16_bound"] for layer in told["layers"]},
                         {"arithmetic", "memory", "start"})
        for kind in ("fp32", "tf32", "bf16"):
            self.assertAlmostEqual(told[f"{kind}_us"],
                                   sum(layer[f"{kind}_us"] for layer in told["layers"]), places=3)

    def test_the_table(self):
        text = self.run_program("efficientnet_b0", "--roofline", "a100").stdout
        self.assertIn("NVIDIA A100", text)
        self.assertLessEqual(max(map(len, text.split("\n"))), 120)

    def test_wrong_usage(self):
        self.refuses(self.table, "--roofline", "abacus", status=2, says=("abacus", "h100"))
        self.refuses(self.table, "--roofline", "h100", "--profile", status=2, says="--profile")


if __name__ == "__main__":
    unittest.main()
