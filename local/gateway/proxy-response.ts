// The function's response as the gateway passes it on, where it is well formed.

import { z } from 'zod';
import { toClient } from './headers.ts';
import { isBinary } from './proxy-event.ts';
import type { HttpResponse } from './responses.ts';

const headerValue = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** Source: "Output format of a Lambda function for proxy integration" in the developer guide. */
const proxyResult = z.object({
  statusCode: z.coerce.number().int().min(100).max(599),
  headers: z.record(z.string(), headerValue).nullish(),
  multiValueHeaders: z.record(z.string(), z.array(headerValue)).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
});

/**
 * @returns undefined for what is no response, which API Gateway answers itself
 * @param payload the JSON that the function gave back
 * @param accept of the request: API Gateway decodes a response in base64 only where the first media type that
 *   the client accepts is a binary one
 */
export function functionResponse(
  payload: string,
  accept: string | undefined,
  binaryMediaTypes: readonly string[],
): HttpResponse | undefined {
  const { data } = proxyResult.safeParse(parsePayload(payload));
  if (!data) {
    return undefined;
  }
  const headers = [
    ...Object.entries(data.headers ?? {}),
    ...Object.entries(data.multiValueHeaders ?? {}).flatMap(([name, values]) =>
      values.map((value): [string, string] => [name, value]),
    ),
  ];
  const hasType = headers.some(([name]) => name.toLowerCase() === 'content-type');
  const decodes = data.isBase64Encoded && isBinary(accept?.split(',')[0], binaryMediaTypes);
  return {
    status: data.statusCode,
    headers: toClient(hasType ? headers : [...headers, ['Content-Type', 'application/json']]),
    body: Buffer.from(data.body ?? '', decodes ? 'base64' : 'utf8'),
  };
}

function parsePayload(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}
