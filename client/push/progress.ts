// Shows how far each blob is: bars on a terminal, plain lines elsewhere.

import { MultiBar } from 'cli-progress';

/** Called with the number of bytes that the proxy has of one blob. */
type Report = (acknowledgedBytes: number) => void;

export type Progress = { begin(name: string, totalBytes: number): Report; end(): void };

const MiB = 1_048_576;
const inMiB = (bytes: number) => (bytes / MiB).toFixed(1);
const amountOf = (bytes: number) => (bytes < MiB ? `${bytes} bytes` : `${inMiB(bytes)} MiB`);

export function progressBars(): Progress {
  const bars = new MultiBar({
    format: '  {name} {bar} {percentage} %  {done} of {all} MiB',
    formatValue: (value, _options, type) =>
      type === 'percentage' ? String(value).padStart(3) : String(value),
    barsize: 30,
    hideCursor: true,
    gracefulExit: false,
  });
  return {
    begin(name, totalBytes) {
      const all = inMiB(totalBytes);
      const bar = bars.create(totalBytes, 0, { name: name.padEnd(14), done: inMiB(0), all });
      return (bytes) => bar.update(bytes, { done: inMiB(bytes) });
    },
    end: () => bars.stop(),
  };
}

/** A line at each quarter of a blob. */
export const progressLines = (print: (line: string) => void): Progress => ({
  begin(name, totalBytes) {
    let shown = 0;
    return (bytes) => {
      const quarter = Math.floor((4 * bytes) / totalBytes);
      if (quarter > shown) {
        print(`  ${name}: ${amountOf(bytes)} of ${amountOf(totalBytes)}`);
      }
      shown = quarter;
    };
  },
  end: () => {},
});
