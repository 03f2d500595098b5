// The commands by which each container tool pushes and pulls: one table, whatever the tools push to.

import type { Layouts } from '../../support/oci-layout.ts';
import { pulledImage } from './tools.ts';

export type Kind = keyof Layouts['directories'];
export type Arguments = { layout: string; name: string; host: string; storage: string };
/** What is pulled goes to `to`, a path where nothing is. */
type PullArguments = Pick<Arguments, 'name' | 'host' | 'storage'> & { to: string };
/** The commands that push a layout of one kind to `name`; undefined where the tool cannot. */
export type Tool = {
  push: Record<Kind, ((args: Arguments) => string[][]) | undefined>;
  /** Pulls an image of one platform back; every tool holds what it gets to its digests. */
  pull(args: PullArguments): string[][];
  /** It reads each manifest that it has put: nobody pushes with it who may not read. */
  readsBack?: boolean;
  /** It makes layers and manifests of its own of what it has in its storage. */
  rewrites?: boolean;
};

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
export const skopeo = (flags: string[]) => (layout: string, name: string) => [
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
  pull: ({ name, storage }) => [[...store(storage), 'pull', '--quiet', '--tls-verify=false', name]],
  rewrites: true,
};

export const tools: Readonly<Record<string, Tool>> = {
  skopeo: {
    push: {
      single: ({ layout, name }) => skopeo([])(`oci:${layout}:single`, name),
      multi: ({ layout, name }) => skopeo(['--all'])(`oci:${layout}:multi`, name),
      artifact: ({ layout, name }) => skopeo([])(`oci:${layout}:artifact`, name),
    },
    pull: ({ name, to }) => [
      ['copy', '--insecure-policy', '--src-tls-verify=false', `docker://${name}`, `oci:${to}`],
    ],
  },
  podman: fromStorage,
  buildah: fromStorage,
  crane: {
    push: { single: crane, multi: crane, artifact: crane },
    pull: ({ name, to }) => [['pull', '--insecure', '--format', 'oci', name, to]],
  },
  oras: {
    push: { single: oras('single'), multi: oras('multi'), artifact: oras('artifact') },
    pull: ({ name, to }) => [['cp', '--no-tty', '--from-plain-http', '--to-oci-layout', name, `${to}:x`]],
    readsBack: true,
  },
  regctl: {
    push: { single: regctl('single'), multi: regctl('multi'), artifact: regctl('artifact') },
    pull: ({ name, host, to }) => [
      ['registry', 'set', host, '--tls', 'disabled'],
      ['image', 'copy', name, `ocidir://${to}:x`],
    ],
  },
};
export const kinds: readonly Kind[] = ['single', 'multi', 'artifact'];
