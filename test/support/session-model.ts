// An upload session of the hosted registry as a small model: what ECR has, what its client knows, how requests are answered.

import fc from 'fast-check';
import { maxEcrPartBytes, minEcrPartBytes } from '../../api/limits.ts';

export type Step = {
  method: 'PATCH' | 'GET';
  bytes: number;
  /** From the position of the client's Location on. */
  offset: number;
  saysRange: boolean;
  /** The client does not see the answer. */
  isLost: boolean;
};

/** A body is at most so long. */
export const maxStepBytes = maxEcrPartBytes + minEcrPartBytes + 1;

const edges = [minEcrPartBytes, maxEcrPartBytes, maxEcrPartBytes + minEcrPartBytes];
const sizes = fc.constantFrom(0, 1, 3, ...edges.flatMap((size) => [size - 1, size, size + 1]));

const patch = fc
  .record({
    bytes: sizes,
    offset: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.constantFrom(-3, 3)),
    saysRange: fc.boolean(),
    isLost: fc.boolean(),
  })
  .map((drawn): Step => ({ ...drawn, method: 'PATCH', offset: drawn.bytes === 0 ? 0 : drawn.offset }));
const get = fc
  .record({ isLost: fc.boolean() })
  .map(({ isLost }): Step => ({ method: 'GET', bytes: 0, offset: 0, saysRange: false, isLost }));
export const steps = fc.array(fc.oneof({ weight: 5, arbitrary: patch }, get), { minLength: 2, maxLength: 6 });

type Place = { position: number; endsSmall: boolean };
const nothing: Place = { position: 0, endsSmall: false };

export class SessionModel {
  /** Of the client's Location. */
  #known = nothing;
  #atEcr = nothing;

  /** How many bytes, from the first on, the upload has that the client can find. */
  get position(): number {
    return this.#known.position === 0 ? 0 : this.#atEcr.position;
  }

  /** Where a request's body begins; undefined where that is no place. */
  firstOf({ offset }: Step): number {
    return Math.max(0, this.#known.position + offset);
  }

  /** What a request is answered: its status, and `Range`. */
  answer(step: Step): { status: number; range: string } {
    const [status, place] = this.#outcome(step);
    if (!step.isLost) {
      this.#known = place;
    }
    const last = place.position - 1;
    return { status, range: `0-${status === 202 ? Math.max(0, last) : last}` };
  }

  #outcome(step: Step): [status: number, told: Place] {
    const known = this.#known;
    // Without a name for it the client finds no upload.
    const reached = known.position === 0 ? nothing : this.#atEcr;
    if (step.method === 'GET') {
      return [204, reached];
    }
    if (step.bytes === 0) {
      return [202, known];
    }
    if (this.firstOf(step) !== known.position && step.saysRange) {
      return [416, reached];
    }
    const fresh = step.bytes - (reached.position - known.position);
    if (fresh < 0) {
      return [416, reached];
    }
    if (fresh === 0) {
      return [202, reached];
    }
    if (reached.endsSmall) {
      return [416, nothing];
    }
    const endsSmall = fresh < minEcrPartBytes;
    if (endsSmall && reached.position !== known.position) {
      return [416, reached];
    }
    this.#atEcr = { position: reached.position + fresh, endsSmall };
    return [202, this.#atEcr];
  }
}
