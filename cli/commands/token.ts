// `token`: mints, lists, rotates and revokes the clients' tokens, in Secrets Manager or in the local secret.

import { randomBytes } from 'node:crypto';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { isClientName } from '../../api/secret.ts';
import { printable } from '../../client/printable.ts';
import { secretCommand, storeOf, type Where } from '../secret-option.ts';
import { type ClientTokens, create, isLive, nameOf, revoke, rotate } from '../tokens/client-tokens.ts';
import { parseDurationMs, parseLifetime } from '../tokens/duration.ts';
import { hashOf, mintToken } from '../tokens/mint.ts';
import { type Change, changeClient, readClients } from '../tokens/secret.ts';

type Lifetime = { expiresIn: number | 'never' };

function clientName(text: string): string {
  if (isClientName(text)) {
    return text;
  }
  throw new InvalidArgumentError('Expected lower-case letters and digits, with single hyphens between.');
}

const client = () => new Argument('<client>', 'the client’s name, as policies have it').argParser(clientName);

const lifetime = () =>
  new Option('--expires-in <duration>', 'how long the token is valid: 90d, 12h, or never')
    .argParser(parseLifetime)
    .default(parseDurationMs('90d'), '90d');

/** A token, to be printed, and what the secret keeps of it. */
function mint(name: string, { expiresIn }: Lifetime, now: Date) {
  const token = mintToken(name);
  const expires = expiresIn === 'never' ? undefined : new Date(now.getTime() + expiresIn).toISOString();
  const stored = {
    id: randomBytes(4).toString('hex'),
    sha256: hashOf(token),
    createdAt: now.toISOString(),
    ...(expires && { expiresAt: expires }),
  };
  return { token, stored };
}

type Minted = ReturnType<typeof mint>;

/** The token alone goes to standard output, so that it can be piped to where it belongs. */
function printToken(name: string, { token, stored }: Minted, more = '') {
  console.error(
    `Token ${stored.id} of ${name}, valid until ${stored.expiresAt ?? 'it is revoked'}.${more} It is shown this once:`,
  );
  console.log(token);
}

const createCommand = secretCommand('create', 'Mint the first token of a client and print it, once')
  .addArgument(client())
  .addOption(lifetime())
  .action(async (name: string, options: Where & Lifetime) => {
    const now = new Date();
    const minted = mint(name, options, now);
    await storeOf(options).update((text) =>
      changeClient(text, name, (tokens) => create(tokens, minted.stored, now)),
    );
    printToken(name, minted);
  });

const rotateCommand = secretCommand(
  'rotate',
  'Mint a client’s next token; the one it has stays valid for a while',
)
  .addArgument(client())
  .addOption(lifetime())
  .addOption(
    new Option('--overlap <duration>', 'how long the token that it has stays valid')
      .argParser(parseDurationMs)
      .default(parseDurationMs('1d'), '1d'),
  )
  .action(async (name: string, options: Where & Lifetime & { overlap: number }) => {
    const now = new Date();
    const minted = mint(name, options, now);
    await storeOf(options).update((text) =>
      changeClient(text, name, (tokens) => rotate(tokens, minted.stored, options.overlap, now)),
    );
    const end = new Date(now.getTime() + options.overlap).toISOString();
    printToken(name, minted, ` The token before it ends by ${end}.`);
  });

const revokeCommand = secretCommand('revoke', 'Take back a client’s token, within half a minute')
  .addArgument(client())
  .option('--token <id>', 'which one, where there are two')
  .option('--all', 'all of them')
  .action(async (name: string, options: Where & { token?: string; all?: boolean }) => {
    const change: Change = options.all ? 'none' : (tokens) => revoke(tokens, options.token, new Date());
    await storeOf(options).update((text) => changeClient(text, name, change));
    console.error(`Revoked. Running functions know it within 30 seconds.`);
  });

/** What is printed about the tokens; their hashes only on request. */
const rowsOf = (clients: ReadonlyMap<string, ClientTokens>, hashes: boolean, now: Date) =>
  [...clients].flatMap(([name, tokens]) =>
    tokens.map((token) => ({
      client: name,
      token: nameOf(token),
      createdAt: token.createdAt ?? null,
      expiresAt: token.expiresAt ?? null,
      live: isLive(token, now),
      ...(hashes && { sha256: token.sha256 }),
    })),
  );

const listCommand = secretCommand('list', 'List the clients’ tokens: when they were made and when they end')
  .argument('[client]', 'this client’s alone')
  .option('--json', 'as JSON')
  .option('--hashes', 'with their SHA-256')
  .action(async (name: string | undefined, options: Where & { json?: boolean; hashes?: boolean }) => {
    const { tokens: clients, odd } = readClients(await storeOf(options).read());
    for (const client of odd) {
      console.error(`The tokens of ${printable(client)} are not in their form, and none of them is valid.`);
    }
    const rows = rowsOf(clients, options.hashes ?? false, new Date()).filter(
      (row) => name === undefined || row.client === name,
    );
    if (options.json) {
      return console.log(JSON.stringify(rows, null, 2));
    }
    for (const { client: of, token, createdAt, expiresAt, live, ...more } of rows) {
      const state = live ? 'live   ' : 'expired';
      const until = expiresAt ?? 'never';
      console.log(
        [of, token, state, `created ${createdAt ?? '?'}`, `expires ${until}`, more.sha256 ?? '']
          .join('  ')
          .trimEnd(),
      );
    }
  });

export const token = new Command('token')
  .description('Manage the clients’ tokens')
  .addCommand(createCommand)
  .addCommand(listCommand)
  .addCommand(rotateCommand)
  .addCommand(revokeCommand);
