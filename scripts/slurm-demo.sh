#!/usr/bin/env bash
# A search as a job array under Slurm, on this machine alone: one of its tasks is killed and requeued, the shards are merged, and the ranking is
# held against that of a single run. The array script is the one of docs/cluster.md. It installs Slurm from Debian and writes /etc/slurm/slurm.conf:
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
cp "$root/configs/tune-quickstart.json" search.json
sed -i "s/\"trials\": 12/\"trials\": $trials/" search.json
awk '/^```bash$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$root/docs/cluster.md" >search.sbatch

say sinfo
echo '$ nn tune --config search.json --output single --json > single.json'
nn tune --config search.json --output single --json --quiet >single.json
echo '$ sbatch --parsable search.sbatch'
id=$(sbatch --parsable search.sbatch)
echo "$id"

finished() { cat "shards/$victim/trials.jsonl" 2>/dev/null | wc -l; }
until [ "$(finished)" -ge 2 ]; do sleep 0.1; done
say squeue -o '%.8i %.10j %.10T %.6M %R'
pid=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).pid' "shards/$victim/run.lock")
say kill -KILL "$pid" # task $victim, in the midst of a trial
state() { scontrol show job "${id}_$victim" | grep -o 'JobState=[A-Z]*'; }
until [ "$(state)" = JobState=FAILED ]; do sleep 0.2; done
echo "task $victim: $(state), $(finished) of its trials are kept"
say scontrol requeue "${id}_$victim"
until [ -z "$(squeue -h -j "$id" 2>/dev/null)" ]; do sleep 0.5; done
scontrol show job "${id}_$victim" | grep -o 'JobState=[A-Z]*\|Restarts=[0-9]*' | paste -sd' '
echo "\$ cat ${id}_$victim.log"
grep -v '^training' "${id}_$victim.log"

echo '$ nn tune --merge shards/1 shards/2 shards/3 --output merged --json > merged.json'
nn tune --merge shards/1 shards/2 shards/3 --output merged --json >merged.json
node - <<'CHECK'
const { readFileSync } = require('node:fs');
const ranking = (file) => JSON.parse(readFileSync(file)).ranking.map(({ seconds, ...row }) => row);
const [single, merged] = ['single.json', 'merged.json'].map(ranking);
for (const { rank, trial, cost, accuracy } of merged.slice(0, 3)) console.log(`rank ${rank}: trial ${trial}, cost ${cost}, accuracy ${accuracy}`);
const same = JSON.stringify(single) === JSON.stringify(merged) && readFileSync('single/best.json').equals(readFileSync('merged/best.json'));
console.log(`${merged.length} trials; ranking and best.json ${same ? 'are those' : 'ARE NOT THOSE'} of a single run`);
process.exitCode = same ? 0 : 1;
CHECK
