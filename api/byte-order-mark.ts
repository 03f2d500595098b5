// The byte order mark with which tools on Windows begin a text file: no part of the text. Source: RFC 8259, section 8.1.

const byteOrderMark = '\uFEFF';

export const withoutByteOrderMark = (text: string): string =>
  text.startsWith(byteOrderMark) ? text.slice(byteOrderMark.length) : text;
