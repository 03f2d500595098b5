// Tools that sign images in a registry: how each makes keys, signs by one, attests where it can, and verifies.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, type Release, runTool } from './tools.ts';

export const keys = ['one', 'two'] as const;
export type Key = (typeof keys)[number];

/** Of a tool whose keys are in `home`. They print on failure why. */
export type Signer = {
  sign(image: string, key: Key): Promise<unknown>;
  verify(image: string, key: Key): Promise<unknown>;
};

type Tool = {
  name: string;
  release: Release;
  program: string;
  start(path: string, home: string, password: string): Promise<Signer>;
};

/**
 * cosign with keys of its own, and nothing of Sigstore's services, which a test has no network for.
 * @param signing how it is kept from the transparency log, which differs by version
 */
const cosign =
  (signing: (home: string) => string[], verifying: (home: string) => string[]): Tool['start'] =>
  async (path, home) => {
    const run = (...args: string[]) =>
      runTool(path, args, { home, environment: { COSIGN_PASSWORD: 'unguarded' } });
    for (const key of keys) {
      await run('generate-key-pair', '--output-key-prefix', key);
    }
    await writeFile(join(home, 'predicate.json'), '{"built":"here"}');
    const trustedRoot = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}';
    await writeFile(join(home, 'trusted-root.json'), trustedRoot);
    await writeFile(
      join(home, 'signing-config.json'),
      '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogConfig":{},"tsaConfig":{}}',
    );
    const predicate = ['--predicate', 'predicate.json', '--type', 'custom'];
    const checks = ['--allow-insecure-registry', '--insecure-ignore-tlog'];
    return {
      sign: async (image, key) => {
        const flags = [...signing(home), '--allow-insecure-registry', '--key', `${key}.key`, '--yes', image];
        await run('sign', ...flags);
        await run('attest', ...predicate, ...flags);
      },
      verify: async (image, key) => {
        const flags = [...verifying(home), ...checks, '--key', `${key}.pub`, image];
        await run('verify', ...flags);
        await run('verify-attestation', '--type', 'custom', ...flags);
      },
    };
  };

const trusted = (home: string) => ['--trusted-root', join(home, 'trusted-root.json')];

const notation: Tool['start'] = async (path, home, password) => {
  const environment = {
    XDG_CONFIG_HOME: join(home, 'config'),
    NOTATION_USERNAME: 'any',
    NOTATION_PASSWORD: password,
  };
  await mkdir(environment.XDG_CONFIG_HOME, { recursive: true });
  const run = (...args: string[]) => runTool(path, args, { home, environment });
  for (const key of keys) {
    await run('cert', 'generate-test', key);
  }
  return {
    sign: (image, key) => run('sign', '--insecure-registry', '--key', key, image),
    verify: async (image, key) => {
      const policy = {
        name: 'all',
        registryScopes: ['*'],
        signatureVerification: { level: 'strict' },
        trustStores: [`ca:${key}`],
        trustedIdentities: ['*'],
      };
      await writeFile(join(home, 'policy.json'), JSON.stringify({ version: '1.0', trustPolicies: [policy] }));
      await run('policy', 'import', '--force', 'policy.json');
      await run('verify', '--insecure-registry', image);
    },
  };
};

const signerTools: readonly Tool[] = [
  // Keeps signatures under tags: it reads what is there, appends, and writes.
  {
    name: 'cosign 2',
    release: 'trixie',
    program: 'cosign',
    start: cosign(
      () => ['--tlog-upload=false'],
      () => [],
    ),
  },
  // Keeps each as an artifact that refers to the image.
  {
    name: 'cosign 3',
    release: 'sid',
    program: 'cosign',
    start: cosign(
      (home) => [...trusted(home), '--signing-config', join(home, 'signing-config.json')],
      trusted,
    ),
  },
  // Keeps a list of them under a tag, whatever the registry can.
  { name: 'notation', release: 'sid', program: 'notation', start: notation },
];

export const signers = signerTools.map((tool) => ({
  ...tool,
  found: findProgram(tool.program, tool.release),
}));
