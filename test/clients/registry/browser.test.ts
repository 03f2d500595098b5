// Chromium on a page that attacks a bridge which lends its token: nothing is read, and nothing reaches the proxy.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bridge, startBridge } from '../../support/bridge.ts';
import { type CountingProxy, startCountingProxy } from '../../support/counting-proxy.ts';
import { type Outcomes, startHostileSite } from './hostile-site.ts';
import { findTool, lacks } from './tools.ts';

const browser = 'chromium-headless-shell';

describe.skipIf(lacks(browser))('a hostile page in Chromium', () => {
  let directory: string;
  let proxy: CountingProxy;
  let bridge: Bridge;
  let outcomes: Outcomes;
  let chromium: ChildProcess;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'browser-'));
    proxy = await startCountingProxy();
    bridge = await startBridge(proxy.url);
    const site = await startHostileSite(bridge.url);
    chromium = spawn(
      findTool(browser) ?? browser,
      [
        // The site is on loopback itself, and so asks for nothing that Chromium would keep from the sites of others.
        ...['--no-sandbox', '--disable-gpu', `--user-data-dir=${directory}`],
        `--host-resolver-rules=${site.resolverRules}`,
        site.url,
      ],
      { stdio: 'ignore' },
    );
    const gone = once(chromium, 'exit').then(([status]) => {
      throw new Error(`${browser} ended with ${status} before its page had tried everything`);
    });
    outcomes = await Promise.race([site.outcomes, gone]);
    gone.catch(() => {});
    await site.close();
  });
  afterAll(async () => {
    if (chromium?.exitCode === null) {
      const ended = once(chromium, 'exit');
      chromium.kill();
      await ended;
    }
    await bridge?.stop();
    await proxy?.close();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  });

  it('tries everything, and reads nothing but that it is refused', () => {
    expect(Object.keys(outcomes).length).toBeGreaterThan(50);
    for (const [attempt, outcome] of Object.entries(outcomes)) {
      expect(outcome, attempt).toMatch(/^(403 |refused: |opaque$|loaded$|\{"errors":\[\{"code":"DENIED")/);
    }
  });

  it('is refused at every request that came through, blind ones too', () => {
    const statuses = new Map<string, number>();
    for (const line of bridge.log) {
      const [method, , status] = line.split(' ');
      const key = `${method} ${status}`;
      statuses.set(key, (statuses.get(key) ?? 0) + 1);
    }
    expect([...statuses.keys()].filter((key) => !key.endsWith(' 403'))).toEqual([]);
    expect(statuses.get('POST 403')).toBeGreaterThan(280);
    expect(statuses.get('OPTIONS 403')).toBeGreaterThan(1);
    expect(statuses.get('GET 403')).toBeGreaterThan(10);
  });

  it('moves the proxy to nothing, while a tool of the machine is served', async () => {
    expect(proxy.requests()).toBe(0);
    expect((await fetch(`${bridge.url}/v2/`)).status).toBe(200);
    expect(proxy.requests()).toBe(1);
  });
});
