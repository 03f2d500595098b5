// What an OCI client's wish becomes at this moment: a request at the registry's port, and what has to become of it.

import type { IncomingBytes, RegistryPort } from '../../registry/port.ts';
import { assert } from '../interleavings/race-run.ts';
import { positionOf, type Session } from './session-model.ts';

export const repositoryName = 'team/app';

export class BrokenOff extends Error {
  override readonly name = 'BrokenOff';
}

/** How a body comes: in chunks of this size, with its length or without, and perhaps not to its end. */
export type BodyForm = {
  readonly chunkBytes: number;
  readonly brokenAfter: number | undefined;
  readonly isSized: boolean;
};

/** @throws BrokenOff amid the bytes, as when a client goes away */
async function* chunksOf(bytes: Uint8Array, { chunkBytes, brokenAfter = bytes.length }: BodyForm) {
  const end = Math.min(bytes.length, brokenAfter);
  for (let at = 0; at < end; at += chunkBytes) {
    yield bytes.subarray(at, Math.min(at + chunkBytes, end));
  }
  if (end < bytes.length) {
    throw new BrokenOff();
  }
}

const bodyOf = (bytes: Uint8Array, form: BodyForm, first?: number): IncomingBytes => ({
  first,
  length: form.isSized || bytes.length === 0 ? bytes.length : undefined,
  chunks: chunksOf(bytes, form),
});

export type SessionRequest = {
  readonly name: string;
  /** Whose upload it is; the one who sends it may be another. */
  readonly session: Session;
  /** The Location of an upload that no other client may continue. */
  readonly reference?: string;
  readonly run: (port: RegistryPort) => Promise<void>;
};

/** The Location that a client uses: the last one, as a rule. */
const referenceOf = ({ references }: Session, isOlder: boolean): string =>
  references.at(isOlder ? -2 : -1) ?? references[0] ?? '';

function sends(session: Session, bytes: Uint8Array, at: number): Uint8Array {
  session.sent = Math.max(session.sent, at + bytes.length);
  return bytes;
}

/** The next bytes: `PATCH`. */
export function patch(
  session: Session,
  {
    bytes: count,
    isOlder,
    isRanged,
    form,
  }: { bytes: number; isOlder: boolean; isRanged: boolean; form: BodyForm },
): SessionRequest {
  const reference = referenceOf(session, isOlder);
  const at = positionOf(reference);
  const bytes = sends(session, session.layer.slice(at, at + count), at);
  return {
    name: 'PATCH',
    session,
    // Without bytes it asks for nothing, and is told what it has said.
    ...(bytes.length > 0 && { reference }),
    run: async (port) => {
      const incoming = bodyOf(bytes, form, isRanged ? at : undefined);
      const state = await port.append(repositoryName, reference, incoming);
      assert(
        state.position >= at + bytes.length,
        'bytes are acknowledged, and the Location is before their end',
      );
      session.references.push(state.reference);
    },
  };
}

/** The last bytes, or all of them, or none, and the digest: `PUT`. */
export function put(
  session: Session,
  { body, form }: { body: 'rest' | 'all' | 'none'; form: BodyForm },
): SessionRequest {
  const reference = body === 'all' ? (session.references[0] ?? '') : referenceOf(session, false);
  const at = positionOf(reference);
  const bytes = body === 'none' ? new Uint8Array() : sends(session, session.layer.slice(at), at);
  session.isAskedFor = true;
  return {
    name: `PUT of ${body}`,
    session,
    reference,
    run: async (port) => {
      await port.finish(repositoryName, reference, session.digest, bodyOf(bytes, form));
      session.isCompleted = true;
    },
  };
}

/** How far it is: `GET`. */
export function get(session: Session): SessionRequest {
  const reference = referenceOf(session, false);
  return {
    name: 'GET',
    session,
    reference,
    run: async (port) => {
      const state = await port.status(repositoryName, reference);
      session.references.push(state.reference);
    },
  };
}

export function cancel(session: Session): SessionRequest {
  const reference = referenceOf(session, false);
  return { name: 'DELETE', session, reference, run: (port) => port.cancel(repositoryName, reference) };
}

/** Another `POST` for the same layer. */
export const beginAgain = (session: Session): SessionRequest => ({
  name: 'POST',
  session,
  run: async (port) => {
    session.references.push((await port.begin(repositoryName)).reference);
  },
});
