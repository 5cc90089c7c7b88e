#!/usr/bin/env bash
# A search and a diagnosis as job arrays under Slurm, on this machine alone: one task of each is killed and requeued, the shards are merged, and
# what they come to is held against a single run. The array scripts are those of docs/cluster.md. It installs Slurm from Debian and writes /etc/slurm/slurm.conf:
# run it as root on a machine that is thrown away (not in .ci/run), after npm run build: scripts/slurm-demo.sh [FOLDER]
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
work=${1:-$(mktemp -d)}
trials=24 victim=2

if ! command -v slurmctld >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge >/dev/null
fi

daemons=()
finish() { for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null || true; done; }
trap finish EXIT

# what tells daemons and users of one cluster from strangers
mkdir -p /run/munge "$work/state" "$work/spool" "$work/bin"
chown munge: /run/munge
[ -f /etc/munge/munge.key ] || { dd if=/dev/urandom of=/etc/munge/munge.key bs=1024 count=1 status=none && chown munge: /etc/munge/munge.key && chmod 400 /etc/munge/munge.key; }
runuser -u munge -- munged --foreground --force >"$work/munged.log" 2>&1 &
daemons+=($!)

cat >/etc/slurm/slurm.conf <<CONF
ClusterName=one
SlurmctldHost=$(hostname -s)
SlurmUser=root
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MinJobAge=3600
$(slurmd -C | head -1)
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
until munge -n >/dev/null 2>&1; do sleep 0.2; done
slurmctld -D >"$work/slurmctld.log" 2>&1 &
daemons+=($!)
slurmd -D >"$work/slurmd.log" 2>&1 &
daemons+=($!)
until sinfo -h -o %T 2>/dev/null | grep -q '^idle$'; do sleep 0.5; done

say() { # say COMMAND…: as it is typed, and what comes of it
  echo "\$ $*"
  "$@"
}

ln -sf "$root/bin/nn.js" "$work/bin/nn"
export PATH="$work/bin:$PATH" NN_CACHE="$work/cache"
cd "$work"

script() { # script N: the N-th of docs/cluster.md
  awk -v wanted="$1" '/^```bash$/ {count++; inside = 1; next} /^```$/ {inside = 0} inside && count == wanted' "$root/docs/cluster.md"
}
kept() { cat "$1" 2>/dev/null | wc -l; }
state() { scontrol show job "$1" | grep -o 'JobState=[A-Z]*'; }

array() { # array SCRIPT FOLDERS RESULTS: runs it, kills the victim once it has two results, requeues it, and waits
  local id folder=$2/$victim
  echo "\$ sbatch --parsable $1"
  id=$(sbatch --parsable "$1")
  echo "$id"
  until [ "$(kept "$folder/$3")" -ge 2 ]; do sleep 0.1; done
  say squeue -o '%.8i %.10j %.10T %.6M %R'
  say kill -KILL "$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).pid' "$folder/run.lock")" # in the midst of a training
  until [ "$(state "${id}_$victim")" = JobState=FAILED ]; do sleep 0.2; done
  echo "task $victim: $(state "${id}_$victim"), $(kept "$folder/$3") of its results are kept"
  say scontrol requeue "${id}_$victim"
  until [ -z "$(squeue -h -j "$id" 2>/dev/null)" ]; do sleep 0.5; done
  scontrol show job "${id}_$victim" | grep -o 'JobState=[A-Z]*\|Restarts=[0-9]*' | paste -sd' '
  echo "\$ cat ${id}_$victim.log"
  grep -v '^training\|^remedies' "${id}_$victim.log"
}

cp "$root/configs/tune-quickstart.json" search.json
sed -i "s/\"trials\": 12/\"trials\": $trials/" search.json
script 1 >search.sbatch
say sinfo
echo '$ nn tune --config search.json --output single --json > single.json'
nn tune --config search.json --output single --json --quiet >single.json
array search.sbatch shards trials.jsonl
echo '$ nn tune --merge shards/1 shards/2 shards/3 --output merged --json > merged.json'
nn tune --merge shards/1 shards/2 shards/3 --output merged --json >merged.json

cp "$root/configs/tune-quickstart.json" diagnose.json
script 2 >diagnose.sbatch
seeds=$(grep -o -- '--seeds [0-9]*' diagnose.sbatch)
echo "\$ nn diagnose --config diagnose.json $seeds --shard 1/1 --output whole; nn diagnose --merge whole --output one --json > one.json"
nn diagnose --config diagnose.json $seeds --shard 1/1 --output whole --quiet
nn diagnose --merge whole --output one --json --quiet >one.json
array diagnose.sbatch parts experiments.jsonl
echo '$ nn diagnose --merge parts/1 parts/2 parts/3 --output diagnosis --json > diagnosis.json'
nn diagnose --merge parts/1 parts/2 parts/3 --output diagnosis --json >diagnosis.json

node - <<'CHECK'
const { readFileSync } = require('node:fs');
const read = (file) => JSON.parse(readFileSync(file));
const same = (text, a, b, besides = true) => {
  const is = JSON.stringify(a) === JSON.stringify(b) && besides;
  console.log(`${text} ${is ? 'are those' : 'ARE NOT THOSE'} of a single run`);
  if (!is) process.exitCode = 1;
};
const ranking = (file) => read(file).ranking.map(({ seconds, ...row }) => row);
const [single, merged] = ['single.json', 'merged.json'].map(ranking);
for (const { rank, trial, cost, accuracy } of merged.slice(0, 3)) console.log(`rank ${rank}: trial ${trial}, cost ${cost}, accuracy ${accuracy}`);
same(`${merged.length} trials; ranking and best.json`, single, merged, readFileSync('single/best.json').equals(readFileSync('merged/best.json')));
// what no clock and no folder decides
const timeless = ({ seconds, output, config, earlier, baseline, remedies, proposal, ...rest }) => ({
  ...rest,
  baseline: { ...baseline, seconds: null },
  remedies: remedies.map((remedy) => ({ ...remedy, timesAsLong: null })),
  proposal: proposal && { ...proposal, config: null },
});
const [one, diagnosis] = ['one.json', 'diagnosis.json'].map((file) => timeless(read(file)));
for (const { title, gain, effect } of diagnosis.remedies.slice(0, 3)) console.log(`${title}: ${gain}, ${effect}`);
same(`${diagnosis.trainings} trainings; verdict, gains, curve, divisions and suspects`, one, diagnosis);
CHECK
