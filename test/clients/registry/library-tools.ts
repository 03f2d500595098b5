// Clients that are libraries or bring files of their own: Jib for Java, oras-py for Python, and Helm's charts.

import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findTool, installed, runTool } from './tools.ts';

export type Place = { host: string; repositoryName: string; tag: string; token: string; home: string };
export type LibraryTool = {
  /** As it is in docs/registry-endpoint.md. */
  name: string;
  /** Why its tests are left out. */
  lacking(): string | undefined;
  /** Pushes this as its one file, or in it. */
  push(place: Place, content: Buffer): Promise<unknown>;
  /** @returns what was pushed */
  pull?(place: Place): Promise<Buffer>;
  /** What it needs to read before it is done: nobody pushes with it who may not. */
  readsBack?: boolean;
  /** Its tags are versions. */
  tagsVersionsAlone?: boolean;
};

const inJib = (name: string) => join(installed, 'jib', name);
const python = join(installed, 'venv/bin/python');
const orasPy = join(import.meta.dirname, '../python/oras_tool.py');

async function fileOf({ home }: Place, content: Buffer): Promise<string> {
  const file = join(home, 'content');
  await writeFile(file, content);
  return file;
}

const imageOf = ({ host, repositoryName, tag }: Place): string => `${host}/${repositoryName}:${tag}`;
const chartOf = ({ repositoryName }: Place): string =>
  repositoryName.slice(repositoryName.lastIndexOf('/') + 1);
/** Helm adds the chart's name. */
const aboveChart = ({ host, repositoryName }: Place): string =>
  `oci://${host}/${repositoryName.slice(0, repositoryName.lastIndexOf('/'))}`;

const helm = ({ home }: Place, ...args: string[]) =>
  runTool('helm', args, { home, environment: { HELM_REGISTRY_CONFIG: join(home, '.docker/config.json') } });

export const libraryTools: readonly LibraryTool[] = [
  {
    name: 'Jib',
    lacking: () =>
      findTool('java') && existsSync(inJib('JibTool.class'))
        ? undefined
        : 'Jib is not installed: test/clients/install does, where there are Java and Maven',
    push: async (place, content) => {
      const file = await fileOf(place, content);
      // It sends no password without TLS, not even on this machine, unless it is told to.
      const flags = ['-DsendCredentialsOverHttp=true', '-cp', `${inJib('lib')}/*:${inJib('')}`];
      // What lives for seconds is not worth compiling well.
      const hasty = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
      const args = [...hasty, ...flags, 'JibTool', imageOf(place), place.token, file];
      return runTool('java', args, { home: place.home });
    },
  },
  {
    name: 'oras-py',
    lacking: () => (existsSync(python) ? undefined : 'oras-py is not installed: run test/clients/install'),
    push: async (place, content) => {
      const { host, repositoryName, tag, token, home } = place;
      const file = await fileOf(place, content);
      return runTool(python, [orasPy, 'push', host, `${repositoryName}:${tag}`, token, file], { home });
    },
    pull: async ({ host, repositoryName, tag, token, home }) => {
      const folder = join(home, 'pulled');
      await runTool(python, [orasPy, 'pull', host, `${repositoryName}:${tag}`, token, folder], { home });
      return readFile(join(folder, 'content'));
    },
  },
  {
    name: 'helm',
    lacking: () =>
      findTool('helm') ? undefined : 'helm takes minutes to build: ALL_KINDS=1 npm run test:clients does',
    push: async (place, content) => {
      const [chart, archive] = [join(place.home, 'chart'), `${chartOf(place)}-${place.tag}.tgz`];
      await mkdir(chart, { recursive: true });
      const description = `apiVersion: v2\nname: ${chartOf(place)}\nversion: ${place.tag}\n`;
      await writeFile(join(chart, 'Chart.yaml'), description);
      await writeFile(join(chart, 'content'), content.toString('base64'));
      await helm(place, 'package', chart);
      return helm(place, 'push', archive, aboveChart(place), '--plain-http');
    },
    pull: async (place) => {
      const folder = join(place.home, 'pulled');
      const from = `${aboveChart(place)}/${chartOf(place)}`;
      await helm(place, 'pull', from, '--version', place.tag, '--plain-http', '--untar', '-d', folder);
      return Buffer.from(await readFile(join(folder, chartOf(place), 'content'), 'utf8'), 'base64');
    },
    readsBack: true,
    tagsVersionsAlone: true,
  },
];
