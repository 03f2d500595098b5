// Cedar's engine: a WebAssembly instance that is replaced when it fails.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileFunction } from 'node:vm';

/** What the package exports, and each of its engines has. */
export type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs');

const requireFrom = createRequire(import.meta.url);

/** The bundle has the package's two files next to it; from its sources, the program finds them where npm put them. */
const besideTheBundle = join(import.meta.dirname, 'cedar_wasm.js');
const source = existsSync(besideTheBundle)
  ? besideTheBundle
  : requireFrom.resolve('@cedar-policy/cedar-wasm/nodejs');

/**
 * The package makes one engine when it is loaded and has no function for another: so its module is evaluated once
 * for each. V8 keeps the compiled WebAssembly as long as one of them lives.
 */
const evaluateModule = compileFunction(
  `${readFileSync(source).toString()}\nreturn exports;`,
  ['exports', 'require', '__dirname'],
  { filename: source },
);

export const newCedar = (): Cedar => evaluateModule({}, requireFrom, dirname(source));

/** Asks the engine that is there. Throws what the engine throws, and has replaced it by then. */
export type Engine = <T>(ask: (cedar: Cedar) => T) => T;

/**
 * After a trap an engine answers nothing any more, and after an exception it has lost a piece of its stack: neither
 * is asked again. The call that failed waits for the new one, not the call after it.
 *
 * @param prepare what each new engine has to know before it is asked
 * @param make for tests, which plant engines that fail
 */
export function openEngine(prepare: (cedar: Cedar) => void, make: () => Cedar = newCedar): Engine {
  const prepared = () => {
    const cedar = make();
    prepare(cedar);
    return cedar;
  };
  let current: Cedar | undefined;
  return (ask) => {
    current ??= prepared();
    try {
      return ask(current);
    } catch (error) {
      current = undefined;
      try {
        current = prepared();
      } catch {
        // The next call tries again, and fails with the reason.
      }
      throw error;
    }
  };
}
