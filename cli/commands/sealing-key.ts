// `sealing-key`: changes the key that seals upload ids, without an upload that is under way noticing.

import { Command, Option } from 'commander';
import { secretCommand, storeOf, type Where } from '../secret-option.ts';
import { parseDurationMs } from '../tokens/duration.ts';
import { rotateSealingKey } from '../tokens/sealing-key.ts';

const rotate = secretCommand('rotate', 'Make the next sealing key; uploads that are under way go on')
  .addOption(
    new Option('--overlap <duration>', 'how long uploads begun before can go on')
      .argParser(parseDurationMs)
      .default(parseDurationMs('1d'), '1d'),
  )
  .action(async (options: Where & { overlap: number }) => {
    const now = new Date();
    await storeOf(options).update((text) => rotateSealingKey(text, options.overlap, now));
    const end = new Date(now.getTime() + options.overlap).toISOString();
    console.error(`The new key seals from now on, give or take a minute. The one before opens until ${end}.`);
  });

export const sealingKey = new Command('sealing-key')
  .description('Manage the key that seals upload ids')
  .addCommand(rotate);
