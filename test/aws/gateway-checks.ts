// The checks that need nothing but the proxy's address and a token: API Gateway and Lambda.

import { randomBytes } from 'node:crypto';
import { maxEventBytes, maxPayloadBytes, partSize } from '../../api/limits.ts';
import type { Check, Deployment } from './check.ts';

const json = { 'content-type': 'application/json' };
const octets = { 'content-type': 'application/octet-stream' };
const signature =
  'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-central-1/ecr/aws4_request, ' +
  `SignedHeaders=host, Signature=${'0'.repeat(64)}`;

const seen = async (response: Response) => `${response.status} ${(await response.text()).slice(0, 200)}`;

const initiate = ({ send, repositoryName }: Deployment, headers: Record<string, string>, more: object = {}) =>
  send('/ecr/layer-uploads', {
    method: 'POST',
    headers: { ...json, ...headers },
    body: JSON.stringify({ repositoryName, ...more }),
  });

const bearer = ({ token }: Deployment) => ({ authorization: `Bearer ${token}` });

/** `{"message": …}` is API Gateway's own form, a `code` is the proxy's. */
const isProblem = (response: Response) =>
  response.headers.get('content-type')?.startsWith('application/problem+json') === true;

const part = (
  deployment: Deployment,
  uploadId: string,
  body: NonNullable<RequestInit['body']>,
  last: number,
  more: object = {},
) =>
  deployment.send(
    `/ecr/layer-uploads/${uploadId}/parts?repositoryName=${encodeURIComponent(deployment.repositoryName)}`,
    {
      method: 'PUT',
      headers: { ...octets, ...bearer(deployment), 'content-range': `bytes 0-${last}/*` },
      body,
      ...more,
    },
  );

export const gatewayChecks: readonly Check[] = [
  {
    row: 14,
    needs: 'proxy',
    run: async (deployment) => {
      const response = await initiate(deployment, { authorization: `Bearer ${'x'.repeat(8_192)}` });
      return { holds: response.status === 401 && isProblem(response), saw: await seen(response) };
    },
  },
  {
    row: 18,
    needs: 'proxy',
    run: async (deployment) => {
      const { headers, body } = await deployment.client.initiate({ repositoryName: '' });
      const header = headers.get('x-amzn-requestid');
      return { holds: header !== null && header === body.requestId, saw: `${header}, ${body.requestId}` };
    },
  },
  {
    row: 11,
    needs: 'proxy',
    run: async (deployment) => {
      const response = await initiate(deployment, {
        authorization: signature,
        'x-amz-security-token': deployment.token,
      });
      return { holds: response.status === 201, saw: await seen(response) };
    },
  },
  {
    row: 23,
    needs: 'proxy',
    run: async (deployment) => {
      const response = await initiate(deployment, { authorization: 'Bearer none' });
      const remapped = response.headers.get('x-amzn-remapped-www-authenticate');
      return {
        holds: remapped !== null && !response.headers.has('www-authenticate'),
        saw: `${response.status}, x-amzn-remapped-www-authenticate: ${remapped}`,
      };
    },
  },
  {
    row: 24,
    needs: 'proxy',
    run: async (deployment) => {
      const uploadId = await deployment.client.begin();
      const bytes = randomBytes(partSize);
      // A stream has no length, so that it is sent in chunks.
      const stream = new Blob([bytes]).stream();
      const response = await part(deployment, uploadId, stream, partSize - 1, { duplex: 'half' });
      return { holds: response.status === 200, saw: await seen(response) };
    },
  },
  {
    row: 25,
    needs: 'proxy',
    run: async (deployment) => {
      const response = await initiate(deployment, {
        authorization: 'AWS4-something-else',
        'x-amz-security-token': deployment.token,
      });
      return { holds: response.status === 201, saw: await seen(response) };
    },
  },
  {
    row: 26,
    needs: 'proxy',
    run: async (deployment) => {
      const response = await initiate(deployment, { ...bearer(deployment), 'x-long': 'x'.repeat(10_240) });
      return { holds: response.status >= 400 && response.status < 500, saw: await seen(response) };
    },
  },
  {
    row: 27,
    needs: 'proxy',
    run: async (deployment) => {
      const uploadId = await deployment.client.begin();
      const length = maxPayloadBytes - 1;
      const response = await part(deployment, uploadId, randomBytes(length), length - 1);
      return {
        holds: response.status === 413 && isProblem(response),
        saw: `${length} bytes: ${await seen(response)}`,
      };
    },
  },
  {
    row: 28,
    needs: 'proxy',
    run: async (deployment) => {
      // 2 bytes each in UTF-8, 6 if they were escaped: under Lambda's limit the one way, over it the other.
      const text = 'é'.repeat(Math.floor(maxEventBytes / 4));
      const response = await initiate(deployment, bearer(deployment), { registryId: text });
      return { holds: response.status === 400, saw: await seen(response) };
    },
  },
  {
    row: 29,
    needs: 'proxy',
    run: async (deployment) => {
      const response = await deployment.send('/no-such-route', { method: 'GET' });
      return { holds: response.status === 404 && isProblem(response), saw: await seen(response) };
    },
  },
  {
    row: 35,
    needs: 'proxy',
    run: async (deployment) => {
      const uploadId = await deployment.client.begin();
      const response = await part(deployment, uploadId, randomBytes(5_000_000), 4_999_999);
      return { holds: response.status === 413 && isProblem(response), saw: await seen(response) };
    },
  },
];
