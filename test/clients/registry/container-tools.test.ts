// Container tools as they come push through the bridge; what they pushed is read back byte by byte.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bridge, type RegistryProxy, startBridge, startProxy } from '../../support/bridge.ts';
import { buildLayouts, type Layouts } from '../../support/oci-layout.ts';
import { pull } from '../../support/pulled.ts';
import { tokens } from '../../support/resource-api.ts';
import { lacks, runTool } from './tools.ts';

const MiB = 1_048_576;
const largeLayerBytes = 256 * MiB;
/** Issue 5: however long a layer is. */
const maxBridgeBytes = 150 * MiB;

type Kind = keyof Layouts['directories'];
type Arguments = { layout: string; name: string; host: string; storage: string };
/** The commands that push a layout of one kind to `name`; undefined where the tool cannot. */
type Tool = {
  push: Record<Kind, ((args: Arguments) => string[][]) | undefined>;
  /** It makes layers and manifests of its own of what it has in its storage. */
  rewrites?: boolean;
};

/** What the command before has printed: the id of the image that it pulled. */
const pulledImage = 'THE IMAGE';
/** An index in a tool's own storage. */
const localList = 'localhost/multi';

/** With a storage of their own, of plain directories: overlays cannot be mounted everywhere. */
const store = (storage: string) => [
  '--root',
  `${storage}/root`,
  '--runroot',
  `${storage}/run`,
  '--storage-driver',
  'vfs',
];
const skopeo = (flags: string[]) => (layout: string, name: string) => [
  ['copy', '--insecure-policy', '--dest-tls-verify=false', ...flags, layout, `docker://${name}`],
];
const crane = ({ layout, name }: Arguments) => [['push', '--insecure', layout, name]];
const oras =
  (kind: Kind) =>
  ({ layout, name }: Arguments) => [
    ['cp', '--no-tty', '--from-oci-layout', '--to-plain-http', `${layout}:${kind}`, name],
  ];
const regctl =
  (kind: Kind) =>
  ({ layout, name, host }: Arguments) => [
    ['registry', 'set', host, '--tls', 'disabled'],
    ['image', 'copy', `ocidir://${layout}:${kind}`, name],
  ];

/** What podman and buildah have in common: they push what they have pulled into their storage. */
const fromStorage: Tool = {
  push: {
    single: ({ layout, name, storage }) => [
      [...store(storage), 'pull', '--quiet', `oci:${layout}:single`],
      [
        ...store(storage),
        'push',
        '--tls-verify=false',
        '--quiet',
        '--format',
        'oci',
        pulledImage,
        `docker://${name}`,
      ],
    ],
    multi: ({ layout, name, storage }) => [
      [...store(storage), 'manifest', 'create', '--all', localList, `oci:${layout}:multi`],
      [...store(storage), 'manifest', 'push', '--all', '--tls-verify=false', localList, `docker://${name}`],
    ],
    artifact: undefined,
  },
  rewrites: true,
};

const tools: Record<string, Tool> = {
  skopeo: {
    push: {
      single: ({ layout, name }) => skopeo([])(`oci:${layout}:single`, name),
      multi: ({ layout, name }) => skopeo(['--all'])(`oci:${layout}:multi`, name),
      artifact: ({ layout, name }) => skopeo([])(`oci:${layout}:artifact`, name),
    },
  },
  podman: fromStorage,
  buildah: fromStorage,
  crane: { push: { single: crane, multi: crane, artifact: crane } },
  oras: { push: { single: oras('single'), multi: oras('multi'), artifact: oras('artifact') } },
  regctl: { push: { single: regctl('single'), multi: regctl('multi'), artifact: regctl('artifact') } },
};
const kinds: readonly Kind[] = ['single', 'multi', 'artifact'];

let directory: string;
let layouts: Layouts;
let proxy: RegistryProxy;

