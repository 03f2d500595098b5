// A JSON number's exact value as text, so that a policy does not compare a rounded double.

import { maxNumberCharacters } from '../../api/limits.ts';

/** Source: RFC 8259, section 6. */
const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * The value in plain decimal digits: no exponent, no redundant zeros, no sign on 0. Equal numbers
 * have the same text (`1e2`, `100.0` and `100`), and different numbers have different texts.
 *
 * @param source a number as JSON has it
 * @throws SyntaxError for what is not a number; RangeError for one that is longer than `maxNumberCharacters`, as
 *   written or in plain digits
 */
export function decimalOf(source: string): string {
  const tooLong = new RangeError(`a number of more than ${maxNumberCharacters} characters`);
  if (source.length > maxNumberCharacters) {
    throw tooLong;
  }
  const found = parts.exec(source);
  if (!found) {
    throw new SyntaxError('not a number of JSON');
  }
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = found;
  if (Math.abs(Number(exponent)) > maxNumberCharacters) {
    throw tooLong;
  }
  const places = fraction.length - Number(exponent);
  const digits = (whole + fraction).padStart(places + 1, '0').padEnd(whole.length + Number(exponent), '0');
  const point = digits.length - Math.max(places, 0);
  const integer = digits.slice(0, point).replace(/^0+(?=\d)/, '');
  const rest = digits.slice(point).replace(/0+$/, '');
  const text = rest ? `${integer}.${rest}` : integer;
  const signed = text === '0' ? text : sign + text;
  if (signed.length > maxNumberCharacters) {
    throw tooLong;
  }
  return signed;
}
