// The OCI distribution-spec's own conformance suite against the bridge and the registry endpoint: what they cannot serve is listed.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RegistryProxy, startProxy } from '../../support/bridge.ts';
import { tokens } from '../../support/resource-api.ts';
import { type FrontName, frontNames, fronts } from './fronts.ts';
import { findTool, lacks } from './tools.ts';

/** What fails at both, and why it must. */
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

/** What fails where nothing is kept between requests: any instance takes any of them. */
const unservedAt: Readonly<Record<FrontName, Readonly<Record<string, string>>>> = {
  bridge: {},
  endpoint: {
    'Push Blob Upload Chunked Retry previous blob chunk should return 416':
      'a body from byte 0 begins the layer again: containerd, buildkit, oras and regctl send it so after a failure',
    'Push Blob Upload Chunked Get on stale blob upload should return 204 with a range and location':
      'the upload at ECR begins with the first byte, and no earlier Location can name it',
  },
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
  const names = frontNames.flatMap((front) => [`team-a/${front}/conformance`, `team-a/${front}/mounted`]);
  proxy = await startProxy(join(directory, 'data'), names, { withRegistry: true });
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

const runSuite = (suite: string, url: string, front: string): Promise<void> =>
  new Promise((resolve) => {
    const env = {
      ...process.env,
      OCI_ROOT_URL: url,
      OCI_NAMESPACE: `team-a/${front}/conformance`,
      OCI_CROSSMOUNT_NAMESPACE: `team-a/${front}/mounted`,
      OCI_USERNAME: 'any',
      OCI_PASSWORD: tokens.a,
      OCI_TEST_PULL: '1',
      OCI_TEST_PUSH: '1',
      OCI_TEST_CONTENT_DISCOVERY: '1',
      OCI_TEST_CONTENT_MANAGEMENT: '1',
      OCI_REPORT_DIR: directory,
    };
    // It ends with 1, because of what is unserved.
    execFile(suite, { env, cwd: directory }, () => resolve());
  });

it.skipIf(lacks('conformance.test')).each(frontNames)(
  'the %s passes, but for deleting',
  async (frontName) => {
    const suite = findTool('conformance.test');
    if (!suite) {
      throw new Error('the conformance suite is not installed: run test/clients/install');
    }
    const front = await fronts[frontName](proxy, tokens.a);
    await runSuite(suite, front.url, frontName).finally(() => front.stop());
    const outcomes = outcomesOf(await readFile(join(directory, 'junit.xml'), 'utf8'));
    const named = (status: string) =>
      outcomes
        .filter((outcome) => outcome.status === status)
        .map(({ name }) => name)
        .sort();
    const failing = { ...unserved, ...unservedAt[frontName] };
    expect(named('failed')).toEqual(Object.keys(failing).sort());
    expect(named('skipped')).toEqual(Object.keys(leftOut).sort());
    expect(named('passed').length).toBeGreaterThanOrEqual(70 - Object.keys(unservedAt[frontName]).length);
  },
);
