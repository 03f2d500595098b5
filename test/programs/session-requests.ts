// What an OCI client's wish becomes at this moment: an HTTP request, and what has to become of it.

import { randomUUID } from 'node:crypto';
import type { HttpAnswer, HttpRequest } from '../interleavings/endpoint.ts';
import { assert } from '../interleavings/race-run.ts';
import { positionOf } from '../interleavings/upload-location.ts';
import type { Session } from './session-model.ts';

/** How a body comes: in pieces of this size, with its length or without, and perhaps not to its end. */
export type BodyForm = {
  readonly chunkBytes: number;
  readonly brokenAfter: number | undefined;
  readonly isSized: boolean;
};

function bodyOf(bytes: Uint8Array, { chunkBytes, brokenAfter = bytes.length, isSized }: BodyForm) {
  const end = Math.min(bytes.length, brokenAfter);
  const starts = Array.from({ length: Math.ceil(end / chunkBytes) }, (_, n) => n * chunkBytes);
  return {
    headers: isSized || bytes.length === 0 ? { 'content-length': bytes.length } : {},
    body: starts.map((at) => bytes.subarray(at, Math.min(at + chunkBytes, end))),
    breaksOff: end < bytes.length,
  };
}

export type SessionRequest = {
  readonly name: string;
  /** Whose upload it is; the one who sends it may be another. */
  readonly session: Session;
  readonly http: HttpRequest;
  /** Whether it asks for something that only who may push is given. */
  readonly isPush: boolean;
  /** It is at the Location of an upload that no other client may continue. */
  readonly isOfOneClient: boolean;
  /** @throws Violation */
  readonly onDone: (answer: HttpAnswer) => void;
};

const blobsOf = ({ repositoryName }: Session): string => `/v2/${repositoryName}/blobs`;

/** The Location that a client uses: the last one, as a rule. Who may not begin an upload thinks of one. */
const locationOf = (session: Session, isOlder: boolean): string =>
  session.locations.at(isOlder ? -2 : -1) ??
  session.locations[0] ??
  `${blobsOf(session)}/uploads/0-${randomUUID()}`;

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
  const path = locationOf(session, isOlder);
  const at = positionOf(path);
  const bytes = sends(session, session.layer.slice(at, at + count), at);
  const { headers, ...body } = bodyOf(bytes, form);
  const range = isRanged && bytes.length > 0 ? { 'content-range': `${at}-${at + bytes.length - 1}` } : {};
  return {
    name: 'PATCH',
    session,
    http: { method: 'PATCH', path, headers: { ...headers, ...range }, ...body },
    // Without bytes it asks for nothing, and is told what it has said.
    isPush: bytes.length > 0,
    isOfOneClient: bytes.length > 0 && at > 0,
    onDone: ({ headers: { location = '' } }) => {
      assert(
        positionOf(location) >= at + bytes.length,
        'bytes are acknowledged, and the Location is before their end',
      );
    },
  };
}

/** The last bytes, or all of them, or none, and the digest: `PUT`. */
export function put(
  session: Session,
  { body, form }: { body: 'rest' | 'all' | 'none'; form: BodyForm },
): SessionRequest {
  const path = (body === 'all' ? session.locations[0] : undefined) ?? locationOf(session, false);
  const at = positionOf(path);
  const bytes = body === 'none' ? new Uint8Array() : sends(session, session.layer.slice(at), at);
  session.isAskedFor = true;
  return {
    name: `PUT of ${body}`,
    session,
    http: { method: 'PUT', path: `${path}?digest=${session.digest}`, ...bodyOf(bytes, form) },
    isPush: bytes.length > 0 || at > 0,
    isOfOneClient: at > 0,
    onDone: () => {
      session.isCompleted = true;
    },
  };
}

const bodiless = (
  name: string,
  session: Session,
  path: string,
  { isPush, onDone = () => {} }: Pick<SessionRequest, 'isPush'> & Partial<Pick<SessionRequest, 'onDone'>>,
): SessionRequest => ({
  name,
  session,
  http: { method: name, path, headers: {} },
  isPush,
  isOfOneClient: isPush && positionOf(path) > 0,
  onDone,
});

/** How far it is: `GET`. Before the first byte there is nothing to tell. */
export function get(session: Session): SessionRequest {
  const path = locationOf(session, false);
  return bodiless('GET', session, path, { isPush: positionOf(path) > 0 });
}

export const cancel = (session: Session): SessionRequest =>
  bodiless('DELETE', session, locationOf(session, false), { isPush: false });

/** Another `POST` for the same layer. */
export const beginAgain = (session: Session): SessionRequest =>
  bodiless('POST', session, `${blobsOf(session)}/uploads/`, { isPush: true });

/** Whether the layer is there: `HEAD`, which any client may ask that may push or read there. */
export const head = (session: Session): SessionRequest =>
  bodiless('HEAD', session, `${blobsOf(session)}/${session.digest}`, { isPush: false });
