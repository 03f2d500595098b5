// What a client does next with an answer: OpenAPI's links from one operation to the next.

import { type Call, operations } from '../operations.ts';
import { hasJsonBody, parametersOf } from './requests.ts';

/** Where the request had a member of the repository's. */
const ofRequest = (call: Call, member: string) =>
  hasJsonBody(call) ? `$request.body#/${member}` : `$request.query.${member}`;

/** @param nameOf the operation's id */
export function linksOf(call: Call, nameOf: (call: Call) => string) {
  const links = operations[call.operation].next.map((operation) => {
    const next = { operation, registry: call.registry };
    const parameters = parametersOf(next).flatMap(({ name, in: place }): [string, string][] => {
      if (place === 'path') {
        return [[name, `$response.body#/${name}`]];
      }
      return name === 'repositoryName' ? [[name, ofRequest(call, name)]] : [];
    });
    const id = nameOf(next);
    return [id, { operationId: id, parameters: Object.fromEntries(parameters) }] as const;
  });
  return links.length > 0 ? { links: Object.fromEntries(links) } : {};
}
