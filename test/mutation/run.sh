#!/usr/bin/env bash
# Changes src/evaluation, src/nn and src/run in every small way that Stryker knows and says which changes no test notices:
# `test/mutation/run.sh`, or `test/mutation/run.sh evaluation run/lock.ts` for some of it. Installs Stryker beside itself where it is missing; it is
# no dependency of the project. docs/reliability.md has the results.
set -euo pipefail

cd "$(dirname "$0")"
stryker=node_modules/@stryker-mutator/core/bin/stryker.js
# Vitest is the project's own: without its peers npm installs no second one
[ -f "$stryker" ] || npm install --ignore-scripts --no-audit --no-fund --no-package-lock --legacy-peer-deps
cd ../..
npm run --silent build # some tests start processes, which run dist/
NN_MUTATE="$*" node "test/mutation/$stryker" run test/mutation/stryker.config.mjs
