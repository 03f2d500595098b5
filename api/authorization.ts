// The token in an `Authorization` header: that of Bearer (RFC 6750), or the password of Basic (RFC 7617).

/** The password is everything after the first colon; the user does not matter, and a text without a colon has none. */
const passwordOf = (basic: string): string | undefined =>
  /^[a-z0-9+/]+=*$/i.test(basic)
    ? /^[^:]*:(.*)$/s.exec(Buffer.from(basic, 'base64').toString())?.[1]
    : undefined;

const schemes = new Map<string, (credentials: string) => string | undefined>([
  ['bearer', (credentials) => credentials],
  ['basic', passwordOf],
]);

/** Undefined where there is none: another scheme, or credentials that cannot be read. */
export function tokenOfAuthorization(authorization: string): string | undefined {
  const [, scheme = '', credentials = ''] = /^(\S+) +(\S+)$/.exec(authorization.trim()) ?? [];
  return schemes.get(scheme.toLowerCase())?.(credentials);
}
