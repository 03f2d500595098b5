// What X-Ray's daemon is sent: the handlers over the stand-ins, with Lambda's environment and a daemon on loopback.

import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

/** The X-Ray SDK looks for Lambda and for the daemon when it is loaded. */
const daemon = await vi.hoisted(async () => {
  const { createSocket } = await import('node:dgram');
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await new Promise<void>((resolve) => socket.once('listening', resolve));
  const received: string[] = [];
  socket.on('message', (message) => received.push(message.toString()));
  Object.assign(process.env, {
    POWERTOOLS_LOG_LEVEL: 'SILENT',
    AWS_XRAY_DAEMON_ADDRESS: `127.0.0.1:${socket.address().port}`,
    AWS_XRAY_LOG_LEVEL: 'silent',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    LAMBDA_TASK_ROOT: process.cwd(),
    _HANDLER: 'index.handler',
    _X_AMZN_TRACE_ID: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1',
  });
  return { socket, received };
});

const { partSize: P } = await import('../../api/limits.ts');
const { resourceApi, tokens } = await import('../support/resource-api.ts');
const { startInProcess } = await import('../support/in-process.ts');
const { signToken, startIssuer } = await import('../support/issuer.ts');
const { digestOf, randomBytes } = await import('../support/random-bytes.ts');

const segment = z.looseObject({
  name: z.string(),
  fault: z.boolean().default(false),
  error: z.boolean().default(false),
  throttle: z.boolean().default(false),
  annotations: z.record(z.string(), z.unknown()).optional(),
  aws: z.looseObject({ operation: z.string() }).optional(),
});

/** Each datagram is a header and a segment, on a line each. */
const segments = () => daemon.received.map((text) => segment.parse(JSON.parse(text.split('\n')[1] ?? '')));

/** `## handler` or `S3 HeadObject`, with the flags that it has. */
const flagsOf = ({ name, aws, fault, error, throttle }: z.output<typeof segment>) =>
  [name, aws?.operation, fault && 'fault', error && 'error', throttle && 'throttle']
    .filter(Boolean)
    .join(' ');

/** What is sent once the request is over, whose own segment is the last. */
async function traceOf(requests: number): Promise<string[]> {
  await expect.poll(() => segments().filter(({ name }) => name.startsWith('##')).length).toBe(requests);
  return segments().map(flagsOf).toSorted();
}

let proxy: Awaited<ReturnType<typeof startInProcess>>;
let issuer: Awaited<ReturnType<typeof startIssuer>>;
let send: typeof proxy.send;

beforeAll(async () => {
  issuer = await startIssuer();
  proxy = await startInProcess({
    issuers: [{ issuer: issuer.issuer, audience: ['ecr-upload-proxy'], audienceClaim: 'aud' }],
  });
  process.env.POWERTOOLS_TRACE_ENABLED = 'true';
  send = proxy.sendToAnother();
});
afterAll(async () => {
  await proxy.close();
  await issuer.close();
  daemon.socket.close();
});
beforeEach(() => {
  daemon.received.length = 0;
});

describe('a trace', () => {
  it('has a segment for each call to AWS, and a slot that is not there is no error of anybody’s', async () => {
    const client = resourceApi(send);
    const layer = randomBytes(P);
    const uploadId = await client.begin();
    expect((await client.uploadPart(uploadId, 0, layer)).status).toBe(200);
    expect((await client.complete(uploadId, digestOf(layer))).status).toBe(201);
    expect(await traceOf(3)).toEqual([
      '## index.handler',
      '## index.handler',
      '## index.handler',
      'ECR CompleteLayerUpload',
      'ECR InitiateLayerUpload',
      'ECR UploadLayerPart',
      'S3 GetObject',
      'S3 HeadObject',
      'S3 PutObject',
      'S3 PutObject',
      'SecretsManager GetSecretValue',
    ]);
  });

  it.each([
    ['server-error', 'fault', 'fault', 'ServerException'],
    ['access-denied', 'fault', 'fault', 'UpstreamRefusedException'],
    ['throttle', 'error throttle', 'error throttle', 'ThrottlingException'],
    ['drop-before', 'fault', 'fault', 'ServiceUnavailableException'],
  ])(
    'of a failure of ECR (%s) says %s of the call, and %s of the request',
    async (fault, ofCall, ofRequest, code) => {
      await proxy.arm({ fault, operation: 'InitiateLayerUpload', times: fault === 'drop-before' ? 2 : 1 });
      await resourceApi(send).initiate();
      expect(await traceOf(1)).toEqual([
        `## index.handler ${ofRequest}`,
        `ECR InitiateLayerUpload ${ofCall}`,
      ]);
      expect(segments().map(({ annotations }) => annotations?.code)).toContain(code);
    },
  );

  it('of a refusal says error, whichever service refuses', async () => {
    const client = resourceApi(send);
    await client.initiate({ repositoryName: 'team-b/app' });
    await client.complete(await client.begin(), digestOf('nothing was sent'));
    expect((await traceOf(3)).filter((line) => line.startsWith('#') || line.startsWith('ECR'))).toEqual([
      '## index.handler',
      '## index.handler error',
      '## index.handler error',
      'ECR CompleteLayerUpload error',
      'ECR InitiateLayerUpload',
    ]);
  });

  it('holds no issuer, subject or message of a client’s', async () => {
    const token = signToken(issuer.key, issuer.claims({ sub: 'repo:SUBJECT/app', environment: 'CLAIM' }));
    await resourceApi(send, token).initiate();
    await resourceApi(send, signToken(issuer.key, issuer.claims({ aud: 'AUDIENCE' }))).initiate();
    await resourceApi(send, tokens.a).initiate({ repositoryName: 'team-a/NO NAME' });
    await resourceApi(send).putImage({ imageManifest: 'MANIFEST-TEXT', imageTag: 'TAG' });
    await traceOf(4);
    expect(issuer.state.requests).toContain('/keys');
    const { host } = new URL(issuer.issuer);
    expect(daemon.received.join()).not.toMatch(
      new RegExp(`${host}|127.0.0.1|SUBJECT|CLAIM|AUDIENCE|NO NAME|MANIFEST|TAG|eup_|"(message|exceptions)"`),
    );
  });
});
