import { describe, expect, it } from 'vitest';
import { parseQuotas } from '../../api/quotas.ts';
import { quotasOf } from '../../lambda/quota/applied-quotas.ts';
import { type Principal, workload } from '../../policy/principal.ts';

const quotas = parseQuotas(`
- { name: a, client: team-a-ci, bytesPerDay: 10, imagesPerDay: 1 }
- { name: everybody, client: "*", imagesPerDay: 2 }
- { name: space, namespace: team-a, bytesPerDay: 20 }
- { name: spaces, namespace: "*", bytesPerDay: 30 }
`);

const who = (principal: Principal, namespace: string) => ({
  principal,
  resource: { id: '', attrs: { name: `${namespace}/app`, namespace, registry: 'ecr', registryId: '1' } },
});
const client: Principal = { type: 'Client', id: 'team-a-ci' };

describe('a quota', () => {
  it('is counted for the client that it names, and for the namespace', () => {
    expect(quotasOf(quotas, who(client, 'team-a'), 'bytes')).toEqual([
      { name: 'a', counter: 'Client::team-a-ci', limit: 10 },
      { name: 'space', counter: 'ecr/1/team-a', limit: 20 },
      { name: 'spaces', counter: 'ecr/1/team-a', limit: 30 },
    ]);
  });

  it('of everybody is counted for each of them alone, workloads among them', () => {
    const token = workload('https://i', 'me', {});
    expect(quotasOf(quotas, who(token, 'b'), 'images')).toEqual([
      { name: 'everybody', counter: 'Workload::https://i#me', limit: 2 },
    ]);
    // A workload that calls itself like a client is none.
    expect(quotasOf(quotas, who({ ...token, id: 'team-a-ci' }, 'b'), 'images')).toHaveLength(1);
  });

  it.each([
    ['in no YAML', 'a: [', /^quotas\.yaml: .*line 1/],
    ['of nobody', '- { name: x, bytesPerDay: 1 }', /0: expected either client or namespace/],
    ['of two', '- { name: x, client: a, namespace: b, bytesPerDay: 1 }', /either client or namespace/],
    ['of nothing', '- { name: x, client: a }', /bytesPerDay, imagesPerDay or both/],
    [
      'of less than nothing',
      '- { name: x, client: a, bytesPerDay: -1 }',
      /0\.bytesPerDay: expected a whole number/,
    ],
    ['of half an image', '- { name: x, client: a, imagesPerDay: 0.5 }', /0\.imagesPerDay/],
    [
      'with another member',
      '- { name: x, client: a, bytesPerDay: 1, perHour: 1 }',
      /0\.perHour: not a member/,
    ],
    ['without a name', '- { client: a, bytesPerDay: 1 }', /0\.name: expected a name/],
    [
      'twice of one name',
      '- { name: x, client: a, bytesPerDay: 1 }\n- { name: x, client: b, bytesPerDay: 1 }',
      /the file: expected each name once/,
    ],
    [
      'beside too many for one request',
      [...Array(50).keys()]
        .map((n) => `- { name: q${n}, client: ${n % 2 ? 'a' : '"*"'}, bytesPerDay: 1 }`)
        .join('\n'),
      /the file: expected at most 49 quotas for one client and one namespace/,
    ],
    ['that is no list', 'name: x', /the file: expected a list/],
  ])('%s is refused with what was expected', (_, text, message) => {
    expect(() => parseQuotas(text)).toThrow(message);
  });

  it('is one of any number, as long as one request is counted against 49 of them at most', () => {
    const of = (n: number) =>
      `- { name: a${n}, client: c${n}, bytesPerDay: 1 }\n- { name: b${n}, namespace: n${n}, bytesPerDay: 1 }`;
    expect(parseQuotas([...Array(200).keys()].map(of).join('\n'))).toHaveLength(400);
  });

  it('may be left out: an empty file has none', () => {
    expect(parseQuotas('# nothing')).toEqual([]);
  });
});
