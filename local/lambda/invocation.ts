// An invocation of a function as the gateway and the local Lambda agree on it.

/**
 * Invokes a function with an event as JSON; gives its response as JSON.
 *
 * @param begins called when the function begins: what it waited for until then is no time of its own
 * @throws InvocationThrottled when Lambda does not take it; Error when the function gives no response
 */
export type Invoke = (functionName: string, event: string, begins: () => void) => Promise<string>;

/** Lambda's TooManyRequestsException: the function runs as often at once as it may. */
export class InvocationThrottled extends Error {}
