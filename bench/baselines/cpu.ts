import { CPU_WORK } from "../scripts.ts";

// The function of the case `cpu` in plain Node: prints how long it takes, ms, again and again.

const work = new Function(`${CPU_WORK} return work;`)() as (rounds: number) => number;
const rounds = Number(process.argv[2]);
work(rounds);
for (let n = 0; n < Number(process.argv[3]); n++) {
  const begun = performance.now();
  const result = work(rounds);
  process.stdout.write(`${JSON.stringify({ ms: performance.now() - begun, result })}\n`);
}
