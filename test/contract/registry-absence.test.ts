// That a failure is never told as if nothing were there: each question of an OCI client with each row of the error table.

import { describe, expect, it } from 'vitest';
import { type ErrorCode, errorCodes } from '../../api/errors.ts';
import type { Subject } from '../../api/oci.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { ociErrorOf } from '../../registry/front/oci-errors.ts';
import type { RegistryPort } from '../../registry/port.ts';
import { digestOf } from '../support/random-bytes.ts';
import { type Front, startFront } from '../support/scripted-port.ts';

const repository = '/v2/team-a/app';
const blob = `${repository}/blobs/${digestOf('x')}`;
const manifest = `${repository}/manifests/1.0`;
const upload = `${repository}/blobs/uploads/abc_3`;

type Question = {
  readonly ask: readonly [method: string, path: string];
  readonly subject: Subject;
  readonly asks: keyof RegistryPort;
  /** What is meant to be told as if nothing were there, and how: registry/front says why. */
  readonly meant?: Partial<Record<ErrorCode, number>>;
};

const questions: readonly Question[] = [
  { ask: ['HEAD', blob], subject: 'blob', asks: 'hasBlob', meant: { AccessDeniedException: 404 } },
  { ask: ['GET', blob], subject: 'blob', asks: 'getBlob' },
  {
    ask: ['HEAD', manifest],
    subject: 'manifest',
    asks: 'getManifest',
    meant: { AccessDeniedException: 404, UnsupportedCommandException: 404 },
  },
  { ask: ['GET', manifest], subject: 'manifest', asks: 'getManifest' },
  { ask: ['GET', `${repository}/tags/list`], subject: 'manifest', asks: 'listTags' },
  {
    ask: ['GET', `${repository}/referrers/${digestOf('x')}`],
    subject: 'manifest',
    asks: 'listReferrers',
    meant: { AccessDeniedException: 200, UnsupportedCommandException: 404 },
  },
  { ask: ['GET', upload], subject: 'blob', asks: 'status' },
  { ask: ['HEAD', upload], subject: 'blob', asks: 'status' },
  { ask: ['DELETE', upload], subject: 'blob', asks: 'cancel' },
];

const detail = 'the reason';
const failing = (asks: keyof RegistryPort, code: ErrorCode): Partial<RegistryPort> => ({
  [asks]: async () => Promise.reject(new ProxyError(code, detail)),
});
const ask = (front: Front, [method, path]: Question['ask']) =>
  fetch(`${front.url}${path}`, { method, headers: { authorization: 'Bearer t' }, redirect: 'manual' });

/** Of an answer to HEAD, for there is no body: what is no answer of its own. */
const isTold = (status: number) => status !== 404 && status !== 401;

describe('a failure is told as what it is, and not as if nothing were there', () => {
  it.each(questions)('$ask.0 $ask.1', async ({ ask: request, subject, asks, meant = {} }) => {
    const answers = [];
    let code: ErrorCode = 'ServerException';
    const front = await startFront(() => failing(asks, code));
    for (code of errorCodes) {
      const { status, headers } = await ask(front, request);
      answers.push({ code, status, warns: headers.has('warning') });
    }
    const expected = errorCodes.map((one) => {
      const status = meant[one] ?? ociErrorOf(new ProxyError(one), subject).status;
      const isOfHead = request[0] === 'HEAD' && isTold(status);
      return { code: one, status, warns: isOfHead || meant[one] === 200 };
    });
    expect(answers).toEqual(expected);
  });

  it('says the reason with an answer to HEAD, which has no body', async () => {
    const front = await startFront(failing('getManifest', 'UpstreamRefusedException'));
    const { status, headers } = await ask(front, ['HEAD', manifest]);
    expect([status, headers.get('warning')]).toEqual([403, `299 - "${detail}"`]);
  });
});
