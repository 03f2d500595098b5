// An error as the AWS API writes it: its name, its status, and its message in the words of that API.

import { type ErrorCode, type ErrorRow, errors } from './errors.ts';

export type AwsForm = {
  /** `__type`. */
  readonly type: string;
  readonly status: number;
  readonly message: string;
};

/** @param message the row's own `detail`, or the error's: either is in the words of the resource API */
export function awsFormOf({
  code,
  message,
}: {
  readonly code: ErrorCode;
  readonly message: string;
}): AwsForm {
  const { aws, detail, title, awsHint }: ErrorRow = errors[code];
  const { type = code, status = 400 } = aws ?? {};
  const reason = message === detail ? `${title}.` : message;
  return { type, status, message: awsHint === undefined ? message : `${reason} ${awsHint}` };
}
