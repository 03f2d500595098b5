// The OCI distribution-spec's own conformance suite against the bridge: what a push-only registry can't serve is listed.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RegistryProxy, startBridge, startProxy } from '../../support/bridge.ts';
import { findTool, lacks } from './tools.ts';

/** What fails, and why it must. */
const unserved: Readonly<Record<string, string>> = {
  'Content Management Manifest delete DELETE request to manifest (digest) should yield 202 response unless already deleted':
    'the proxy deletes nothing: it lets clients push, and no more',
  'Content Management Manifest delete GET request to tags list should reflect manifest deletion':
    'nothing is deleted',
  'Content Management Blob delete DELETE request to blob URL should yield 202 response':
    'the proxy deletes nothing',
  'Content Management Blob delete GET request to deleted blob URL should yield 404 response':
    'nothing is deleted',
};

/** What the suite itself leaves out, because of an answer that the spec allows. */
const leftOut: Readonly<Record<string, string>> = {
  'Pull Setup Get tag name from environment': 'the suite pushes its own',
  'Content Discovery Setup Populate registry with test tags (no push)': 'the suite pushes its own',
  'Push Cross-Repository Blob Mount GET request to test digest within cross-mount namespace should return 200':
    "ECR's layer API cannot mount: the answer is 202, and the blob is pushed",
  'Push Cross-Repository Blob Mount Cross-mounting without from, and automatic content discovery enabled should return a 201':
    'nothing is mounted',
  'Push Cross-Repository Blob Mount Cross-mounting without from, and automatic content discovery disabled should return a 202':
    'nothing is mounted',
};

let directory: string;
let proxy: RegistryProxy;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'conformance-'));
  proxy = await startProxy(join(directory, 'data'), ['team-a/conformance', 'team-a/mounted']);
});
afterAll(async () => {
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

type Outcome = { name: string; status: string };

const textOf = (xml: string): string =>
  xml.replaceAll('&#39;', "'").replaceAll('&quot;', '"').replaceAll('&amp;', '&');

/** Of the suite's report, in the form of JUnit. */
const outcomesOf = (report: string): Outcome[] =>
  [
    ...report.matchAll(
      /<testcase name="\[It\] OCI Distribution Conformance Tests ([^"]*)"[^>]*? status="(\w+)"/g,
    ),
  ].map(([, name = '', status = '']) => ({ name: textOf(name), status }));

const runSuite = (suite: string, url: string): Promise<void> =>
  new Promise((resolve) => {
    const env = {
      ...process.env,
      OCI_ROOT_URL: url,
      OCI_NAMESPACE: 'team-a/conformance',
      OCI_CROSSMOUNT_NAMESPACE: 'team-a/mounted',
      OCI_TEST_PULL: '1',
      OCI_TEST_PUSH: '1',
      OCI_TEST_CONTENT_DISCOVERY: '1',
      OCI_TEST_CONTENT_MANAGEMENT: '1',
      OCI_REPORT_DIR: directory,
    };
    // It ends with 1, because of what is unserved.
    execFile(suite, { env, cwd: directory }, () => resolve());
  });

it.skipIf(lacks('conformance.test'))('passes, but for deleting', async () => {
  const suite = findTool('conformance.test');
  if (!suite) {
    throw new Error('the conformance suite is not installed: run test/clients/install');
  }
  const bridge = await startBridge(proxy.proxyUrl, { flags: ['--quiet'] });
  await runSuite(suite, bridge.url).finally(() => bridge.stop());
  const outcomes = outcomesOf(await readFile(join(directory, 'junit.xml'), 'utf8'));
  const named = (status: string) =>
    outcomes
      .filter((outcome) => outcome.status === status)
      .map(({ name }) => name)
      .sort();
  expect(named('failed')).toEqual(Object.keys(unserved).sort());
  expect(named('skipped')).toEqual(Object.keys(leftOut).sort());
  expect(named('passed').length).toBeGreaterThanOrEqual(70);
});
