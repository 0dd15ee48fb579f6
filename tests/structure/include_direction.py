"""Checks which header includes which, and which third party each layer may see.

Usage: include_direction.py INCLUDE_DIR     the folder that holds effnet/
       include_direction.py --self-test     each rule, on a small tree that breaks it
"""

import pathlib
import re
import sys
import tempfile

# What a layer may include besides itself. Entry headers (effnet/NAME.hpp) may include any layer.
BELOW = {
    "core": [],
    "arch": ["core"],
    "math": ["arch", "core"],
    "backend": ["arch", "core", "math"],
    "reference": ["arch", "core", "math", "backend"],
    "cpu": ["arch", "core", "math", "backend"],
    "cuda": ["arch", "core", "math", "backend"],
    "nn": ["arch", "core", "math", "backend"],
    "io": ["arch", "core", "math", "backend", "nn"],
    "data": ["arch", "core", "math", "backend", "nn", "io"],
    "train": ["arch", "core", "math", "backend", "nn", "io", "data"],
    "search": ["arch", "core", "math", "backend", "nn", "io", "data", "train"],
}

# Headers of third parties: what they begin with, and the layers that may include them.
THIRD_PARTY = {
    "Eigen": (["Eigen/", "unsupported/"], ["reference", "search"]),
    "oneDNN": (["dnnl", "oneapi/"], ["cpu"]),
    "OpenMP": (["omp.h"], ["cpu"]),
    "image codecs": (["jpeglib.h", "jerror.h", "png.h"], ["io"]),
    "nlohmann-json": (["nlohmann/"], ["io"]),
    "CUDA": (["cuda", "cub", "cudnn", "curand", "thrust/", "nv/", "mma.h", "cooperative_groups"],
             ["cuda"]),
}

# What a program may come to see through an entry header; those not named here may see anything.
ENTRIES = {
    "v1.hpp": [], "v2.hpp": [], "lite.hpp": [], "resnet.hpp": [],
    "reference.hpp": ["Eigen"], "weights.hpp": [], "torch.hpp": [], "cpu.hpp": ["oneDNN", "OpenMP"],
}

# Costly to compile, and of no use to a library that prints nothing.
REFUSED = ["iostream", "regex"]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def third_party_of(name):
    for party, (beginnings, _) in THIRD_PARTY.items():
        if name.startswith(tuple(beginnings)):
            return party
    return None


def check(root):
    """The broken rules of the tree root/effnet, one sentence each."""
    root, problems, includes = pathlib.Path(root), [], {}
    headers = sorted(p for p in (root / "effnet").rglob("*") if p.suffix in (".hpp", ".cuh"))
    if not headers:
        problems.append(f"there is no header under {root}/effnet")
    for header in headers:
        path = header.relative_to(root).as_posix()
        parts = path.split("/")
        layer = parts[1] if len(parts) > 2 else None
        includes[path] = [m[1] for m in INCLUDE.findall(header.read_text(encoding="utf-8"))]
        if layer and layer not in BELOW:
            problems.append(f"{path}: no layer is called {layer}")
            continue
        for quote, name in INCLUDE.findall(header.read_text(encoding="utf-8")):
            party = third_party_of(name)
            if quote == '"':
                problems.append(f'{path}: writes "{name}" where <effnet/...> is asked for')
            elif name in REFUSED:
                problems.append(f"{path}: includes <{name}>")
            elif party == "CUDA" and header.suffix == ".hpp":
                problems.append(f"{path}: a .hpp includes <{name}>; only a .cuh may")
            elif party and layer and layer not in THIRD_PARTY[party][1]:
                problems.append(f"{path}: {layer} includes {party}'s <{name}>")
            elif name.startswith("effnet/"):
                target = name.split("/")
                if not (root / name).is_file():
                    problems.append(f"{path}: <{name}> does not exist")
                elif name.endswith(".cuh") and header.suffix == ".hpp":
                    problems.append(f"{path}: a .hpp includes <{name}>; only a .cuh may")
                elif layer and len(target) == 2:
                    problems.append(f"{path}: includes the entry header <{name}>")
                elif layer and target[1] != layer and target[1] not in BELOW[layer]:
                    problems.append(f"{path}: {layer} includes <{name}>, which is not below it")

    for entry, allowed in ENTRIES.items():
        seen, open_paths = set(), [f"effnet/{entry}"]
        while open_paths:
            path = open_paths.pop()
            if path in seen:
                continue
            seen.add(path)
            for name in includes.get(path, []):
                party = third_party_of(name)
                if party and party not in allowed:
                    problems.append(f"effnet/{entry}: brings {party}'s <{name}> along, by {path}")
                open_paths.append(name)
    return problems


def self_test():
    good = {
        "core/shape.hpp": "#include <vector>\n",
        "arch/spec.hpp": "#include <effnet/core/shape.hpp>\n",
        "backend/backend.hpp": "#include <effnet/arch/spec.hpp>\n",
        "reference/gemm.hpp": "#include <Eigen/Core>\n#include <effnet/backend/backend.hpp>\n",
        "cpu/convolution.hpp": "#include <oneapi/dnnl/dnnl.hpp>\n",
        "cuda/launch.cuh": "#include <cuda_runtime.h>\n",
        "nn/network.hpp": "#include <effnet/backend/backend.hpp>\n",
        "io/image.hpp": "#include <jpeglib.h>\n",
        "v2.hpp": "#include <effnet/nn/network.hpp>\n",
        "reference.hpp": "#include <effnet/reference/gemm.hpp>\n",
        "weights.hpp": "#include <effnet/nn/network.hpp>\n",
    }
    bad = {
        "nn includes io": {"nn/network.hpp": "#include <effnet/io/image.hpp>\n"},
        "core includes nn": {"core/shape.hpp": "  #  include <effnet/nn/network.hpp>\n"},
        "nn names a backend": {"nn/network.hpp": "#include <effnet/cpu/convolution.hpp>\n"},
        "backends see each other": {"cpu/a.hpp": "#include <effnet/reference/gemm.hpp>\n"},
        "an entry header inside": {"nn/network.hpp": "#include <effnet/reference.hpp>\n"},
        "CUDA in a .hpp": {"cuda/a.hpp": "#include <cuda_runtime.h>\n"},
        ".cuh in a .hpp": {"cuda/a.hpp": "#include <effnet/cuda/launch.cuh>\n"},
        "oneDNN outside cpu": {"nn/a.hpp": "#include <dnnl.hpp>\n"},
        "tables bring a codec": {"v2.hpp": "#include <effnet/io/image.hpp>\n"},
        "an unknown layer": {"utils/a.hpp": "\n"},
        "a file that is not there": {"nn/a.hpp": "#include <effnet/nn/gone.hpp>\n"},
        "quotes": {"nn/a.hpp": '#include "network.hpp"\n'},
        "iostream": {"nn/a.hpp": "#include <iostream>\n"},
    }
    failures = 0
    for name, change in {"the good tree": {}, **bad}.items():
        with tempfile.TemporaryDirectory() as folder:
            for path, text in {**good, **change}.items():
                file = pathlib.Path(folder) / "effnet" / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            problems = check(folder)
        if (len(problems) == 0) != (name == "the good tree"):
            print(f"self-test: {name}: found {problems or 'nothing'}")
            failures += 1
    return failures


def main():
    if sys.argv[1] == "--self-test":
        sys.exit(1 if self_test() else 0)
    problems = check(sys.argv[1])
    print("\n".join(problems) or "every include points downwards")
    sys.exit(1 if problems else 0)


main()
