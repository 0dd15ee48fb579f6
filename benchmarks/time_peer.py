"""Times one system in this process:

    time_peer.py SYSTEM infer|train NETWORK SIZE BATCH THREADS PASSES [ONNX]

Runs in the peers' environment and prints a JSON object. Every system computes in float32, on as
many threads, from a batch of images that lies ready in the layout that it likes best.
"""
import json
import pathlib
import sys
import time


def onnxruntime_pass(network, size, batch, threads, onnx):
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    images = numpy.random.default_rng(1).uniform(-1, 1, (batch, 3, size, size))
    feed = {session.get_inputs()[0].name: images.astype(numpy.float32)}
    return lambda: session.run(None, feed)


def openvino_pass(network, size, batch, threads, onnx):
    import numpy
    import openvino

    # Without the precision it would compute in bfloat16 where the processor can.
    compiled = openvino.Core().compile_model(onnx, "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32"})
    images = numpy.random.default_rng(1).uniform(-1, 1, (batch, 3, size, size))
    request = compiled.create_infer_request()
    request.set_input_tensor(openvino.Tensor(images.astype(numpy.float32)))
    return request.infer


def torch_images(size, batch):
    import torch

    images = torch.empty(batch, 3, size, size).uniform_(-1, 1)
    return images.to(memory_format=torch.channels_last)


def pytorch_pass(network, size, batch, threads, compiled):
    import torch
    from peer_network import make_network

    torch.set_num_threads(threads)
    model = make_network(network).eval().to(memory_format=torch.channels_last)
    if compiled:
        # Weights become constants, which are packed once and into which batch norm is folded.
        import torch._inductor.config
        torch._inductor.config.freezing = True
        model = torch.compile(model)
    images = torch_images(size, batch)

    def run():
        with torch.no_grad():
            return model(images)

    return run


def pytorch_step(network, size, batch, threads, compiled):
    import torch
    from peer_network import make_network

    torch.set_num_threads(threads)
    model = make_network(network).train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=0.01, alpha=0.9, momentum=0.9, eps=0.001)
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    if compiled:
        model = torch.compile(model)
    images = torch_images(size, batch)
    labels = torch.arange(batch) * 113 % 1000

    def step():
        optimizer.zero_grad()
        loss = loss_of(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def prepared(system, trains, network, size, batch, threads, onnx):
    if system == "onnxruntime":
        return onnxruntime_pass(network, size, batch, threads, onnx)
    if system == "openvino":
        return openvino_pass(network, size, batch, threads, onnx)
    make = pytorch_step if trains else pytorch_pass
    return make(network, size, batch, threads, system == "pytorch_compiled")


def peak_megabytes():
    """The most memory that the process has held so far."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main():
    system, kind, network = sys.argv[1:4]
    size, batch, threads, passes = map(int, sys.argv[4:8])
    onnx = sys.argv[8] if len(sys.argv) > 8 else None
    run = prepared(system, kind == "train", network, size, batch, threads, onnx)
    # As many untimed passes as effnet's benchmarks make.
    for _ in range(2 if kind == "train" else 3):
        run()
    times = []
    for _ in range(passes):
        begin = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - begin))
    print(json.dumps({"times": times, "peak_mb": peak_megabytes()}))


if __name__ == "__main__":
    try:
        main()
    except Exception as failure:  # of any of the systems; the first line says what went wrong
        sentence = (str(failure).strip() or "no reason given").splitlines()[0]
        sys.exit(f"{type(failure).__name__}: {sentence}")
