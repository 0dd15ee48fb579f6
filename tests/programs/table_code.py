"""Checks that tables which `describe MODEL --cpp` prints compile, and are the tables they came from.

Usage: table_code.py DESCRIBE COMPILER [FLAG...]
"""

import json
import pathlib
import subprocess
import sys
import tempfile

describe, command = sys.argv[1], [f for f in sys.argv[2:] if f not in ("-I/usr/include", "-I")]

# Networks that are known by name, and the constants that they should equal.
KNOWN = {"efficientnet_b0": "b0", "efficientnet_b5": "b5", "efficientnet_lite3": "lite3",
         "efficientnetv2_b3": "v2_b3", "efficientnetv2_s": "v2_s", "efficientnetv2_xl": "v2_xl",
         "resnet50": "resnet50", "resnet152": "resnet152"}

# One with nothing as usual, and a name that C++ would not take.
ODD = {"name": "2 odd-names", "in_channels": 4, "stem": 8, "stem_kernel": 5, "stem_pool": True,
       "stages": [{"op": "fused_mbconv", "out": 8, "se": 0.3, "expand": 2},
                  {"op": "bottleneck", "out": 16, "expand": 2},
                  {"op": "mbconv", "out": 24, "kernel": 7, "stride": 2, "se": 1}],
       "head": 0, "classes": 3, "activation": "relu6", "train_size": 40, "eval_size": 48,
       "dropout": 0.1, "survival": 1}


def code(model):
    return subprocess.run([describe, model, "--cpp"], check=True, capture_output=True,
                          text=True).stdout


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    table, source = folder / "odd.json", folder / "tables.cpp"
    table.write_text(json.dumps(ODD))
    told = json.loads(subprocess.run([describe, table, "--json"], check=True, capture_output=True,
                                     text=True).stdout)
    text = "".join(f"#include <effnet/{name}.hpp>\n" for name in ("v1", "v2", "lite", "resnet"))
    for model, constant in KNOWN.items():
        text += code(model) + f"static_assert({model} == effnet::{constant});\n"
    text += code(table) + f"static_assert(network_2_odd_names.stages.size() == 3);\n"
    text += f"static_assert(effnet::count_macs(network_2_odd_names, 48) == {told['macs']});\n"
    text += "static_assert(network_2_odd_names.act == effnet::activation::relu6);\n"
    text += 'static_assert(std::string_view(network_2_odd_names.name) == "2 odd-names");\n'
    source.write_text(text)
    done = subprocess.run([*command, "-fsyntax-only", source], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{text}\n{done.stderr}")
print(f"{len(KNOWN) + 1} tables compile")
