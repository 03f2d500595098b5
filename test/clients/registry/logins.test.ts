// Container tools log in, to the bridge and to the registry endpoint, and are told why they are refused.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RegistryProxy, startBridge, startProxy } from '../../support/bridge.ts';
import { buildLayouts, type Layouts } from '../../support/oci-layout.ts';
import { tokens } from '../../support/resource-api.ts';
import { frontNames, fronts } from './fronts.ts';
import { expectShown, refusals, shownIn, shownRepository } from './shown.ts';
import { skopeo, tools } from './tool-table.ts';
import { lacks, runCommands, runTool } from './tools.ts';

let directory: string;
let layouts: Layouts;
let proxy: RegistryProxy;
beforeAll(async () => {
  directory = join(tmpdir(), `logins-${process.pid}`);
  await mkdir(join(directory, '.docker'), { recursive: true });
  await writeFile(join(directory, '.docker/config.json'), '{}');
  layouts = await buildLayouts(join(directory, 'layouts'), 300_001);
  const repositories = Object.keys(tools).map((tool) => `team-a/${tool}`);
  proxy = await startProxy(join(directory, 'data'), [...repositories, shownRepository], {
    withRegistry: true,
  });
});
afterAll(async () => {
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

it.skipIf(lacks('crane')).each(frontNames)('the %s tells a user what the policy says', async (frontName) => {
  const front = await fronts[frontName](proxy, tokens.a);
  const home = join(directory, frontName);
  await front.makeHome(home);
  const push = (name: string) =>
    runTool('crane', ['push', '--insecure', layouts.directories.artifact, `${front.host}/${name}`], { home });
  try {
    await expect(push('team-b/app:x')).rejects.toThrow(/DENIED: No policy lets this client/);
    await expect(push('team-a/skopeo:latest')).rejects.toThrow(/DENIED: .*the tag latest is not allowed/);
  } finally {
    await front.stop();
  }
});

it.each(Object.entries(tools))('%s shows why it is refused, as the page says', async (tool, { push }) => {
  if (lacks(tool)) {
    return;
  }
  await expectShown(tool, async ({ token, repositoryName, tag }) => {
    const front = await fronts.endpoint(proxy, token);
    const home = await mkdtemp(join(directory, tool));
    await front.makeHome(home);
    const storage = join(home, 's');
    const name = `${front.host}/${repositoryName}:${tag}`;
    const { single: layout } = layouts.directories;
    await runCommands(tool, push.single?.({ layout, name, storage, host: front.host }) ?? [], home);
  });
});

describe('what a tool prints is read as', () => {
  it.each([
    ['the words', 'denied: No policy lets this client do UploadLayerPart in team-b/app.: 403'],
    ['the status', 'unexpected status from POST request: 403 Forbidden'],
    ['the status', 'response status code 401: Unauthorized'],
  ])('%s', (shown, printed) => {
    expect(shownIn(printed, refusals.denied)).toBe(shown);
  });

  it('neither, where it says nothing', () => {
    expect(() => shownIn('it failed', refusals.denied)).toThrow(/neither the reason nor the status/);
  });
});

/** How a tool logs in, and pushes what is in a layout with that. */
type Login = {
  login(host: string, password: string): string[];
  push(name: string): string[];
};

describe('a login', () => {
  const places: { host: string; secret: string; stop(): Promise<void> }[] = [];
  beforeAll(async () => {
    const passwordFile = join(directory, 'password');
    await writeFile(passwordFile, 'open-sesame');
    const bridge = await startBridge(proxy.proxyUrl, { token: '' });
    const guarded = await startBridge(proxy.proxyUrl, { flags: ['--password-file', passwordFile] });
    places.push(
      { ...bridge, secret: tokens.a },
      { ...guarded, secret: 'open-sesame' },
      { ...(await fronts.endpoint(proxy, tokens.a)), secret: tokens.a },
    );
  });
  afterAll(async () => {
    for (const { stop } of places) {
      await stop();
    }
  });

  const user = (password: string) => ['-u', 'any', '-p', password];
  const authfile = () => ['--authfile', join(directory, 'auth.json')];
  const stored: Login['login'] = (host, password) => [
    ...['login', '--tls-verify=false', ...authfile(), ...user(password), host],
  ];
  const layout = () => `oci:${layouts.directories.artifact}`;
  const logins: Record<string, Login> = {
    skopeo: {
      login: stored,
      push: (name) => skopeo(authfile())(layout(), name)[0] ?? [],
    },
    // What they have in their storage they push as all do; a login is theirs alone.
    podman: { login: stored, push: () => ['--version'] },
    buildah: { login: stored, push: () => ['--version'] },
    oras: {
      login: (host, password) => ['login', '--plain-http', ...user(password), host],
      // With a layout it would push the whole image that the artifact is of.
      push: (name) => ['push', '--plain-http', '--no-tty', name, 'password'],
    },
    crane: {
      login: (host, password) => ['auth', 'login', ...user(password), host],
      push: (name) => ['push', '--insecure', layouts.directories.artifact, name],
    },
  };
  const run = (tool: string, args: string[]) => runTool(tool, args, { home: directory });
  const refused = /unauthorized|authentication required|invalid username\/password|401/i;

  it.each(Object.entries(logins))(
    'by %s with a wrong password pushes nothing, and with a right one it does',
    async (tool, { login, push }) => {
      if (lacks(tool)) {
        return;
      }
      for (const { host, secret } of places) {
        const name = `${host}/team-a/${tool}:login`;
        // Crane does not try what it is given before it pushes.
        const wrong = async () => {
          await run(tool, login(host, 'eup_team-a-ci_wrong'));
          await run(tool, push(name));
        };
        await expect(wrong()).rejects.toThrow(refused);
        await run(tool, login(host, secret));
        await run(tool, push(name));
      }
    },
  );
});
