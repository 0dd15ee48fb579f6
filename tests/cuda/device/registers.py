"""Checks what the compiler made of the kernels against the record beside this file: registers and
stack of a thread (arrays that left the registers, and spills), for each architecture that preset
cuda builds for.

Usage: registers.py [--write] NVCC FLAG...

--write makes the record anew. Another compiler than the record's may need other numbers: there only
the hardware's limits count.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

folder = pathlib.Path(__file__).resolve().parent
record_file = folder / "registers.json"
ARCHITECTURES = ("sm_80", "sm_90")
REGISTERS_OF_A_BLOCK = 65536  # CUDA C++ Programming Guide, appendix on compute capabilities
REGISTERS_OF_A_THREAD = 255
TOLERATED = 8  # registers more than recorded; they are handed out by eights

arguments = sys.argv[1:]
write = arguments[0] == "--write"
nvcc, flags = arguments[write], arguments[write + 1:]
flags = [flag for flag in flags if flag not in ("-I", "")]


def output_of(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def plain(symbols):
    """Kernels as effnet calls them, by symbol; those of others are left out."""
    lines = subprocess.run(["c++filt"], input="\n".join(symbols), capture_output=True, text=True,
                           check=True).stdout.splitlines()
    names = {}
    for symbol, line in zip(symbols, lines):
        if found := re.search(r"run_kernel<(.*?) ?>\(", line.replace("effnet::cuda::", "")):
            names[symbol] = found[1].replace("effnet::", "").replace("> >", ">>")
    return names


def measured():
    kernels = {}
    with tempfile.TemporaryDirectory() as build:
        ptx = pathlib.Path(build) / "kernels.ptx"
        ptxas = pathlib.Path(nvcc).with_name("ptxas")
        for architecture in ARCHITECTURES:
            output_of(nvcc, *flags, "-std=c++20", "--expt-relaxed-constexpr", "-O3", "-ptx",
                      f"-arch={architecture.replace('sm', 'compute')}", folder / "kernels.cu",
                      "-o", ptx)
            entries = re.findall(r"\.entry (\w+)\(.*?\.maxntid (\d+)", ptx.read_text(), re.S)
            names = plain([symbol for symbol, _ in entries])
            for symbol, threads in entries:
                if symbol in names:
                    kernels.setdefault(names[symbol], {})["threads"] = int(threads)
            text = output_of(ptxas, "-v", f"-arch={architecture}", ptx, "-o", f"{build}/cubin")
            for symbol, rest in re.findall(r"Compiling entry function '(\w+)'(.*?Used \d+ registers)",
                                           text, re.S):
                if symbol in names:
                    kernels[names[symbol]][architecture] = {
                        "registers": int(re.search(r"Used (\d+)", rest)[1]),
                        "stack": int(re.search(r"(\d+) bytes stack", rest)[1])}
    return kernels


version = re.search(r"release ([0-9.]+)", output_of(nvcc, "--version"))[1]
kernels = measured()
if write:
    rows = [f"    {json.dumps(name)}: {json.dumps(kernel)}" for name, kernel in sorted(kernels.items())]
    record_file.write_text(f'{{\n  "nvcc": "{version}",\n  "kernels": {{\n' + ",\n".join(rows)
                           + "\n  }\n}\n")

record = json.loads(record_file.read_text())
same_compiler = record["nvcc"] == version
problems = []
for name, kernel in kernels.items():
    for architecture in ARCHITECTURES:
        used = kernel[architecture]
        granted = -(-used["registers"] // 8) * 8
        if used["registers"] > REGISTERS_OF_A_THREAD or granted * kernel["threads"] > REGISTERS_OF_A_BLOCK:
            problems.append(f"{name}: {granted} registers x {kernel['threads']} threads are more "
                            f"than {architecture} has")
        if not same_compiler:
            continue
        known = record["kernels"].get(name, {}).get(architecture)
        if known is None:
            problems.append(f"{name} is not in the record")
        elif (used["registers"] > known["registers"] + TOLERATED or used["stack"] > known["stack"]):
            problems.append(f"{name}, {architecture}: {used}, recorded {known}")
if same_compiler:
    problems += [f"{name} is recorded, but there is no such kernel"
                 for name in record["kernels"].keys() - kernels.keys()]

most = max(kernels, key=lambda name: kernels[name]["sm_80"]["registers"])
print(f"{len(kernels)} kernels, nvcc {version}; most registers on sm_80: "
      f"{kernels[most]['sm_80']['registers']}, of {most}")
if not same_compiler and not problems:
    print(f"SKIPPED the comparison: the record is of nvcc {record['nvcc']}")
if not kernels or problems:
    sys.exit("\n".join(problems) or "no kernel was found")
