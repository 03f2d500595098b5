// Outputs on the wire: by the schema of their operation's row, with times in each protocol's own form.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operationNames, operations } from '../../api/operations.ts';
import { epochSeconds, isoText, outputJsonSchema, readOutput, writeOutput } from '../../api/wire.ts';
import { fuzzed } from '../support/fuzzing.ts';

const image = z.object({
  pushedAt: z.date(),
  scannedAt: z.date().optional(),
  tags: z.array(z.object({ tag: z.string(), movedAt: z.date().nullable() })).default([]),
  byPlatform: z.record(z.string(), z.date()),
});

const time = new Date('2026-01-02T03:04:05.678Z');
const output = { pushedAt: time, tags: [{ tag: 'v1', movedAt: time }], byPlatform: { 'linux/arm64': time } };

describe('an output', () => {
  it('has its times in seconds since 1970 in AWS JSON 1.1', () => {
    expect(JSON.parse(writeOutput(image, output, epochSeconds))).toEqual({
      pushedAt: 1767323045.678,
      tags: [{ tag: 'v1', movedAt: 1767323045.678 }],
      byPlatform: { 'linux/arm64': 1767323045.678 },
    });
  });

  it('has its times in ISO 8601 in the resource API, and says so in OpenAPI', () => {
    expect(JSON.parse(writeOutput(image, output, isoText))).toMatchObject({
      pushedAt: '2026-01-02T03:04:05.678Z',
      tags: [{ movedAt: '2026-01-02T03:04:05.678Z' }],
    });
    expect(outputJsonSchema(image)).toMatchObject({
      properties: { pushedAt: { type: 'string', format: 'date-time' } },
    });
  });

  it('has no member that its schema has not, however deep', () => {
    const layer = { layerDigest: 'sha256:0', layerAvailability: 'AVAILABLE' };
    const answered = { layers: [{ ...layer, lastActivatedAt: time }], failures: [], $metadata: {} };
    expect(
      JSON.parse(writeOutput(operations.BatchCheckLayerAvailability.output, answered, epochSeconds)),
    ).toEqual({
      layers: [layer],
      failures: [],
    });
  });

  it('that lacks what its schema requires is not written', () => {
    expect(() => writeOutput(image, { ...output, pushedAt: undefined }, isoText)).toThrow(z.ZodError);
  });

  it.each([
    ['a number where ISO 8601 is meant', isoText, 1767323045],
    ['a text that is no time', isoText, 'yesterday'],
    ['a text where seconds are meant', epochSeconds, '2026-01-02T03:04:05Z'],
  ])('is not read from %s', (_, form, pushedAt) => {
    expect(() => readOutput(image, JSON.stringify({ pushedAt, byPlatform: {} }), form)).toThrow(z.ZodError);
  });

  it.each([
    ['epoch seconds', epochSeconds],
    ['ISO 8601', isoText],
  ])('is read as it was written, times in %s', (_, form) => {
    const times = fc.date({
      min: new Date(0),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    });
    const outputs = fc.record({
      pushedAt: times,
      tags: fc.array(fc.record({ tag: fc.string(), movedAt: fc.option(times) })),
      byPlatform: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), times, { noNullPrototype: true }),
    });
    fc.assert(
      fc.property(outputs, (one) => {
        expect(readOutput(image, writeOutput(image, one, form), form)).toEqual(one);
      }),
      fuzzed(200),
    );
  });

  it.each(operationNames)('of %s has only kinds of schema whose times are found', (operation) => {
    const found = new Set<unknown>();
    const walk = (schema: unknown): void => {
      if (!(schema instanceof z.ZodType)) {
        return;
      }
      found.add(schema._zod.def.type);
      if (schema instanceof z.ZodObject) {
        Object.values(schema.shape).forEach(walk);
      }
      if (schema instanceof z.ZodArray) {
        walk(schema.element);
      }
      if (schema instanceof z.ZodRecord) {
        walk(schema.valueType);
      }
      if (
        schema instanceof z.ZodOptional ||
        schema instanceof z.ZodNullable ||
        schema instanceof z.ZodDefault
      ) {
        walk(schema.unwrap());
      }
    };
    walk(operations[operation].output);
    const known = [
      'object',
      'array',
      'record',
      'optional',
      'nullable',
      'default',
      'date',
      'string',
      'number',
      'boolean',
      'enum',
      'literal',
    ];
    expect(known).toEqual(expect.arrayContaining([...found]));
  });
});
