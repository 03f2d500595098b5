// A section of a page that a suite writes: what stands between its two marks is what was measured last.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A section's place: the page below the project's root, and its name in the two marks. */
export interface KeptSection {
  page: string;
  name: string;
}

const root = join(import.meta.dirname, '../..');

/** What a section holds now. Throws an error that says what is missing if the page has no such marks. */
export function readSection(section: KeptSection): string {
  const { text, start, end } = find(section);
  return text.slice(start, end).trim();
}

/** Replaces what stands between the marks, and writes nothing if it is the same already. */
export function writeSection(section: KeptSection, content: string): void {
  if (readSection(section) === content.trim()) {
    return;
  }
  const { text, start, end } = find(section);
  writeFileSync(
    join(root, section.page),
    `${text.slice(0, start)}\n\n${content.trim()}\n\n${text.slice(end)}`,
  );
}

function find({ page, name }: KeptSection): { text: string; start: number; end: number } {
  const text = readFileSync(join(root, page), 'utf8');
  const opening = new RegExp(`<!-- ${name}: written by [^>]+ -->`).exec(text);
  const end = text.indexOf(`<!-- end of ${name} -->`);
  if (!opening || end < opening.index) {
    throw new Error(
      `${page} has no section "${name}": write <!-- ${name}: written by COMMAND --> and, below it, <!-- end of ${name} -->.`,
    );
  }
  return { text, start: opening.index + opening[0].length, end };
}
