#!/usr/bin/env python3
"""Times effnet beside other systems: each in a process of its own, in turn, several rounds.

    python3 benchmarks/compare_peers.py [--work NAME...] [--rounds N] [--json OUT]

Needs the built benchmarks (cmake --build --preset release). The other systems come from PyPI, into an
environment outside the checkout ($EFFNET_PEERS, default ~/.cache/effnet-peers), on the first run.
Prints minimum and median milliseconds over all rounds, and effnet's minimum over the best peer's.
Inference is timed beside ONNX Runtime, training (a whole step with RMSProp, and the peak memory of the
process) beside PyTorch.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent
BENCHMARKS = SOURCE / "build" / "release" / "benchmarks"
# Work -> torchvision's model, image side, batch.
WORK = {
    "b0_224_n1": ("efficientnet_b0", 224, 1),
    "b0_224_n16": ("efficientnet_b0", 224, 16),
    "v2s_384_n1": ("efficientnet_v2_s", 384, 1),
    "v2s_384_n8": ("efficientnet_v2_s", 384, 8),
    "v2m_480_n1": ("efficientnet_v2_m", 480, 1),
    "b4_380_n1": ("efficientnet_b4", 380, 1),
    "train_b0_224_n16": ("efficientnet_b0", 224, 16),
    "train_v2s_128_n16": ("efficientnet_v2_s", 128, 16),
    "train_v2s_300_n8": ("efficientnet_v2_s", 300, 8),
    "train_resnet50_224_n16": ("resnet50", 224, 16),
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

PYTORCH = """
import json, resource, sys, time, torch, torchvision
name = sys.argv[1]
size, batch, threads, seconds = map(int, sys.argv[2:6])
torch.set_num_threads(threads)
torch.manual_seed(1)
model = getattr(torchvision.models, name)(weights=None).train().to(memory_format=torch.channels_last)
rate = dict(lr=0.01, alpha=0.9, momentum=0.9, eps=0.001)
optimizer = torch.optim.RMSprop(model.parameters(), **rate)
loss_of = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
images = torch.empty(batch, 3, size, size).uniform_(-1, 1).to(memory_format=torch.channels_last)
labels = torch.arange(batch) * 113 % 1000

def step():
    optimizer.zero_grad()
    loss = loss_of(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()

step()
times, end = [], time.perf_counter() + seconds
while time.perf_counter() < end or len(times) < 3:
    begin = time.perf_counter()
    step()
    times.append(1e3 * (time.perf_counter() - begin))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"version": torch.__version__, "times": times, "peak_MB": peak}))
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


def trains(work):
    return work.startswith("train_")


def time_effnet(work, threads):
    program = BENCHMARKS / ("training_benchmark" if trains(work) else "network_benchmark")
    run = subprocess.run([program, f"--benchmark_filter=^{work}/threads:{threads}/",
                          "--benchmark_format=json"],
                         check=True, capture_output=True, text=True)
    result = json.loads(run.stdout)
    rows = [row for row in result["benchmarks"] if row["run_type"] == "iteration"]
    return {"times": [row["real_time"] for row in rows], "peak_MB": rows[-1].get("peak_MB"),
            "context": result["context"]}


def time_python(python, script, *arguments):
    run = subprocess.run([python, "-c", script, *map(str, arguments)],
                         check=True, capture_output=True, text=True)
    return json.loads(run.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", nargs="+", default=["b0_224_n1", "v2s_384_n1"], choices=WORK)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each peer, each round")
    parser.add_argument("--json", metavar="OUT")
    options = parser.parse_args()
    if not (BENCHMARKS / "training_benchmark").exists():
        parser.error(f"{BENCHMARKS} is not built; run: cmake --preset release && "
                     "cmake --build --preset release")
    folder, python = environment()

    rows, ratios, machine = [], {}, {"load": os.getloadavg()[0]}
    for work in options.work:
        name, size, batch = WORK[work]
        peer = "pytorch" if trains(work) else "onnxruntime"
        rounds = {"effnet": [], peer: []}
        for _ in range(options.rounds):
            rounds["effnet"].append(time_effnet(work, options.threads))
            if trains(work):
                took = time_python(python, PYTORCH, name, size, batch, options.threads,
                                   options.seconds)
            else:
                took = time_python(python, ONNXRUNTIME, exported(folder, python, work), size,
                                   batch, options.threads, options.seconds)
            rounds[peer].append(took)
        context = rounds["effnet"][-1]["context"]
        machine.update({key: context[key] for key in ("cpu", "isa", "onednn", "effnet")})
        machine[peer] = rounds[peer][-1]["version"]
        best = {}
        for system, runs in rounds.items():
            times = [time for run in runs for time in run["times"]]
            best[system] = min(times)
            rows.append({"work": work, "system": system, "threads": options.threads,
                         "min_ms": min(times), "median_ms": statistics.median(times)})
            if trains(work):
                rows[-1]["peak_MB"] = max(run["peak_MB"] for run in runs)
        ratios[work] = best["effnet"] / best[peer]

    print(", ".join(f"{key} {value}" for key, value in machine.items()))
    for row in rows:
        print("{work:22} {system:12} threads {threads}  min {min_ms:8.2f} ms  "
              "median {median_ms:8.2f} ms".format(**row),
              f"  peak {row['peak_MB']:6.0f} MB" if "peak_MB" in row else "", sep="")
    for work, ratio in ratios.items():
        print(f"{work:22} effnet / best peer  {ratio:.2f}")
    if options.json:
        pathlib.Path(options.json).write_text(
            json.dumps({"machine": machine, "rows": rows, "ratios": ratios}, indent=1) + "\n")


if __name__ == "__main__":
    main()
