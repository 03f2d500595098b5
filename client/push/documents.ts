// Reads a source's JSON documents: limited before they are parsed, and refused with their file's name.

import { z } from 'zod';
import { isWellFormed } from '../../api/well-formed.ts';
import { isPrintable, shown } from '../printable.ts';
import { type Files, fileOf } from './files.ts';
import { SourceProblem } from './source-problem.ts';

/** ECR takes no longer manifest, and registries none either. */
export const maxDocumentBytes = 4 * 1_048_576;
/** Of one source: what is read of it is kept until it is pushed. */
const maxDocumentBytesInAll = 64 * 1_048_576;
/** Brackets and commas, which are what a parser's memory is spent on. */
const maxStructuralCharacters = 262_144;
const maxListed = 10_000;

export const text = z.string({ error: 'is missing or not text' });

/** A name, a tag, a media type: what is printed, or sent on in a header. */
export const printableText = (maxCharacters: number) =>
  text
    .max(maxCharacters, { error: `has more than ${maxCharacters} characters`, abort: true })
    .refine(isPrintable, { error: 'holds characters that cannot be printed' });

export const digestText = text.regex(/^sha256:[0-9a-f]{64}$/, { error: 'is not a sha256 digest' });

export const object = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.object(shape, { error: 'is missing or not an object' });

/** Counted before the first element is looked at. */
export const listOf = <Element extends z.ZodType>(element: Element) =>
  z
    .array(z.unknown(), { error: 'is missing or not a list' })
    .max(maxListed, { error: `has more than ${maxListed} elements` })
    .pipe(z.array(element));

type Document = { bytes: Buffer; text: string };

export class Documents {
  readonly #files: Files;
  #bytesInAll = 0;

  constructor(files: Files) {
    this.#files = files;
  }

  /** @throws SourceProblem when it is not there, or too long for a document */
  async read(name: string): Promise<Document> {
    const file = await fileOf(this.#files, name);
    if (file.size > maxDocumentBytes) {
      throw new SourceProblem(
        `${shown(name)} in the source has ${file.size} bytes, and ${maxDocumentBytes} at most are read`,
      );
    }
    this.#bytesInAll += file.size;
    if (this.#bytesInAll > maxDocumentBytesInAll) {
      throw new SourceProblem(
        `the manifests and configs of the source have more than ${maxDocumentBytesInAll} bytes: push its images from several sources`,
      );
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of file.open(0)) {
      chunks.push(chunk);
    }
    const bytes = Buffer.concat(chunks);
    return { bytes, text: textOf(bytes, name) };
  }

  /** @throws SourceProblem when it is not there, not JSON, or not as `schema` has it */
  async readAs<Output>(name: string, schema: z.ZodType<Output>): Promise<Output> {
    return parseAs(await this.read(name), name, schema);
  }
}

/** @throws SourceProblem when it is not JSON, or not as `schema` has it */
export function parseAs<Output>(document: Document, name: string, schema: z.ZodType<Output>): Output {
  const parsed = schema.safeParse(jsonOf(document, name), { error: () => 'is not as it should be' });
  if (parsed.success) {
    return parsed.data;
  }
  const [issue] = parsed.error.issues;
  const place = issue?.path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('');
  throw new SourceProblem(
    `${shown(name)} in the source is damaged: ${place?.replace(/^\./, '') || 'it'} ${issue?.message}`,
  );
}

function textOf(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SourceProblem(`${shown(name)} in the source is not JSON: it is not UTF-8`);
  }
}

function jsonOf({ bytes, text }: Document, name: string): unknown {
  const fault = (what: string) => new SourceProblem(`${shown(name)} in the source ${what}`);
  if (text.startsWith('\ufeff')) {
    throw fault('is not JSON: it begins with a byte order mark');
  }
  const structural = bytes.reduce((count, byte) => count + (isStructural(byte) ? 1 : 0), 0);
  if (structural > maxStructuralCharacters) {
    throw fault('has more members and elements than are read');
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw fault('is not JSON');
  }
  if (!isWellFormed(json)) {
    throw fault('holds text that is not well-formed Unicode');
  }
  return json;
}

/** `[`, `{` or `,` */
const isStructural = (byte: number): boolean => byte === 0x5b || byte === 0x7b || byte === 0x2c;
