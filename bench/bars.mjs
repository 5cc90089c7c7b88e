// What must hold (ratios of medians in one run), and the sentences that say whether it does. Pure; tested in test/bench/.
// `job` and `ours` name a row of the results; `against` another row of the job, or 'the fastest peer'; `times` how many times as
// fast ours must be. `slower` is a bar the other way: at most so many times as long, plus `plus` ms.
// `share` is a bar on the bytes that ours reads a second, as a share of the fastest way in which the job `bandwidth` reads.
export const bars = [
  { job: 'J1-whole', ours: 'nn, as the planner chooses', against: 'NumPy, float64', times: 20 },
  { job: 'J1-whole', ours: 'nn, as the planner chooses', against: 'the fastest peer', times: 8 },
  { job: 'J1', ours: 'nn direct, float32', against: 'the fastest peer', times: 1 },
  { job: 'J1', ours: 'nn direct, float64', against: 'NumPy, float64', times: 1 },
  { job: 'J3', ours: 'nn direct, float32', against: 'the fastest peer', times: 1.3 },
  { job: 'J3', ours: 'nn direct, float32, fast', against: 'the fastest peer', times: 1.6 },
  { job: 'J2', ours: 'nn direct, float32', against: 'NumPy, float32', times: 1 },
  { job: 'J2', ours: 'nn dual, float64', against: 'the fastest peer', times: 3 },
  { job: 'L', ours: 'nn direct, float32', against: 'NumPy, float32', times: 2 },
  { job: 'L', ours: 'nn direct, float32', share: 0.6 },
  { job: 'start', ours: 'nn predict one.jpg', against: 'node: sharp decodes one.jpg', slower: 2.5, plus: 0 },
  { job: 'start', ours: 'nn --help', against: 'node -e 0', slower: 1.5, plus: 100 },
];

/** A bar held against the results.
 *  @param results  { [job]: { bytes?, rows: { label, peer, median }[] } }; rows without a median do not count
 *  @returns `holds` (null: not measured) and `text` */
export function judge(bar, results) {
  const { job, ours } = bar;
  const rows = (results[job]?.rows ?? []).filter(({ median }) => median !== undefined);
  const own = rows.find(({ label }) => label === ours);
  const missing = (what) => ({ holds: null, text: `${job}: ${what} was not measured` });
  if (own === undefined) return missing(ours);
  if (bar.share !== undefined) return judgeShare(bar, own, results);
  const peers = rows.filter(({ peer }) => peer).sort((a, b) => a.median - b.median);
  const other = bar.against === 'the fastest peer' ? peers[0] : rows.find(({ label }) => label === bar.against);
  if (other === undefined) return missing(bar.against);
  const name = bar.against === other.label ? other.label : `${other.label}, ${bar.against}`;
  if (bar.times !== undefined) {
    const times = other.median / own.median;
    return {
      holds: times >= bar.times,
      text: `${job}: ${ours} is ${digits(times)} times as fast as ${name}; wanted ${bar.times}`,
    };
  }
  const most = bar.slower * other.median + bar.plus;
  const wanted = `at most ${bar.slower} times${bar.plus > 0 ? ` plus ${bar.plus} ms` : ''}`;
  const times = digits(own.median / other.median);
  return {
    holds: own.median <= most,
    text: `${job}: ${ours} takes ${digits(own.median)} ms, ${times} times as long as ${name}; wanted ${wanted}, ${digits(most)} ms`,
  };
}

function judgeShare({ job, ours, share }, own, results) {
  const { bytes: each, rows = [] } = results.bandwidth ?? {};
  const [best] = rows.filter(({ median }) => median !== undefined).sort((a, b) => a.median - b.median);
  if (best === undefined) return { holds: null, text: `${job}: the memory's bandwidth was not measured` };
  const [reached, possible] = [results[job].bytes / own.median, each / best.median];
  const found = reached / possible;
  const rates = `${digits(reached / 1e6)} of ${digits(possible / 1e6)} GB/s`;
  return {
    holds: found >= share,
    text: `${job}: ${ours} reads ${rates}, ${digits(100 * found)}% of the bandwidth (${best.label}); wanted ${100 * share}%`,
  };
}

const digits = (value) => String(Number(value.toPrecision(3)));
