// Kinds of values in the configuration, each with the words that say what was expected.

import { z } from 'zod';

export const text = (pattern: RegExp, expected: string) => z.string(expected).regex(pattern, expected);
export const arn = (service: string, resource: string, expected: string) =>
  text(new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]*:(?:\\d{12}|aws):${resource}$`), expected);
export const wholeNumber = (min: number, max: number, expected: string) =>
  z.int(expected).min(min, expected).max(max, expected);
/** Of at least one: no member is left out by leaving its list empty. */
export function listOf<T extends z.ZodType>(item: T, what: string) {
  const expected = `a list, in which each is ${what}, and which is not empty`;
  return z.array(item, expected).min(1, expected);
}

export const ipRangeText = 'an IP range, such as 203.0.113.0/24 or 2001:db8::/32';
/** An address with its prefix length; one address alone is a range of /32 or /128. */
export const ipRange = z.union([z.cidrv4(), z.cidrv6()], ipRangeText);

export const certificateArn = arn('acm', 'certificate/[0-9a-f-]+', 'the ARN of an ACM certificate');

export const webAclArn = arn('wafv2', 'regional/webacl/[^/]+/[0-9a-f-]+', 'the ARN of a regional web ACL');

export const domainName = text(
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/,
  'a domain name in lower case',
);

export const truststore = z.strictObject(
  {
    /** A PEM bundle of the certificate authorities whose clients are admitted. */
    truststoreUri: text(/^s3:\/\/[a-z0-9.-]{3,63}\/.+$/, 'an S3 URI, such as s3://bucket/truststore.pem'),
    truststoreVersion: z.string('the version id of the S3 object').min(1).optional(),
  },
  'an object that holds truststoreUri',
);
