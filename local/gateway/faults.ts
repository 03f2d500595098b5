// What API Gateway answers on days that a machine of one's own does not have: tests arm it at /_gateway-faults.

import { z } from 'zod';
import { type GatewayResponse, responseTypes } from './responses.ts';

/** No route of a template: API Gateway's resources begin with a letter here. */
export const gatewayFaultsPath = '/_gateway-faults';

/** `times` requests are answered so after `skip` others have passed. */
const faultSchema = z.strictObject({
  responseType: z.enum(responseTypes),
  times: z.int().min(1).default(1),
  skip: z.int().min(0).default(0),
});

type Fault = z.output<typeof faultSchema>;

export type ControlAnswer = { status: number; body: unknown };

export class GatewayFaults {
  #armed: readonly Fault[] = [];

  /** What the next request is answered, if it is to be answered by the gateway itself. */
  strike(): GatewayResponse | undefined {
    const [first, ...others] = this.#armed;
    if (first === undefined) {
      return undefined;
    }
    if (first.skip > 0) {
      this.#armed = [{ ...first, skip: first.skip - 1 }, ...others];
      return undefined;
    }
    this.#armed = first.times > 1 ? [{ ...first, times: first.times - 1 }, ...others] : others;
    return first.responseType;
  }

  /** GET lists what is armed, POST arms one more, DELETE disarms all. */
  control(method: string, body: Buffer | undefined): ControlAnswer {
    if (method === 'DELETE') {
      this.#armed = [];
    }
    if (method !== 'POST') {
      return { status: 200, body: this.#armed };
    }
    const { data, error } = faultSchema.safeParse(parse(String(body)));
    if (!data) {
      return { status: 400, body: { message: z.prettifyError(error) } };
    }
    this.#armed = [...this.#armed, data];
    return { status: 201, body: this.#armed };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
