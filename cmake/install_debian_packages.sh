#!/usr/bin/env bash
# Usage: install_debian_packages.sh PACKAGE...
# Installs those that are missing, and says which; asks nothing and does nothing where none is.
set -euo pipefail

if ! command -v dpkg-query >/dev/null; then
  echo "this is no Debian system: the packages below, by whatever name, have to be there already" >&2
  echo "  $*" >&2
  exit 0
fi

missing=()
for package in "$@"; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $state == installed ]] || missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

echo "installing ${missing[*]}"
if [[ $(id -u) -eq 0 ]]; then
  as_root=(env)
elif command -v sudo >/dev/null; then
  as_root=(sudo env)
else
  echo "missing, and neither root nor sudo to install them: apt-get install ${missing[*]}" >&2
  exit 1
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
