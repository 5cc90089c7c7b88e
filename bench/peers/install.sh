#!/usr/bin/env bash
# Installs what `npm run bench` compares with, as far as it is missing: Debian's packages, and npm packages in bench/peers/npm/.
# None of it is a dependency of the project. A peer that cannot be had is named as missing in the bench's table.
set -uo pipefail

packages=()
want() { # want MODULE PACKAGE: Python of Debian
  /usr/bin/python3 -c "import $1" 2>/dev/null || packages+=("$2")
}
want numpy python3-numpy
want sklearn python3-sklearn
want torch python3-torch
want PIL python3-pil
want cv2 python3-opencv
if [ ${#packages[@]} -gt 0 ]; then
  root=()
  [ "$(id -u)" -eq 0 ] || root=(sudo)
  echo "Debian: ${packages[*]}"
  "${root[@]}" apt-get update
  # one at a time: one that is not to be had must not keep the others away
  for package in "${packages[@]}"; do
    "${root[@]}" apt-get install -y --no-install-recommends "$package" || echo "$package: not installed" >&2
  done
fi

cd "$(dirname "$0")/npm" || exit 1
# onnxruntime-node would download CUDA's files after it is installed; what runs on the processor is in the package
ONNXRUNTIME_NODE_INSTALL=skip npm install --ignore-scripts --no-audit --no-fund --no-package-lock
