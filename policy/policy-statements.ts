// The policies of a Cedar text, taken apart without Cedar: to say which of them its engine fails at.

/** Strings and comments, in which a semicolon ends nothing; semicolons; what lies between. */
const token = /"[^"\\]*(?:\\.[^"\\]*)*"|\/\/[^\n]*|;|[^";/]+|["/]/gs;

/** Spaces and comments before a policy. */
const blank = /^(?:\s|\/\/[^\n]*)*/;

/** Each with the place where it begins, in bytes of UTF-8. */
export function statementsOf(text: string): { text: string; offset: number }[] {
  const statements: { text: string; offset: number }[] = [];
  let parts: string[] = [];
  let from = 0;
  const end = () => {
    const whole = parts.join('');
    const before = blank.exec(whole)?.[0] ?? '';
    const statement = { text: whole.slice(before.length), offset: from + Buffer.byteLength(before) };
    if (statement.text !== '') {
      statements.push(statement);
    }
    from += Buffer.byteLength(whole);
    parts = [];
  };
  for (const [part] of text.matchAll(token)) {
    parts.push(part);
    if (part === ';') {
      end();
    }
  }
  end();
  return statements;
}
