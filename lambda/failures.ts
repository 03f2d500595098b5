// What of a failure may be logged.

/** Never a request or a response of the failed call: they may hold tokens or layer bytes. */
export const describeFailure = (failure: unknown): Record<string, unknown> => {
  if (!(failure instanceof Error)) return { type: typeof failure };
  const { name, message, stack, cause } = failure;
  return {
    name,
    message,
    stack,
    ...('code' in failure ? { code: failure.code } : {}),
    ...('$metadata' in failure ? { metadata: failure.$metadata } : {}),
    ...(cause === undefined ? {} : { cause: describeFailure(cause) }),
  };
};
