// The check of answers against openapi.json: what it lets pass, and what it finds.

import { describe, expect, it } from 'vitest';
import { type ErrorCode, errorCodes } from '../../api/errors.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { resourceApi } from '../../lambda/gateway/resource-api.ts';
import { conform } from '../support/openapi.ts';

const request = { method: 'PUT', path: '/ecr/layer-uploads/u/parts' };

function answerOf(code: ErrorCode, options: ConstructorParameters<typeof ProxyError>[2] = {}) {
  const { statusCode, headers, body } = resourceApi('UploadLayerPart').writeError(
    new ProxyError(code, undefined, options),
    'request-1',
  );
  const texts = Object.entries(headers ?? {}).map(([name, value]): [string, string] => [name, String(value)]);
  const members: Record<string, unknown> = JSON.parse(body);
  return { status: statusCode, headers: new Headers(texts), body: members };
}

type Answer = ReturnType<typeof answerOf>;

function withHeader(answer: Answer, name: string, value: string): Answer {
  const headers = new Headers(answer.headers);
  headers.set(name, value);
  return { ...answer, headers };
}
function withoutHeader(answer: Answer, name: string): Answer {
  const headers = new Headers(answer.headers);
  headers.delete(name);
  return { ...answer, headers };
}
const withMembers = (answer: Answer, members: object): Answer => ({
  ...answer,
  body: { ...answer.body, ...members },
});

const ofParts = errorCodes.filter((code) => {
  try {
    conform(request, answerOf(code));
    return true;
  } catch {
    return false;
  }
});

const gap = answerOf('InvalidLayerPartException', { members: { lastValidByteReceived: 9 } });

describe('the check against openapi.json', () => {
  it('lets pass every error that a part can have, and no other operation’s', () => {
    expect(ofParts).toEqual(
      expect.arrayContaining(['ThrottlingException', 'QuotaExceededException', 'KmsException']),
    );
    expect(ofParts).not.toContain('LayersNotFoundException');
    conform(request, gap);
  });

  const wrong: [string, Answer][] = [
    [
      'Retry-After where the same request is never sent again',
      withHeader(answerOf('LimitExceededException'), 'Retry-After', '60'),
    ],
    ['another Retry-After', withHeader(answerOf('ThrottlingException'), 'Retry-After', '3')],
    [
      'a Retry-After that is beyond the day',
      withHeader(answerOf('QuotaExceededException'), 'Retry-After', '86401'),
    ],
    ['no Retry-After', withoutHeader(answerOf('ServerException'), 'Retry-After')],
    [
      'a Retry-After of its own that is too long',
      answerOf('ServiceUnavailableException', { retryAfterSeconds: 31 }),
    ],
    ['another challenge', withHeader(answerOf('ExpiredTokenException'), 'WWW-Authenticate', 'Basic')],
    ['no challenge', withoutHeader(answerOf('ExpiredTokenException'), 'WWW-Authenticate')],
    [
      'a challenge that is not asked for',
      withHeader(answerOf('AccessDeniedException'), 'WWW-Authenticate', 'Basic'),
    ],
    ['a Range that the members do not say', withHeader(gap, 'Range', 'bytes=0-8')],
    ['no Range where the members say one', withoutHeader(gap, 'Range')],
    ['another title', withMembers(gap, { title: 'Something else' })],
    ['another status in its members', withMembers(gap, { status: 400 })],
    ['a member of another error', withMembers(gap, { quota: 'a-day' })],
    ['a member of another type', withMembers(gap, { lastValidByteReceived: '9' })],
  ];

  it.each(wrong)('finds %s', (_, answer) => {
    expect(() => conform(request, answer)).toThrow();
  });
});
