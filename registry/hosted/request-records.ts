// One line of the log for each HTTP request, whatever came of it, with what its calls have said.

import { ProxyError } from '../../api/proxy-error.ts';
import type { BeginRecord } from '../../lambda/telemetry/call-record.ts';
import type { Caller } from '../port.ts';
import { RequestRecord } from './request-record.ts';

/** What became of a request, as the front tells it. */
export type Served = {
  readonly requestId: string;
  readonly sourceIp: string | undefined;
  readonly method: string;
  /** Undefined where the client went away before it was answered. */
  readonly status: number | undefined;
  /** Why it was refused. */
  readonly code: string | undefined;
  /** What was thrown and is no refusal. */
  readonly fault: unknown;
};

export class RequestRecords {
  readonly #beginRecord: BeginRecord;
  readonly #underWay = new Map<string, RequestRecord>();

  constructor(beginRecord: BeginRecord) {
    this.#beginRecord = beginRecord;
  }

  begin({ requestId, sourceIp }: Pick<Caller, 'requestId' | 'sourceIp'>): RequestRecord {
    const record = new RequestRecord(this.#beginRecord({ requestId, sourceIp: sourceIp ?? '' }));
    this.#underWay.set(requestId, record);
    return record;
  }

  /** Of every request, also of those that were refused before anything was asked of the registry. */
  end(served: Served): void {
    const { requestId, method, status, code, fault } = served;
    const record = this.#underWay.get(requestId) ?? this.begin(served);
    this.#underWay.delete(requestId);
    record.call.add({ method });
    if (fault !== undefined) {
      record.end(status, new ProxyError('InternalFailure', undefined, { cause: fault }));
    } else if (code === record.refusal?.code) {
      record.end(status, record.refusal);
    } else {
      // The front's own refusal, or none at all.
      record.call.add({ code });
      record.end(status);
    }
  }
}
