// How the handlers, and the registry endpoint's server, become the code that runs: one ESM file each, with Cedar and
// the policies next to it.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { type BuildOptions, buildSync } from 'esbuild';
import { z } from 'zod';
import { type PolicyFiles, policyDirectoryName } from '../policies.ts';
import { projectRoot } from '../project-root.ts';

/** Bytes by path, relative to the task root, with `/`. */
export type Bundle = ReadonlyMap<string, Uint8Array>;

const cedarDirectory = dirname(createRequire(import.meta.url).resolve('@cedar-policy/cedar-wasm/nodejs'));

/** Not in the code: an engine that has failed is replaced by evaluating Cedar's module again (`policy/cedar.ts`). */
export const cedarBeside = (): Bundle =>
  new Map(
    ['cedar_wasm.js', 'cedar_wasm_bg.wasm'].map((name) => [name, readFileSync(join(cedarDirectory, name))]),
  );

/** What CommonJS dependencies take for granted and an ES module has not. */
const commonJsGlobals =
  "import { createRequire as createCommonJsRequire } from 'node:module';" +
  'const require = createCommonJsRequire(import.meta.url);' +
  'const __filename = import.meta.filename;' +
  'const __dirname = import.meta.dirname;';

/** How esbuild makes code. It writes nothing: what it made is in its answer. */
const build = {
  absWorkingDir: projectRoot,
  outdir: '.',
  outExtension: { '.js': '.mjs' },
  write: false,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  minify: true,
  sourcemap: true,
  sourcesContent: false,
  // Set here, so that no tsconfig.json above the project changes the code.
  tsconfigRaw: { compilerOptions: { target: 'es2024', verbatimModuleSyntax: true } },
  banner: { js: commonJsGlobals },
  logLevel: 'warning',
} satisfies BuildOptions & { write: false };

/** Relative: in an entry point that is absolute a `*` of the project's own path would be a pattern. */
const from = (entryPoint: `./${string}`, out: string) => ({
  ...build,
  entryPoints: [{ in: entryPoint, out }],
});

/** The code of all functions. */
export const handlerBuild = from('./lambda/handlers.ts', 'index');

/** What a registry endpoint's server is started from, besides its policies. */
export const serverFile = 'server.mjs';

/** The code of the registry endpoint's server. */
export const serverBuild = from('./registry/hosted/main.ts', 'server');

const sourceMap = z.looseObject({ sources: z.array(z.string()) });

/**
 * What a file is called in the source map: the same code is the same asset, wherever project and packages lie.
 *
 * @param path from `root`; packages may be linked into it, or installed next to it
 */
export function sourceName(path: string, root: string): string {
  const modules = 'node_modules/';
  const file = posix.resolve(root, path);
  const inside = posix.relative(root, file);
  return inside.startsWith('../') ? file.slice(Math.max(file.indexOf(modules), 0)) : inside;
}

function withoutPlaces(map: string): string {
  const { sources, ...rest } = sourceMap.parse(JSON.parse(map));
  return JSON.stringify({ ...rest, sources: sources.map((source) => sourceName(source, projectRoot)) });
}

/**
 * By esbuild's own interface, which takes paths as they are: what the CDK has for it writes them into a command
 * for a shell. Therefore esbuild is a dependency of the package and no peer.
 */
function compile(options: typeof handlerBuild): Bundle {
  const { outputFiles } = buildSync(options);
  const textOf = (file: string): string => {
    const output = outputFiles.find(({ path }) => path === join(projectRoot, file));
    if (!output) {
      throw new Error(`esbuild wrote no ${file}`);
    }
    return output.text;
  };
  return new Map(
    options.entryPoints.flatMap(({ out }) => [
      [`${out}.mjs`, Buffer.from(textOf(`${out}.mjs`))],
      [`${out}.mjs.map`, Buffer.from(withoutPlaces(textOf(`${out}.mjs.map`)))],
    ]),
  );
}

/** Once in a process, however many proxies and functions there are. */
const compiled = new Map<typeof handlerBuild, Bundle>();

function compiledOnce(options: typeof handlerBuild): Bundle {
  const files = compiled.get(options) ?? compile(options);
  compiled.set(options, files);
  return files;
}

const withPolicies = (options: typeof handlerBuild, policies: PolicyFiles): Bundle =>
  new Map([
    ...compiledOnce(options),
    ...cedarBeside(),
    ...[...policies].map(([name, bytes]) => [`${policyDirectoryName}/${name}`, bytes] as const),
  ]);

/** What every function is given; which export it runs is its own. */
export const bundle = (policies: PolicyFiles): Bundle => withPolicies(handlerBuild, policies);

/** What the registry endpoint's server is, on either of its hosts. */
export const serverBundle = (policies: PolicyFiles): Bundle => withPolicies(serverBuild, policies);
