#!/usr/bin/env bash
# From a fresh clone to a first result: installs what is missing, builds the example programs,
# describes EfficientNetV2-S and classifies a picture that it draws itself. Where real weights and
# photos lie under $EFFNET_SHARED (else ../shared), it classifies some of those too, and leaves a
# sheet of them with their predictions.
set -euo pipefail
cd "$(dirname "$0")/.."

bash cmake/install_debian_packages.sh g++ cmake ninja-build python3 libeigen3-dev libdnnl-dev \
  libjpeg-dev libpng-dev nlohmann-json3-dev libcli11-dev

build=build/quickstart
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DEFFNET_COMPONENTS='cpu;io' \
  -DEFFNET_TESTS=OFF -DEFFNET_BENCHMARKS=OFF >/dev/null
cmake --build "$build" -j "$(nproc)" --target describe classify
programs=$build/examples

printf '\nEfficientNetV2-S, stage by stage:\n'
"$programs/describe" efficientnetv2_s

# A daisy on a lawn, 320 x 240 pixels.
python3 - "$build/daisy.png" <<'PYTHON'
import math, struct, sys, zlib

def colour(x, y):
    dx, dy = x - 160, y - 115
    radius, angle = math.hypot(dx, dy), math.atan2(dy, dx)
    if radius < 26:
        return (235, 180 + int(radius), 30)
    if radius < 62 + 30 * abs(math.cos(8 * angle)):
        return (245, 245, 240 - int(radius / 2))
    if abs(dx - 6 * math.sin(dy / 30)) < 4 and dy > 0:
        return (60, 120, 40)
    return (40 + (x * 7 + y * 13) % 23, 110 + (x * 5 + y * 3) % 37, 35)

rows = b"".join(b"\0" + bytes(v for x in range(320) for v in colour(x, y)) for y in range(240))

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

with open(sys.argv[1], "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 320, 240, 8, 2, 0, 0, 0))
               + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
PYTHON

shared=${EFFNET_SHARED:-../shared}
weights=$shared/weights/efficientnet_lite0.safetensors
photos=$shared/data/imagenet_dev

if [[ ! -f $weights || ! -d $photos ]]; then
  printf '\nThe picture that was just drawn, to a network that has not learned anything yet:\n'
  "$programs/classify" --model efficientnet_lite0 --top 3 "$build/daisy.png"
  echo "For real weights see README.md."
  exit 0
fi

printf '\nThe picture that was just drawn, to EfficientNet-Lite0:\n'
"$programs/classify" --model efficientnet_lite0 --weights "$weights" \
  --labels "$shared/data/imagenet_classes.json" --top 3 "$build/daisy.png"

printf '\nReal photos:\n'
mapfile -t chosen < <(find "$photos" -name '*.jpg' | sort | awk 'NR % 42 == 1' | head -n 12)
"$programs/classify" --model efficientnet_lite0 --weights "$weights" \
  --labels "$shared/data/imagenet_classes.json" --top 3 --sheet "$build/sheet.png" "${chosen[@]}"
printf '\nThe photos with their predictions: %s\n' "$PWD/$build/sheet.png"
