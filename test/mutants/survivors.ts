// Mutants that no test can find, as they behave as the code does, each with the reason why.

/** The line that a mutant begins in, what it replaces and by what: `line | original → replacement`. */
type Mutant = string;

type Reason = { readonly why: string; readonly mutants: readonly Mutant[] };

/** By file. */
export const equivalent: Readonly<Record<string, readonly Reason[]>> = {
  'lambda/identity/signing-key.ts': [
    {
      why: 'All names of the table are algorithms: the filter is for their type.',
      mutants: [
        'export const algorithms: readonly Algorithm[] = Object.keys(keysOfAlgorithm).filter(isAlgorithm); | Object.keys(keysOfAlgorithm).filter(isAlgorithm) → Object.keys(keysOfAlgorithm)',
      ],
    },
    {
      why: 'A function that ends without a value returns undefined.',
      mutants: ['} catch { | { return undefined; } → {}'],
    },
    {
      why: 'Undefined is less than no number: the comparison is for its type.',
      mutants: ['if (bits !== undefined && bits < minRsaModulusBits) { | bits !== undefined → true'],
    },
  ],
  'lambda/identity/jwt.ts': [
    {
      why: 'What is thrown here is caught in wellFormed, which says that the token is not well-formed.',
      mutants: ["throw new SyntaxError('not base64url'); | 'not base64url' → \"\""],
    },
    {
      why: 'What is thrown here is caught in wellFormed, which says that the token is not well-formed.',
      mutants: ["throw new SyntaxError('a name that no claim has'); | 'a name that no claim has' → \"\""],
    },
    {
      why: 'A header or a payload that is not there is no base64url of an object, whatever stands for it.',
      mutants: [
        "const [head = '', payload = '', signature = ''] = token.split('.'); | '' → \"Stryker was here!\"",
      ],
    },
    {
      why: 'A number always has its source, and nothing else is asked for it.',
      mutants: ["JSON.parse(text, (name, value, { source = '' }) => { | '' → \"Stryker was here!\""],
    },
    {
      why: 'A schema that fails has at least one issue.',
      mutants: [
        'throw refused(error.issues[0]?.message); | error.issues[0]?.message → error.issues[0].message',
      ],
    },
  ],
  'lambda/identity/decimal.ts': [
    {
      why: 'These two groups are part of every match, if only as an empty text.',
      mutants: [
        "const [, sign = '', whole = '', fraction = '', exponent = '0'] = found; | '' → \"Stryker was here!\"",
      ],
    },
    {
      why: 'Number makes 0 of an empty text as well.',
      mutants: ["const [, sign = '', whole = '', fraction = '', exponent = '0'] = found; | '0' → \"\""],
    },
  ],
  'lambda/identity/issuer-verifier.ts': [
    {
      why: 'The audience has texts alone, so that it includes nothing else: the comparison is for its type.',
      mutants: [
        "if (audienceClaim === 'client_id' && !(typeof clientId === 'string' && audience.includes(clientId))) { | typeof clientId === 'string' → true",
      ],
    },
    {
      why: 'Undefined is greater than no number: the comparison is for its type.',
      mutants: ['if (iat !== undefined && iat > latest) { | iat !== undefined → true'],
    },
    {
      why: 'There is at least one key; where the first has no fault, faults includes undefined.',
      mutants: ['if (fault !== undefined && !faults.includes(undefined)) { | fault !== undefined → true'],
    },
  ],
  'lambda/identity/client-token.ts': [
    {
      why: 'What is not a number is no time before now: the comparison is for its type.',
      mutants: [
        'expiresAt !== undefined && Date.parse(expiresAt) <= Date.now(); | expiresAt !== undefined → true',
      ],
    },
    {
      why: 'Object.hasOwn has found the member.',
      mutants: [
        '? clients[client]?.find((candidate) => isSameHash(candidate.sha256, sha256)) | clients[client]?.find → clients[client].find',
      ],
    },
  ],
};

export const reasonOf = (file: string, mutant: Mutant): string | undefined =>
  equivalent[file]?.find(({ mutants }) => mutants.includes(mutant))?.why;
