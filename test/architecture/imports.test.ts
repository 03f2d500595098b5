import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

const filesBelow = (directory: string): string[] =>
  readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(directory, file));

/** Which room may import from which others. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  api: [],
  policy: ['api'],
  lambda: ['api', 'policy'],
  registry: ['api', 'policy', 'lambda'],
  client: ['api', 'registry'],
  lib: ['api', 'policy'],
  cli: ['api', 'policy', 'client', 'registry'],
  local: ['api', 'lib', 'client'],
  // Whether a text is a token of ours, the command that mints them knows.
  'supply-chain': ['lib', 'cli'],
  bin: ['api', 'lib', 'client'],
  // It measures what the tests start, by the tools that they push with.
  bench: ['api', 'test'],
};
const files = Object.keys(rooms).flatMap(filesBelow);
const roomOf = (file: string) => file.split('/')[0] ?? '';

type Import = { from: string; to: string; typeOnly: boolean };

/** The imports between the project's own files, by path from the root. */
const imports: Import[] = files.flatMap((from) =>
  [
    ...readFileSync(join(root, from), 'utf8').matchAll(
      /^(?:import|export) (type )?(?:[^'"]*? from )?'(\.[^']+)';/gms,
    ),
  ].map(([, type, target = '']) => ({
    from,
    to: relative(root, resolve(root, dirname(from), target)),
    typeOnly: type !== undefined,
  })),
);

const show = ({ from, to }: Import) => `${from} → ${to}`;
const offending = (rule: (one: Import) => boolean) => imports.filter((one) => !rule(one)).map(show);

/** Files that reach each other by their imports, types included: each circle once. */
function circlesOf(edges: readonly Import[]): string[] {
  const targets = Map.groupBy(edges, ({ from }) => from);
  const reachedFrom = (start: string) => {
    const reached = new Set<string>();
    const waiting = [start];
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      for (const { to } of targets.get(file) ?? []) {
        if (!reached.has(to)) {
          waiting.push(to);
        }
        reached.add(to);
      }
    }
    return reached;
  };
  const reached = new Map([...targets.keys()].map((file) => [file, reachedFrom(file)]));
  const circles = [...reached.keys()]
    .filter((file) => reached.get(file)?.has(file))
    .map((file) => [...(reached.get(file) ?? [])].filter((other) => reached.get(other)?.has(file)))
    .map((circle) => circle.sort().join(' ↔ '));
  return [...new Set(circles)];
}

describe('the rooms', () => {
  it('are read by this test at all', () => {
    expect(imports.length).toBeGreaterThan(50);
  });

  it('import only from those that they may know', () => {
    const projectFiles = imports.filter(({ to }) => to.includes('/'));
    expect(
      projectFiles
        .filter(({ from, to }) => ![roomOf(from), ...(rooms[roomOf(from)] ?? [])].includes(roomOf(to)))
        .map(show),
    ).toEqual([]);
  });

  it('has a test for circles that finds them', () => {
    const edge = (from: string, to: string) => ({ from, to, typeOnly: true });
    expect(circlesOf([edge('a', 'b'), edge('b', 'c'), edge('c', 'b'), edge('c', 'd')])).toEqual(['b ↔ c']);
  });

  it('have no circle between files, types included', () => {
    expect(circlesOf(imports)).toEqual([]);
  });

  it('supply-chain takes one file of the command line', () => {
    expect(
      offending(
        ({ from, to }) =>
          !(from.startsWith('supply-chain/') && to.startsWith('cli/')) || to === 'cli/tokens/mint.ts',
      ),
    ).toEqual([]);
  });

  it('the bridge takes the registry’s port, and nothing of its HTTP', () => {
    expect(
      offending(
        ({ from, to }) =>
          !(from.startsWith('client/') && to.startsWith('registry/')) ||
          (from.startsWith('client/bridge/') && to === 'registry/port.ts'),
      ),
    ).toEqual([]);
  });

  it('the ECR stand-in takes nothing from the code it judges', () => {
    expect(
      offending(({ from, to }) => !from.startsWith('local/ecr/') || to.startsWith('local/ecr/')),
    ).toEqual([]);
  });

  it('the registry’s port and front know the contract alone, and what is hosted knows how the steps are walked', () => {
    const isHosted = (file: string) => file.startsWith('registry/hosted/');
    const entries = [
      'lambda/serve.ts',
      'lambda/services.ts',
      'lambda/retries.ts',
      'lambda/environment.ts',
      'lambda/incoming-call.ts',
      'lambda/telemetry/call-record.ts',
      'policy/principal.ts',
    ];
    const isOf = (file: string, ...rooms: readonly string[]) => rooms.includes(roomOf(file));
    expect(
      offending(
        ({ from, to }) =>
          !isOf(from, 'registry') ||
          isOf(to, 'api') ||
          (isHosted(from)
            ? isOf(to, 'registry') || entries.includes(to)
            : isOf(to, 'registry') && !isHosted(to)),
      ),
    ).toEqual([]);
    // A client has no server’s code in it.
    expect(offending(({ from, to }) => !(isOf(from, 'client', 'cli') && isHosted(to)))).toEqual([]);
  });

  it('handlers.ts takes what makes a handler and its services, and nothing else', () => {
    const known = ['lambda/gateway/handler.ts', 'lambda/function-services.ts'];
    expect(offending(({ from, to }) => from !== 'lambda/handlers.ts' || known.includes(to))).toEqual([]);
  });

  it('steps take no code from each other, only the types that they pass on', () => {
    const stepOf = (file: string) => /^lambda\/steps\/(\w+)/.exec(file)?.[1];
    expect(
      offending(
        ({ from, to, typeOnly }) =>
          typeOnly || stepOf(from) === undefined || [undefined, stepOf(from)].includes(stepOf(to)),
      ),
    ).toEqual([]);
  });

  it('serve, and all that it walks through, know nothing of API Gateway, Lambda or HTTP', () => {
    const isEdge = (file: string) => file.startsWith('lambda/gateway/') || file === 'lambda/handlers.ts';
    const isInside = (file: string) =>
      file.startsWith('lambda/') &&
      !isEdge(file) &&
      !['lambda/services.ts', 'lambda/function-services.ts'].includes(file);
    expect(offending(({ from, to }) => !isInside(from) || !isEdge(to))).toEqual([]);
    const foreign = files
      .filter(isInside)
      .filter((file) =>
        /from '(?:aws-lambda|@middy\/|node:http)/.test(readFileSync(join(root, file), 'utf8')),
      );
    expect(foreign).toEqual([]);
  });

  it('ECR and S3 are reached by forward alone; services only makes the clients', () => {
    const isAllowed = (file: string) =>
      /^lambda\/steps\/forward[./]/.test(file) || file === 'lambda/services.ts';
    const isUpstream = (file: string) =>
      /^lambda\/upload\/(?:ecr|staging|layer-upload|direct-upload)\.ts$/.test(file);
    expect(offending(({ from, to }) => !isUpstream(to) || isUpstream(from) || isAllowed(from))).toEqual([]);
  });

  it('have one handler for each operation, one for the AWS API, and one for session tokens', async () => {
    const { operationNames } = await import('../../api/operations.ts');
    const text = readFileSync(join(root, 'lambda/handlers.ts'), 'utf8');
    const exported = [...text.matchAll(/^export const (\w+) = \w+\((?:'(\w+)', )?services\);$/gm)];
    const served = [...operationNames, 'AwsDoor', 'CreateSessionToken'];
    expect(exported.map(([, name = '']) => name)).toEqual(
      served.map((name) => name.charAt(0).toLowerCase() + name.slice(1)),
    );
    expect(exported.flatMap(([, , operation]) => operation ?? [])).toEqual([...operationNames]);
  });

  it('open each file with one sentence that says what room it is', () => {
    const silent = files.filter((file) => !/^(#!.*\n)?\/\/ \S/.test(readFileSync(join(root, file), 'utf8')));
    expect(silent).toEqual([]);
  });
});
