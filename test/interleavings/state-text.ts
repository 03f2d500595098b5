// A state as a text, without what tells one run from another and nothing else.

const withoutTimes = (name: string, value: unknown) => (name === 'expiresAt' ? undefined : value);

export const stateText = (state: unknown): string => JSON.stringify(state, withoutTimes);
