"""What the tests of the programs run on: a small network with made-up weights, pictures, and the
means to call a program. Only Python's standard library."""

import array
import json
import os
import random
import struct
import subprocess
import tempfile
import unittest
import zlib
from pathlib import Path

PROGRAMS = Path(os.environ.get("EFFNET_PROGRAMS", "."))

TABLE = {
    "name": "sample", "stem": 8, "head": 32, "classes": 5, "eval_size": 64, "train_size": 64,
    "stages": [{"op": "mbconv", "repeats": 1, "kernel": 3, "stride": 2, "expand": 1, "in": 8,
                "out": 16, "se": 0}],
}
CLASSES = ["red thing", "green thing", "blue thing", "grey, plain", "crane"]


def shared(relative):
    """A path of the shared data, or nothing where it is absent."""
    root = os.environ.get("EFFNET_SHARED") or os.environ.get("EFFNET_SHARED_DEFAULT") or ""
    path = Path(root) / relative
    return path if root and path.exists() else None


def write_safetensors(path, tensors, metadata=None):
    """`tensors`: name -> (shape, floats)."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (shape, values) in tensors.items():
        raw = array.array("f", values).tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path):
    raw = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header, data = json.loads(raw[8:8 + length]), raw[8 + length:]
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = (entry["shape"], array.array("f", data[begin:end]))
    return tensors, metadata


def write_weights(path, metadata=None, broken=None):
    """The sample network's tensors in timm's naming; `broken` changes them."""
    numbers = random.Random(7)
    tensors = {}

    def weight(name, *shape):
        count = 1
        for extent in shape:
            count *= extent
        tensors[name] = (list(shape), [numbers.uniform(-0.6, 0.6) for _ in range(count)])

    def batch_norm(name, channels):
        for part, low, high in (("weight", 0.7, 1.3), ("bias", -0.2, 0.2),
                                ("running_mean", -0.2, 0.2), ("running_var", 0.7, 1.3)):
            tensors[f"{name}.{part}"] = (
                [channels], [numbers.uniform(low, high) for _ in range(channels)])

    weight("conv_stem.weight", 8, 3, 3, 3)
    batch_norm("bn1", 8)
    weight("blocks.0.0.conv_dw.weight", 8, 1, 3, 3)
    batch_norm("blocks.0.0.bn1", 8)
    weight("blocks.0.0.conv_pw.weight", 16, 8, 1, 1)
    batch_norm("blocks.0.0.bn2", 16)
    weight("conv_head.weight", 32, 16, 1, 1)
    batch_norm("bn2", 32)
    weight("classifier.weight", 5, 32)
    weight("classifier.bias", 5)
    if broken:
        broken(tensors)
    write_safetensors(path, tensors, metadata)


def png(width, height, colour):
    """A PNG file; `colour(x, y)` gives red, green and blue."""
    rows = b"".join(b"\0" + bytes(v for x in range(width) for v in colour(x, y))
                    for y in range(height))

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


PICTURES = {
    "red": lambda x, y: (230, x % 32, y % 16),
    "green": lambda x, y: (20, 200 - x % 50, 40),
    "blue": lambda x, y: (x % 128, 10, 240),
    "stripes": lambda x, y: (255, 255, 255) if x // 8 % 2 else (0, 0, 0),
}


class ProgramTest(unittest.TestCase):
    """A folder of its own with table, weights, labels and pictures for each test."""

    program = None

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="effnet_programs_")
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.table = self.folder / "sample.json"
        self.table.write_text(json.dumps(TABLE))
        self.weights = self.folder / "sample.safetensors"
        write_weights(self.weights)
        self.labels = self.folder / "labels.txt"
        self.labels.write_text("\n".join(CLASSES) + "\n")
        self.pictures = []
        for name, colour in PICTURES.items():
            self.pictures.append(self.folder / f"{name}.png")
            self.pictures[-1].write_bytes(png(80, 70, colour))

    def run_program(self, *arguments, status=0, program=None):
        """Runs it; the exit status must be as given, and a failure one sentence on stderr."""
        name = program or self.program
        done = subprocess.run([PROGRAMS / name, *map(str, arguments)], capture_output=True,
                              timeout=300, text=True)
        self.assertEqual(done.returncode, status, f"{arguments}\n{done.stdout}\n{done.stderr}")
        if status:
            last = done.stderr.rstrip("\n").split("\n")[-1]
            self.assertTrue(last.startswith(name + ": "), done.stderr)
        return done

    def refuses(self, *arguments, status=1, says=(), program=None):
        done = self.run_program(*arguments, status=status, program=program)
        for words in [says] if isinstance(says, str) else says:
            self.assertIn(words, done.stderr)
        self.assertEqual(done.stdout, "")
        return done

    def check_help_and_version(self, *needed):
        self.assertIn("Examples:", self.run_program("--help").stdout)
        version = self.run_program("--version").stdout
        for words in (f"{self.program} (effnet ", "processor", "oneDNN", "libpng", "compiler"):
            self.assertIn(words, version)
        self.refuses(*needed, "--no-such-option", status=2, says="--no-such-option")
