"""Tests of the program `search`."""

import json
import unittest

from sample_network import ProgramTest


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
        self.assertEqual(len(told["table"]), told["shapes"])
        self.assertTrue(all(time > 0 for time in told["predicted"] + told["measured"]))
        self.assertTrue(-1 <= told["spearman"] <= 1)
        done = self.run_program(*options, "--threads", 1)
        self.assertIn("rank correlation", done.stdout)
        self.assertIn("3/3 networks", done.stderr)
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


if __name__ == "__main__":
    unittest.main()
