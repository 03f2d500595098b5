// One line of the log for each HTTP request, whatever came of it, with what its calls have said.

import { ProxyError } from '../../api/proxy-error.ts';
import type { BeginRecord } from '../../lambda/telemetry/call-record.ts';
import type { Served } from '../front/serve.ts';
import type { Caller } from '../port.ts';
import { RequestRecord } from './request-record.ts';

/** The outcome of a request, as the front reports it. */
type Outcome = Pick<Served, 'requestId' | 'sourceIp' | 'method' | 'status' | 'code' | 'fault'>;

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

  /** Logs what concerns the process and no request. */
  warn(message: string, failure: unknown): void {
    this.#beginRecord({ requestId: '', sourceIp: '' }).warn(message, failure);
  }

  /** Of every request, also of those that were refused before anything was asked of the registry. */
  end(served: Outcome): void {
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
