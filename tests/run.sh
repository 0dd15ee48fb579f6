#!/usr/bin/env bash
# Builds everything (preset release) and runs every test; the last lines are CTest's totals.
# Real photos, real weights and the outputs of other implementations are looked for under
# $EFFNET_SHARED, else in ../shared; where they are not, the tests that need them are skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

bash cmake/install_debian_packages.sh g++ cmake ninja-build python3 libeigen3-dev libdnnl-dev \
  libjpeg-dev libpng-dev nlohmann-json3-dev libcli11-dev doctest-dev libbenchmark-dev

cmake --preset release
cmake --build --preset release -j "$(nproc)"
ctest --preset release -j "$(nproc)"
