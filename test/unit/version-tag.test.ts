import { describe, expect, it } from 'vitest';
import { versionOf } from '../../api/version-tag.ts';

describe('a tag', () => {
  it.each([
    ['1.2.3', { major: 1, minor: 2, patch: 3, prerelease: '' }],
    ['v0.0.0', { major: 0, minor: 0, patch: 0, prerelease: '' }],
    ['10.20.30-rc.1', { major: 10, minor: 20, patch: 30, prerelease: 'rc.1' }],
    ['1.0.0-0A.is--valid', { major: 1, minor: 0, patch: 0, prerelease: '0A.is--valid' }],
  ])('%s is a version', (tag, version) => {
    expect(versionOf(tag)).toEqual(version);
  });

  it.each([
    ...['latest', '1', '1.2', '1.2.3.4', '01.2.3', '1.2.3-', '1.2.3-01', '1.2.3+build', 'V1.2.3', 'vv1.2.3'],
    ...[' 1.2.3', '1.2.3\n', '1.2.9999999999999999', '1.2.3-a..b', ''],
  ])('%j is none', (tag) => {
    expect(versionOf(tag)).toBeUndefined();
  });

  it('that is not there is none', () => {
    expect(versionOf(undefined)).toBeUndefined();
  });
});