beforeAll(async () => {
  // In lower case alone: podman names images by their directory.
  directory = join(tmpdir(), `container-tools-${process.pid}`);
  await mkdir(join(directory, '.docker'), { recursive: true });
  await writeFile(join(directory, '.docker/config.json'), '{}');
  layouts = await buildLayouts(join(directory, 'layouts'), largeLayerBytes);
  proxy = await startProxy(
    join(directory, 'data'),
    Object.keys(tools).map((name) => `team-a/${name}`),
  );
});
afterAll(async () => {
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

describe.each(Object.entries(tools))('%s', (tool, { push, rewrites }) => {
  let bridge: Bridge;
  beforeAll(async () => {
    bridge = await startBridge(proxy.proxyUrl);
  });
  afterAll(async () => bridge?.stop());

  for (const kind of kinds) {
    it.skipIf(lacks(tool))(`pushes ${kind} through the bridge, whole`, async ({ skip }) => {
      const commands = push[kind] ?? skip(`${tool} pushes none`);
      const repositoryName = `team-a/${tool}`;
      const name = `${bridge.host}/${repositoryName}:${kind}`;
      const storage = join(directory, `storage-${tool}`);
      const args = { layout: layouts.directories[kind], name, host: bridge.host, storage };
      const startedMs = performance.now();
      let printed = '';
      for (const command of commands(args)) {
        const filled = command.map((argument) => (argument === pulledImage ? printed : argument));
        printed = (await runTool(tool, filled, { home: directory })).trim();
      }
      const seconds = (performance.now() - startedMs) / 1_000;
      const pulled = await pull(proxy.ecrUrl, repositoryName, kind);
      if (!rewrites) {
        expect(pulled.digest).toBe(layouts.digests[kind]);
      }
      if (kind === 'single') {
        expect(pulled.diffIds).toEqual(layouts.diffIds);
      }
      if (kind === 'multi') {
        expect(pulled.children).toHaveLength(2);
      }
      if (kind === 'artifact') {
        expect(pulled.subject).toBe(layouts.digests.single);
      }
      console.info(`${tool} ${kind}: ${seconds.toFixed(1)} s`);
    });
  }

  it.skipIf(lacks(tool))('leaves no tag behind that nobody asked for', async () => {
    const answer = await fetch(`${proxy.ecrUrl}/v2/team-a/${tool}/tags/list`);
    const expected = kinds.filter((kind) => push[kind]).sort();
    expect(await answer.json()).toEqual({ name: `team-a/${tool}`, tags: expected });
  });

  it.skipIf(lacks(tool))('found a bridge whose memory stayed flat', async () => {
    const peakBytes = await bridge.peakBytes();
    console.info(`${tool}: the bridge peaked at ${peakBytes && Math.round(peakBytes / MiB)} MiB`);
    if (peakBytes !== undefined) {
      expect(peakBytes).toBeLessThan(maxBridgeBytes);
    }
  });
});

describe.skipIf(lacks('skopeo'))('one bridge', () => {
  const run = (tool: string, ...args: string[]) => runTool(tool, args, { home: directory });

  it('tells the user of a refusal what the policy says', async () => {
    const bridge = await startBridge(proxy.proxyUrl);
    const push = (name: string) =>
      run('crane', 'push', '--insecure', layouts.directories.artifact, `${bridge.host}/${name}`);
    try {
      await expect(push('team-b/app:x')).rejects.toThrow(/DENIED: No policy lets this client/);
      await expect(push('team-a/skopeo:latest')).rejects.toThrow(/DENIED: .*the tag latest is not allowed/);
    } finally {
      await bridge.stop();
    }
  });
});

/** How a tool logs in, and pushes what is in a layout with that. */
type Login = {
  login(host: string, password: string): string[];
  push(name: string): string[];
};

describe('a login', () => {
  const bridges: [Bridge, secret: string][] = [];
  beforeAll(async () => {
    const passwordFile = join(directory, 'password');
    await writeFile(passwordFile, 'open-sesame');
    bridges.push([await startBridge(proxy.proxyUrl, { token: '' }), tokens.a]);
    const guarded = await startBridge(proxy.proxyUrl, { flags: ['--password-file', passwordFile] });
    bridges.push([guarded, 'open-sesame']);
  });
  afterAll(async () => {
    for (const [bridge] of bridges) {
      await bridge.stop();
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
      for (const [bridge, secret] of bridges) {
        const name = `${bridge.host}/team-a/${tool}:login`;
        // Crane does not try what it is given before it pushes.
        const wrong = async () => {
          await run(tool, login(bridge.host, 'eup_team-a-ci_wrong'));
          await run(tool, push(name));
        };
        await expect(wrong()).rejects.toThrow(refused);
        await run(tool, login(bridge.host, secret));
        await run(tool, push(name));
      }
    },
  );
});
