// Looks for secrets in a text: the project's own tokens, and what secretlint knows of other people's.

import { lintSource } from '@secretlint/core';
import { creator as recommended } from '@secretlint/secretlint-rule-preset-recommend';
import { creator as clientToken } from './client-token-rule.ts';

const config = {
  rules: [
    { id: clientToken.meta.id, rule: clientToken },
    {
      id: '@secretlint/secretlint-rule-preset-recommend',
      rule: recommended,
      rules: [
        {
          id: '@secretlint/secretlint-rule-basicauth',
          // An endpoint that test/unit/proxy-client.test.ts wants refused.
          options: { allows: ['https://user:s3cr3t@x.test'] },
        },
      ],
    },
  ],
};

/**
 * The text of any file. What is asked for is ASCII, so the bytes are enough; but PowerShell's redirection writes UTF-16.
 */
const textOf = (bytes: Buffer): string =>
  bytes.toString(bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf16le' : 'latin1');

/** @returns a sentence for each secret, with its place and none of its characters */
export async function findSecrets(filePath: string, bytes: Buffer): Promise<string[]> {
  const { messages } = await lintSource({
    source: { filePath, content: textOf(bytes), contentType: 'text' },
    options: { config, maskSecrets: true },
  });
  return messages.map(({ loc, message }) => `${filePath}:${loc.start.line}: ${message}`);
}
