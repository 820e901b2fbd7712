import { expect, test } from "vitest";
import { readCpuProfile, readTickLog } from "../../bench/cpu-profile.ts";

const frame = (functionName: string, url = "", lineNumber = 0) => ({ functionName, url, lineNumber });

test("own times of a thread by function, without its idle time, the most expensive first", () => {
  const nodes = [
    { id: 1, callFrame: frame("(idle)") },
    { id: 2, callFrame: frame("run", "file:///home/someone/weft/src/engine/runner.ts", 9) },
    { id: 3, callFrame: frame("", "file:///home/someone/weft/node_modules/x/index.js", 0) },
    { id: 4, callFrame: frame("run", "file:///home/someone/weft/src/engine/runner.ts", 9) },
  ];
  const profile = { nodes, samples: [1, 3, 2, 4], timeDeltas: [9_000, 1_000, 2_000, 1_000] };
  expect(readCpuProfile("server.cpuprofile", profile)).toEqual({
    file: "server.cpuprofile",
    busyMs: 4,
    costs: [
      { name: "run src/engine/runner.ts:10", ms: 3, share: 0.75 },
      { name: "(anonymous) node_modules/x/index.js:1", ms: 1, share: 0.25 },
    ],
  });
});

test("ticks of a host by their innermost function", () => {
  const code = [
    { name: "turn [stdin]:186:15", type: "JS" },
    { name: "pthread_cond_signal", type: "CPP" },
  ];
  const ticks = [{ s: [1, 0, 0, 0] }, { s: [1, 0] }, { s: [0, 0] }, { s: [] }];
  expect(readTickLog("host.json", { code, ticks })).toEqual({
    file: "host.json",
    busyMs: 4,
    costs: [
      { name: "pthread_cond_signal", ms: 2, share: 0.5 },
      { name: "turn [stdin]:186:15", ms: 1, share: 0.25 },
      { name: "(unknown)", ms: 1, share: 0.25 },
    ],
  });
});
