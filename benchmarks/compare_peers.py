#!/usr/bin/env python3
"""Times effnet beside other systems: each in a process of its own, in turn, several rounds.

    python3 benchmarks/compare_peers.py [--work NAME...] [--rounds N] [--json OUT]

Needs the built benchmarks (cmake --build --preset release). The other systems come from PyPI, into an
environment outside the checkout ($EFFNET_PEERS, default ~/.cache/effnet-peers), on the first run.
Prints minimum and median milliseconds over all rounds, and effnet's minimum over the best peer's.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent
BENCHMARK = SOURCE / "build" / "release" / "benchmarks" / "network_benchmark"
# Work -> torchvision's model, image side, batch.
WORK = {
    "b0_224_n1": ("efficientnet_b0", 224, 1),
    "b0_224_n16": ("efficientnet_b0", 224, 16),
    "v2s_384_n1": ("efficientnet_v2_s", 384, 1),
    "v2s_384_n8": ("efficientnet_v2_s", 384, 8),
    "v2m_480_n1": ("efficientnet_v2_m", 480, 1),
    "b4_380_n1": ("efficientnet_b4", 380, 1),
}

EXPORT = """
import sys, torch, torchvision
name, size, batch, path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
torch.manual_seed(1)
model = getattr(torchvision.models, name)(weights=None).eval()
torch.onnx.export(model, torch.zeros(batch, 3, size, size), path, dynamo=False)
"""

ONNXRUNTIME = """
import json, sys, time, numpy, onnxruntime
path, size, batch, threads, seconds = sys.argv[1], *map(int, sys.argv[2:6])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
images = numpy.random.default_rng(1).uniform(-1, 1, (batch, 3, size, size)).astype(numpy.float32)
feed = {session.get_inputs()[0].name: images}
for _ in range(3):
    session.run(None, feed)
times, end = [], time.perf_counter() + seconds
while time.perf_counter() < end or len(times) < 5:
    begin = time.perf_counter()
    session.run(None, feed)
    times.append(1e3 * (time.perf_counter() - begin))
print(json.dumps({"version": onnxruntime.__version__, "times": times}))
"""


def environment():
    """The Python that has the peers, installed on first use."""
    folder = pathlib.Path(os.environ.get("EFFNET_PEERS", "~/.cache/effnet-peers")).expanduser()
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"installing the peers into {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "onnxruntime", "onnx", "numpy",
                        "torch", "torchvision"], check=True)
    return folder, python


def exported(folder, python, work):
    """The ONNX file of torchvision's model."""
    name, size, batch = WORK[work]
    path = folder / "onnx" / f"{work}.onnx"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        partial = path.with_suffix(".partial")
        subprocess.run([python, "-W", "ignore", "-c", EXPORT, name, str(size), str(batch), partial],
                       check=True, stdout=subprocess.DEVNULL)
        partial.rename(path)
    return path


def time_effnet(work, threads):
    # argv of Google Benchmark; one repetition is one pass.
    run = subprocess.run([BENCHMARK, f"--benchmark_filter=^{work}/threads:{threads}/",
                          "--benchmark_format=json"],
                         check=True, capture_output=True, text=True)
    result = json.loads(run.stdout)
    times = [row["real_time"] for row in result["benchmarks"]
             if row["run_type"] == "iteration"]
    return times, result["context"]


def time_onnxruntime(python, path, work, threads, seconds):
    _, size, batch = WORK[work]
    run = subprocess.run([python, "-c", ONNXRUNTIME, path, str(size), str(batch), str(threads),
                          str(seconds)], check=True, capture_output=True, text=True)
    result = json.loads(run.stdout)
    return result["times"], result["version"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", nargs="+", default=["b0_224_n1", "v2s_384_n1"], choices=WORK)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each peer, each round")
    parser.add_argument("--json", metavar="OUT")
    options = parser.parse_args()
    if not BENCHMARK.exists():
        parser.error(f"{BENCHMARK} is not built; run: cmake --preset release && "
                     "cmake --build --preset release")
    folder, python = environment()

    rows, ratios, machine = [], {}, {}
    for work in options.work:
        path = exported(folder, python, work)
        times = {"effnet": [], "onnxruntime": []}
        for _ in range(options.rounds):
            took, context = time_effnet(work, options.threads)
            times["effnet"] += took
            took, version = time_onnxruntime(python, path, work, options.threads, options.seconds)
            times["onnxruntime"] += took
        machine = {"cpu": context["cpu"], "isa": context["isa"], "onednn": context["onednn"],
                   "effnet": context["effnet"], "onnxruntime": version,
                   "load": os.getloadavg()[0]}
        for system, took in times.items():
            rows.append({"work": work, "system": system, "threads": options.threads,
                         "min_ms": min(took), "median_ms": statistics.median(took)})
        ratios[work] = min(times["effnet"]) / min(times["onnxruntime"])

    print(", ".join(f"{key} {value}" for key, value in machine.items()))
    for row in rows:
        print("{work:14} {system:12} threads {threads}  min {min_ms:8.2f} ms  "
              "median {median_ms:8.2f} ms".format(**row))
    for work, ratio in ratios.items():
        print(f"{work:14} effnet / best peer  {ratio:.2f}")
    if options.json:
        pathlib.Path(options.json).write_text(
            json.dumps({"machine": machine, "rows": rows, "ratios": ratios}, indent=1) + "\n")


if __name__ == "__main__":
    main()
