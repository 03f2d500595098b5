// The pages of the documentation against the repository: what they link to and name is there.

import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const pages = globSync('{*.md,docs/**/*.md,.github/**/*.md}', { cwd: root });
const textOf = (page: string) => readFileSync(join(root, page), 'utf8');

/** As GitHub makes it of a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (page: string) =>
  [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));

describe.each(pages)('%s', (page) => {
  it('links to files and headings that are there', () => {
    const links = [...textOf(page).matchAll(/\]\((?!https?:)([^)\s]*)\)/g)].map(([, link = '']) => link);
    const broken = links.filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(root, target))) {
        return true;
      }
      return anchor !== undefined && !anchorsOf(target).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('names no file of the project that is not there', () => {
    const folders = 'api|bin|cli|client|docs|lambda|lib|local|policies|policy|supply-chain|test';
    const named = [...textOf(page).matchAll(new RegExp(`\`((?:${folders})/[\\w./-]+)\``, 'g'))];
    expect(named.map(([, path = '']) => path).filter((path) => !existsSync(resolve(root, path)))).toEqual([]);
  });
});
