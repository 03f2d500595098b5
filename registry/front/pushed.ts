// What was pushed through here and may be read back: manifests, tags and small blobs, in bounded memory.

/** Bytes under a digest; the media type is a manifest's. */
export type Content = { readonly bytes: Uint8Array; readonly mediaType: string };

/** A descriptor in a list of referrers. */
export type Referrer = {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
};

const maxBytes = 16 * 1_048_576;
/** Tags, and referrers, of all repositories together. */
const maxEntries = 10_000;

/** A map that forgets what was set first when it is full. */
class Recent<Value> extends Map<string, Value> {
  override set(key: string, value: Value): this {
    this.delete(key);
    super.set(key, value);
    for (const oldest of this.keys()) {
      if (this.size > maxEntries) {
        this.delete(oldest);
      }
    }
    return this;
  }
}

/** `scope` is a client's repository: nobody reads what another has pushed. */
export class Pushed {
  readonly #contents = new Map<string, Content>();
  readonly #tags = new Recent<string>();
  readonly #referrers = new Recent<Referrer>();
  #bytes = 0;

  keep(scope: string, digest: string, content: Content): void {
    this.#forget(`${scope} ${digest}`);
    this.#contents.set(`${scope} ${digest}`, content);
    this.#bytes += content.bytes.length;
    for (const oldest of this.#contents.keys()) {
      if (this.#bytes > maxBytes) {
        this.#forget(oldest);
      }
    }
  }

  find(scope: string, digest: string): Content | undefined {
    return this.#contents.get(`${scope} ${digest}`);
  }

  tag(scope: string, tag: string, digest: string): void {
    this.#tags.set(`${scope} ${tag}`, digest);
  }

  /** The digest that a tag or a digest stands for. */
  digestOf(scope: string, reference: string): string {
    return this.#tags.get(`${scope} ${reference}`) ?? reference;
  }

  /** In lexical order. */
  tags(scope: string): string[] {
    return below(this.#tags, scope)
      .map(([tag]) => tag)
      .sort();
  }

  refer(scope: string, subject: string, referrer: Referrer): void {
    this.#referrers.set(`${scope} ${subject} ${referrer.digest}`, referrer);
  }

  referrers(scope: string, subject: string): Referrer[] {
    return below(this.#referrers, `${scope} ${subject}`).map(([, referrer]) => referrer);
  }

  #forget(key: string): void {
    this.#bytes -= this.#contents.get(key)?.bytes.length ?? 0;
    this.#contents.delete(key);
  }
}

/** The entries whose key goes on after `prefix` and a space; neither names nor digests hold one. */
const below = <Value>(entries: Map<string, Value>, prefix: string): [string, Value][] =>
  [...entries].flatMap(([key, value]): [string, Value][] =>
    key.startsWith(`${prefix} `) ? [[key.slice(prefix.length + 1), value]] : [],
  );
