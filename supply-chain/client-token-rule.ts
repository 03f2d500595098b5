// A rule for secretlint: the project's own client tokens, known from everything that looks like one by their checksum.

import type { SecretLintRuleCreator } from '@secretlint/types';
import { isMintedToken } from '../cli/tokens/mint.ts';

/** As docs/operations.md gives it to other scanners. */
const tokenPattern = /eup_[a-z0-9-]{1,64}_[A-Za-z0-9]{46}/g;

/** Long enough to hold a token, as the header of Basic authentication and docker's config.json write one. */
const base64Pattern = /[A-Za-z0-9+/]{72,}/g;

const isToken = ([text]: RegExpExecArray) => isMintedToken(text);

/** In base64 there may be base64 again: a Kubernetes secret has docker's config.json so. */
const encodesToken = ([text]: RegExpExecArray) =>
  findClientTokens(Buffer.from(text, 'base64').toString('latin1')).length > 0;

/** @returns where the tokens are in a text, each with its start and its end */
export function findClientTokens(text: string): [number, number][] {
  const plain = [...text.matchAll(tokenPattern)].filter(isToken);
  const encoded = [...text.matchAll(base64Pattern)].filter(encodesToken);
  return [...plain, ...encoded].map((found) => [found.index, found.index + found[0].length]);
}

const messages = { ClientToken: { en: () => 'a client token of ecr-upload-proxy' } };

export const creator: SecretLintRuleCreator = {
  messages,
  meta: {
    id: 'ecr-upload-proxy-client-token',
    type: 'scanner',
    recommended: true,
    supportedContentTypes: ['text'],
  },
  create(context) {
    const translate = context.createTranslator(messages);
    return {
      file({ content }) {
        for (const range of findClientTokens(content)) {
          context.report({ message: translate('ClientToken'), range });
        }
      },
    };
  },
};
