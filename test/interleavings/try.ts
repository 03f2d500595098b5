import { explore } from './explorer.ts';
import { scenarios } from './scenarios.ts';
import { race } from './upload-race.ts';
const [,, which = '', count = '200', planted = '{}'] = process.argv;
for (const scenario of scenarios.filter((s) => s.name.includes(which))) {
  const t = performance.now(); const cpu = process.cpuUsage().user; let n = 0;
  const e = await explore((choose) => race(scenario, choose, JSON.parse(planted)), { reduced: scenario.reduced, atMost: Number(count),
    failed: (number, error) => { if (n++ < 2) console.log(String(number), error instanceof Error ? error.stack?.split('\n').slice(0,3).join(' | ') : error); } });
  console.log(scenario.name, JSON.stringify(e), 'failed', n, Math.round(performance.now() - t), 'ms', 'cpu', Math.round((process.cpuUsage().user-cpu)/1000));
}
