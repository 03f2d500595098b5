// Whether text is well-formed Unicode: a lone surrogate makes Cedar throw, and is written differently by every language.

/**
 * Whether all text in a value is well-formed: texts, elements and members, the members' names too. Bytes are no text.
 * Not recursive: JSON may nest as deep as it is long.
 */
export function isWellFormed(value: unknown): boolean {
  const left = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one === 'string' && !one.isWellFormed()) {
      return false;
    }
    if (typeof one !== 'object' || one === null || ArrayBuffer.isView(one)) {
      continue;
    }
    if (Array.isArray(one)) {
      for (const element of one) {
        left.push(element);
      }
      continue;
    }
    for (const [name, member] of Object.entries(one)) {
      if (!name.isWellFormed()) {
        return false;
      }
      left.push(member);
    }
  }
  return true;
}
