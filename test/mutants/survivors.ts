// Mutants that no test can find, as they behave as the code does, each with the reason why.

/** The line that a mutant begins in, at which column, what it replaces and by what: `line | column: original → replacement`. */
type Mutant = string;

type Reason = { readonly why: string; readonly mutants: readonly Mutant[] };

/** By file. */
export const equivalent: Readonly<Record<string, readonly Reason[]>> = {
  'lambda/identity/signing-key.ts': [
    {
      why: 'All names of the table are algorithms: the filter is for their type.',
      mutants: [
        'export const algorithms: readonly Algorithm[] = Object.keys(keysOfAlgorithm).filter(isAlgorithm); | 49: Object.keys(keysOfAlgorithm).filter(isAlgorithm) → Object.keys(keysOfAlgorithm)',
      ],
    },
    {
      why: 'A function that ends without a value returns undefined.',
      mutants: ['} catch { | 9: { return undefined; } → {}'],
    },
    {
      why: 'Undefined is less than no number: the comparison is for its type.',
      mutants: ['if (bits !== undefined && bits < minRsaModulusBits) { | 5: bits !== undefined → true'],
    },
  ],
  'lambda/identity/jwt.ts': [
    {
      why: 'What is thrown here is caught in wellFormed, which says that the token is not well-formed.',
      mutants: [
        "throw new SyntaxError('not base64url'); | 23: 'not base64url' → \"\"",
        "throw new SyntaxError('a name that no claim has'); | 23: 'a name that no claim has' → \"\"",
      ],
    },
    {
      why: 'A header or a payload that is not there is no base64url of an object, whatever stands for it.',
      mutants: [
        "const [head = '', payload = '', signature = ''] = token.split('.'); | 15: '' → \"Stryker was here!\"",
        "const [head = '', payload = '', signature = ''] = token.split('.'); | 29: '' → \"Stryker was here!\"",
      ],
    },
    {
      why: 'A number always has its source, and nothing else is asked for it.',
      mutants: ["JSON.parse(text, (name, value, { source = '' }) => { | 43: '' → \"Stryker was here!\""],
    },
    {
      why: 'A schema that fails has at least one issue.',
      mutants: [
        'throw refused(error.issues[0]?.message); | 15: error.issues[0]?.message → error.issues[0].message',
      ],
    },
  ],
  'lambda/identity/decimal.ts': [
    {
      why: 'These two groups are part of every match, if only as an empty text.',
      mutants: [
        "const [, sign = '', whole = '', fraction = '', exponent = '0'] = found; | 17: '' → \"Stryker was here!\"",
        "const [, sign = '', whole = '', fraction = '', exponent = '0'] = found; | 29: '' → \"Stryker was here!\"",
      ],
    },
    {
      why: 'Number makes 0 of an empty text as well.',
      mutants: ["const [, sign = '', whole = '', fraction = '', exponent = '0'] = found; | 59: '0' → \"\""],
    },
  ],
  'lambda/identity/issuer-verifier.ts': [
    {
      why: 'The audience has texts alone, so that it includes nothing else: the comparison is for its type.',
      mutants: [
        "if (audienceClaim === 'client_id' && !(typeof clientId === 'string' && audience.includes(clientId))) { | 40: typeof clientId === 'string' → true",
      ],
    },
    {
      why: 'Undefined is greater than no number: the comparison is for its type.',
      mutants: ['if (iat !== undefined && iat > latest) { | 5: iat !== undefined → true'],
    },
    {
      why: 'There is at least one key; where the first has no fault, faults includes undefined.',
      mutants: ['if (fault !== undefined && !faults.includes(undefined)) { | 5: fault !== undefined → true'],
    },
  ],
  'lambda/identity/client-token.ts': [
    {
      why: 'What is not a number is no time before now: the comparison is for its type.',
      mutants: [
        'expiresAt !== undefined && Date.parse(expiresAt) <= Date.now(); | 1: expiresAt !== undefined → true',
      ],
    },
    {
      why: 'Object.hasOwn has found the member.',
      mutants: [
        '? clients[client]?.find((candidate) => isSameHash(candidate.sha256, sha256)) | 3: clients[client]?.find → clients[client].find',
      ],
    },
  ],
  'lambda/steps/authenticate.ts': [
    {
      why: 'Neither text has a scheme and credentials; the one for no token at all is found.',
      mutants: [
        "tokenOfAuthorization(headers.authorization ?? '') ?? headers['x-amz-security-token'] ?? ''; | 47: '' → \"Stryker was here!\"",
      ],
    },
  ],
  'api/authorization.ts': [
    {
      why: 'The expression begins with all that is no colon and ends with everything, so that it matches from the first character to the last with or without its anchors.',
      mutants: [
        "? /^[^:]*:(.*)$/s.exec(Buffer.from(basic, 'base64').toString())?.[1] | 3: /^[^:]*:(.*)$/s → /[^:]*:(.*)$/s",
        "? /^[^:]*:(.*)$/s.exec(Buffer.from(basic, 'base64').toString())?.[1] | 3: /^[^:]*:(.*)$/s → /^[^:]*:(.*)/s",
      ],
    },
    {
      why: 'What is no scheme with credentials has no such scheme, whatever stands for it.',
      mutants: [
        "const [, scheme = '', credentials = ''] = /^(\\S+) +(\\S+)$/.exec(authorization.trim()) ?? []; | 19: '' → \"Stryker was here!\"",
        "const [, scheme = '', credentials = ''] = /^(\\S+) +(\\S+)$/.exec(authorization.trim()) ?? []; | 37: '' → \"Stryker was here!\"",
        "const [, scheme = '', credentials = ''] = /^(\\S+) +(\\S+)$/.exec(authorization.trim()) ?? []; | 90: [] → [\"Stryker was here\"]",
      ],
    },
  ],
  'lambda/upload/seal.ts': [
    {
      why: 'The seal alone decides which reading is true, and nobody can have sealed the one that this adds.',
      mutants: [
        'const [, uploadId, mark] = markPattern.exec(text) ?? []; | 54: [] → ["Stryker was here"]',
        'return uploadId === undefined || mark === undefined | 8: uploadId === undefined || mark === undefined → false',
        'return uploadId === undefined || mark === undefined | 8: uploadId === undefined → false',
        'return uploadId === undefined || mark === undefined | 8: uploadId === undefined || mark === undefined → uploadId === undefined && mark === undefined',
        'return uploadId === undefined || mark === undefined | 34: mark === undefined → false',
        'const markPattern = /^(.+)-([0-9a-f]{1,8})$/; | 21: /^(.+)-([0-9a-f]{1,8})$/ → /(.+)-([0-9a-f]{1,8})$/',
        'const markPattern = /^(.+)-([0-9a-f]{1,8})$/; | 21: /^(.+)-([0-9a-f]{1,8})$/ → /^(.+)-([0-9a-f]{1,8})/',
      ],
    },
  ],
  'lambda/steps/authorize.ts': [
    {
      why: 'That there is a private member makes the type nominal; nobody reads its value.',
      mutants: ['readonly #granted = true; | 21: true → false'],
    },
  ],
  'policy/policy-statements.ts': [
    {
      why: 'The expression matches every text, if only its beginning.',
      mutants: [
        "const before = blank.exec(whole)?.[0] ?? ''; | 42: '' → \"Stryker was here!\"",
        "const before = blank.exec(whole)?.[0] ?? ''; | 16: blank.exec(whole)?.[0] → blank.exec(whole)[0]",
      ],
    },
    {
      why: 'What lies between is joined again, whether it comes in one piece or in many.',
      mutants: [
        'const token = /"[^"\\\\]*(?:\\\\.[^"\\\\]*)*"|\\/\\/[^\\n]*|;|[^";/]+|["/]/gs; | 15: /"[^"\\\\]*(?:\\\\.[^"\\\\]*)*"|\\/\\/[^\\n]*|;|[^";/]+|["/]/gs → /"[^"\\\\]*(?:\\\\.[^"\\\\]*)*"|\\/\\/[^\\n]*|;|[^";/]|["/]/gs',
      ],
    },
    {
      why: 'The expression matches at the first character of every text, with or without its anchor.',
      mutants: [
        'const blank = /^(?:\\s|\\/\\/[^\\n]*)*/; | 15: /^(?:\\s|\\/\\/[^\\n]*)*/ → /(?:\\s|\\/\\/[^\\n]*)*/',
      ],
    },
  ],
  'lambda/steps/validate.ts': [
    {
      why: 'Where there is no data there is a fault: the comparison is for its type.',
      mutants: ['if (data !== undefined && faults.length === 0) { | 5: data !== undefined → true'],
    },
  ],
  'lambda/upload/staging.ts': [
    {
      why: 'Metadata that are not there have been refused in the line before.',
      mutants: [
        'return { receivedBytes, waitingBytes, completion: metadata?.[completionKey] }; | 51: metadata?.[completionKey] → metadata[completionKey]',
      ],
    },
  ],
  'lambda/steps/forward/layer-completion.ts': [
    {
      why: 'A text among the layers is no layer that is available, as nothing is.',
      mutants: [
        'const { layers = [] } = await ecr.BatchCheckLayerAvailability({ ...repository, layerDigests }, abortSignal); | 18: [] → ["Stryker was here"]',
      ],
    },
  ],
  'lambda/quota/quota-counts.ts': [
    {
      why: 'Where no share is full there is no share, and the rest is not looked at.',
      mutants: [
        'return share && { share, used: usedOf(ofShares[full]?.Item) }; | 39: ofShares[full]?.Item → ofShares[full].Item',
      ],
    },
    {
      why: 'There is a result for each share.',
      mutants: [
        "const used = count?.status === 'fulfilled' ? usedOf(count.value) : 0; | 14: count?.status → count.status",
      ],
    },
    {
      why: 'A read that failed has no value, which counts as 0 as well.',
      mutants: [
        "const used = count?.status === 'fulfilled' ? usedOf(count.value) : 0; | 14: count?.status === 'fulfilled' → true",
      ],
    },
    {
      why: 'Nothing is told where there is nobody to tell: the caller looks.',
      mutants: [
        'tellNearlyUsed?.(nearlyUsed(share, used, day)); | 1: tellNearlyUsed?.(nearlyUsed(share, used, day)) → tellNearlyUsed(nearlyUsed(share, used, day))',
      ],
    },
  ],
  'lambda/gateway/event-members.ts': [
    {
      why: 'What reads a text throws a JsonFault and nothing else: the question is for its type.',
      mutants: [
        'if (!(error instanceof JsonFault)) { | 36: { throw error; } → {}',
        'if (!(error instanceof JsonFault)) { | 5: !(error instanceof JsonFault) → false',
      ],
    },
    {
      why: 'Node counts UTF-8 where it is told no encoding.',
      mutants: [
        "const bytes = Buffer.byteLength(body ?? '', isBase64Encoded ? 'base64' : 'utf8'); | 74: 'utf8' → \"\"",
      ],
    },
    {
      why: 'Neither text is an object of JSON, and both are refused in the same words.',
      mutants: ["return body ?? ''; | 16: '' → \"Stryker was here!\""],
    },
    {
      why: 'Neither text is a Content-Range, and where there is no match no group is read.',
      mutants: [
        "function positionsOf(contentRange = ''): { first: number; last: number } | undefined { | 37: '' → \"Stryker was here!\"",
        'const [, ...digits] = contentRangePattern.exec(contentRange) ?? []; | 65: [] → ["Stryker was here"]',
      ],
    },
    {
      why: 'What is split has at least one piece, and neither text is a type that an operation takes.',
      mutants: [
        "const contentType = event.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''; | 21: event.headers['content-type']?.split(';')[0]?.trim → event.headers['content-type']?.split(';')[0].trim",
        "const contentType = event.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''; | 91: '' → \"Stryker was here!\"",
      ],
    },
  ],
  'policy/cedar.ts': [
    {
      why: 'The name of a file is for stack traces alone.',
      mutants: ['{ filename: source }, | 1: { filename: source } → {}'],
    },
  ],
  'policy/sample-requests.ts': [
    {
      why: 'No context holds these members, and the type asks for them.',
      mutants: [
        "const upload = { ...repository, uploadId: 'upload' }; | 43: 'upload' → \"\"",
        'const layerDigests = [digest]; | 22: [digest] → []',
      ],
    },
  ],
  'api/strict-json.ts': [
    {
      why: 'A sum is odd where the difference is.',
      mutants: ['return (at - first) % 2 === 1; | 9: at - first → at + first'],
    },
    {
      why: 'Where no quote is left nothing is escaped, nor is the second character of a text, which follows its first quote.',
      mutants: [
        'while (end !== -1 && isEscaped(text, end)) { | 8: end !== -1 → true',
        'while (end !== -1 && isEscaped(text, end)) { | 16: -1 → +1',
      ],
    },
    {
      why: 'Beyond its end a text has no character, and nothing is counted.',
      mutants: ['for (let at = 0; at < text.length; at++) { | 18: at < text.length → at <= text.length'],
    },
    {
      why: 'Nothing is no object either, which is said in the same words.',
      mutants: [
        "} catch { | 9: { // The parser's own message quotes the text. throw new JsonFault('a JSON object'); } → {}",
      ],
    },
  ],
  'api/well-formed.ts': [
    {
      why: 'A list is an object whose names are numbers, and well-formed: that it is read by its elements alone costs less.',
      mutants: [
        'if (Array.isArray(one)) { | 5: Array.isArray(one) → false',
        'if (Array.isArray(one)) { | 25: { for (const element of one) { left.push(element); } continue; } → {}',
      ],
    },
  ],
  'lambda/upload/layer-part-body.ts': [
    {
      why: 'After the last byte there is nothing to write.',
      mutants: [
        'for (let at = 0; at < blob.length; at += sliceBytes) { | 18: at < blob.length → at <= blob.length',
      ],
    },
    {
      why: 'Base64 is of ASCII, which both encodings write alike.',
      mutants: [
        "length += body.write(blob.toString('base64', at, at + sliceBytes), length, 'latin1'); | 76: 'latin1' → \"\"",
      ],
    },
    {
      why: 'A body of just that size has as much memory either way.',
      mutants: [
        'if (bytes.length < minEcrPartBytes || length > roomBytes) { | 39: length > roomBytes → length >= roomBytes',
      ],
    },
  ],
  'api/manifest.ts': [
    {
      why: 'Beyond its end a text has no character, and nothing is counted.',
      mutants: ['for (let at = 0; at < text.length; at++) { | 18: at < text.length → at <= text.length'],
    },
    {
      why: 'What stands for a text that is not there is one text, and has no character that Cedar escapes.',
      mutants: [
        "const { artifactType = '', configMediaType = '', layerMediaTypes, manifestMediaTypes, annotations } = facts; | 46: '' → \"Stryker was here!\"",
        "const { artifactType = '', configMediaType = '', layerMediaTypes, manifestMediaTypes, annotations } = facts; | 24: '' → \"Stryker was here!\"",
      ],
    },
    {
      why: 'Nothing else is thrown there: the question is for its type.',
      mutants: ['if (failure instanceof z.ZodError) { | 5: failure instanceof z.ZodError → true'],
    },
  ],
  'api/manifest-schemas.ts': [
    {
      why: 'Of an issue its place is read, and no other member.',
      mutants: ["context.addIssue({ code: 'custom', path: [index, ...path] }); | 26: 'custom' → \"\""],
    },
    {
      why: 'What is too long is refused at the same place: that the pattern is not tried on it costs less.',
      mutants: [
        '.max(maxDigestCharacters, { abort: true }) | 27: { abort: true } → {}',
        '.max(maxDigestCharacters, { abort: true }) | 36: true → false',
      ],
    },
  ],
  'policy/policy-files.ts': [
    {
      why: 'A text that is split has at least one line, and each number is among the names.',
      mutants: [
        "return { file, line: before.length, column: (before.at(-1) ?? '').length + 1 }; | 63: '' → \"Stryker was here!\"",
        "return names.map((name) => texts[sorted.indexOf(name)] ?? ''); | 59: '' → \"Stryker was here!\"",
      ],
    },
    {
      why: 'A function that ends without a value returns undefined.',
      mutants: ['} catch { | 9: { return; } → {}'],
    },
    {
      why: 'Where there are errors nobody sees the warnings.',
      mutants: [
        'return { errors: [wholeFile(source, \'Cedar fails to validate these policies\')], warnings: [] }; | 91: [] → ["Stryker was here"]',
        'return { errors: answer.errors.map((error) => faultOf(source, error)), warnings: [] }; | 82: [] → ["Stryker was here"]',
        'faults.length > 0 ? { errors: faults, warnings: [] } : judge(engine, schema, source, policies); | 49: [] → ["Stryker was here"]',
      ],
    },
    {
      why: 'Nothing else is thrown there: the question is for its type.',
      mutants: ['if (error instanceof PolicyError) { | 5: error instanceof PolicyError → true'],
    },
    {
      why: 'The library under Node sorts what it finds in a directory, on the systems where the tests run: that it does so everywhere is not promised.',
      mutants: [
        'const sources = files.sort().map((file) => readSource(join(directory, file))); | 17: files.sort() → files',
      ],
    },
  ],
  'policy/policy-directory.ts': [
    {
      why: 'What the file system throws is an Error: the other text is for its type.',
      mutants: [
        "const reason = error instanceof Error ? error.message : 'for a reason unknown'; | 57: 'for a reason unknown' → \"\"",
      ],
    },
  ],
  'registry/front/server.ts': [
    {
      why: 'Only a process can set its umask, and no thread of Stryker’s: test/contract/registry-socket.test.ts fails for these.',
      mutants: [
        "if ('socket' in address) { | 26: { await listenAtSocket(server, address.socket); return `unix:${address.socket}`; } → {}",
        'return `unix:${address.socket}`; | 8: `unix:${address.socket}` → ``',
        "url: 'socket' in address ? place : `${tls ? 'https' : 'http'}://${place}`, | 6: 'socket' → \"\"",
        "if ('socket' in address) { | 5: 'socket' in address → false",
        "if ('socket' in address) { | 5: 'socket' → \"\"",
      ],
    },
    {
      why: 'A text has neither a path nor methods, and so is no route.',
      mutants: ['otherRoutes: options.otherRoutes ?? [], | 37: [] → ["Stryker was here"]'],
    },
    {
      why: 'A server that listens at a port has an object for its address: the comparisons are for its type.',
      mutants: [
        "const port = bound !== null && typeof bound === 'object' ? bound.port : address.port; | 14: bound !== null && typeof bound === 'object' → true",
        "const port = bound !== null && typeof bound === 'object' ? bound.port : address.port; | 14: bound !== null && typeof bound === 'object' → bound !== null || typeof bound === 'object'",
        "const port = bound !== null && typeof bound === 'object' ? bound.port : address.port; | 14: bound !== null → true",
        "const port = bound !== null && typeof bound === 'object' ? bound.port : address.port; | 32: typeof bound === 'object' → true",
      ],
    },
  ],
  'registry/front/names.ts': [
    {
      why: 'An expression takes null for the word null, which is no digest: the comparison is for its type.',
      mutants: ['if (text === null || !digestPattern.test(text)) { | 5: text === null → false'],
    },
  ],
  'registry/front/content-range.ts': [
    {
      why: 'The first of what was matched, which is the whole, is passed over.',
      mutants: [
        'const [, from, to] = /^(?:bytes[ =])?(\\d{1,15})-(\\d{1,15})(?:\\/(?:\\d{1,15}|\\*))?$/.exec(text) ?? []; | 98: [] → ["Stryker was here"]',
      ],
    },
  ],
  'registry/front/unreadable.ts': [
    {
      why: 'Neither text is a code that Node.js has.',
      mutants: [
        "const [status, message] = reasons[error.code ?? ''] ?? [400, 'this is no request of HTTP/1.1']; | 49: '' → \"Stryker was here!\"",
      ],
    },
  ],
  'registry/hosted/part-cutter.ts': [
    {
      why: 'Wherever bytes are held there is a buffer: the comparison is for its type.',
      mutants: [
        "if (buffer === undefined) { | 27: { throw new Error('no buffer is being filled'); } → {}",
        "throw new Error('no buffer is being filled'); | 17: 'no buffer is being filled' → \"\"",
        'if (buffer === undefined) { | 5: buffer === undefined → false',
      ],
    },
    {
      why: 'Where there is no first buffer there is no second: the comparison is for its type.',
      mutants: ['if (first === undefined || second === undefined) { | 5: first === undefined → false'],
    },
    {
      why: 'What is moved with the bytes that are held lies behind them, and is no part.',
      mutants: [
        'second.copyWithin(moved.length, 0, left - first.length); | 36: left - first.length → left + first.length',
      ],
    },
  ],
  'client/layer-reader.ts': [
    {
      why: 'A byte at the position has been passed over before.',
      mutants: [
        'if (byte >= start && byte < this.#position) { | 22: byte < this.#position → byte <= this.#position',
        '} else if (byte <= this.#hashedBytes && byte > this.#position) { | 41: byte > this.#position → byte >= this.#position',
      ],
    },
    {
      why: 'A text has no memory that a buffer could be in.',
      mutants: [
        'const views = [...this.#kept.map(({ bytes }) => bytes), ...this.#ahead, ...(chunk ? [chunk] : [])]; | 95: [] → ["Stryker was here"]',
      ],
    },
    {
      why: 'A chunk of no bytes is passed over when the next one is read.',
      mutants: [
        'if (taken.length < chunk.length) { | 5: taken.length < chunk.length → true',
        'if (taken.length < chunk.length) { | 5: taken.length < chunk.length → taken.length <= chunk.length',
      ],
    },
  ],
  'registry/front/serve.ts': [
    {
      why: 'A request that a server has read has a method and a target: what stands for them is for their types.',
      mutants: [
        "const path = raw.url?.split('?', 1)[0] ?? '/'; | 14: raw.url?.split → raw.url.split",
        "const path = raw.url?.split('?', 1)[0] ?? '/'; | 43: '/' → \"\"",
        "const method = raw.method ?? 'GET'; | 30: 'GET' → \"\"",
        "query: new URLSearchParams(raw.url?.split('?').slice(1).join('?')), | 28: raw.url?.split → raw.url.split",
      ],
    },
    {
      why: 'Node.js leaves the body out of an answer to HEAD as well, and no handler of HEAD gives chunks.',
      mutants: [
        "const options = { isHead: method === 'HEAD', close: service.isClosing(), warnings, rest }; | 27: method === 'HEAD' → false",
        "const options = { isHead: method === 'HEAD', close: service.isClosing(), warnings, rest }; | 38: 'HEAD' → \"\"",
      ],
    },
    {
      why: 'A route that was found matches its path.',
      mutants: [
        'const { told, ...reason } = refusedWith(error, route, route?.pattern.exec(path)?.groups?.name); | 55: route?.pattern.exec(path)?.groups → route?.pattern.exec(path).groups',
        "const { name, reference = '' } = route.pattern.exec(path)?.groups ?? {}; | 34: route.pattern.exec(path)?.groups → route.pattern.exec(path).groups",
      ],
    },
    {
      why: 'Where a path has no repository or no reference, no handler asks for it.',
      mutants: [
        "const { name, reference = '' } = route.pattern.exec(path)?.groups ?? {}; | 27: '' → \"Stryker was here!\"",
        "repositoryName: name === undefined ? '' : repositoryNameOf(name, registry), | 38: '' → \"Stryker was here!\"",
      ],
    },
    {
      why: 'Neither value is a path that a route has.',
      mutants: ["return ''; | 8: '' → \"Stryker was here!\"", "} catch { | 9: { return ''; } → {}"],
    },
  ],
  'registry/hosted/answer-time.ts': [
    {
      why: 'Neither value says that it is late.',
      mutants: ['work.then(() => false), | 11: () => false → () => undefined'],
    },
  ],
  'lambda/upload/ecr-answers.ts': [
    {
      why: 'Neither text is a digest of ECR’s.',
      mutants: [
        "found === undefined || asked.some((one) => one === found || !ecrDigest.test(one ?? '')); | 84: '' → \"Stryker was here!\"",
      ],
    },
    {
      why: 'What fails is no answer either.',
      mutants: [
        'lists.some((list) => list !== undefined && list.length > 0); | 22: list !== undefined → true',
      ],
    },
    {
      why: 'A function that ends without a value returns undefined, which is as little true.',
      mutants: ['} catch { | 9: { return false; } → {}'],
    },
  ],
  'registry/front/manifests.ts': [
    {
      why: 'An expression takes undefined for that word, which is no digest: the comparison is for its type.',
      mutants: [
        "...(listsReferrers && subject !== undefined && isStorable(subject) && { 'oci-subject': subject }), | 23: subject !== undefined → true",
      ],
    },
    {
      why: 'A text that is split has at least one part.',
      mutants: [
        "contentType?.split(';', 1)[0]?.trim() || undefined; | 1: contentType?.split(';', 1)[0]?.trim → contentType?.split(';', 1)[0].trim",
      ],
    },
  ],
  'registry/hosted/read-images.ts': [
    {
      why: 'Neither text is a code that ECR has.',
      mutants: ["if (!image && !absent.has(failure?.failureCode ?? '')) { | 51: '' → \"Stryker was here!\""],
    },
  ],
  'registry/hosted/environment.ts': [
    {
      why: 'A variable that is not set is not true, whatever stands for it.',
      mutants: [".default('false') | 10: 'false' → \"\""],
    },
  ],
  'registry/hosted/server.ts': [
    {
      why: 'Node.js joins several such headers to one text: the list is for its type.',
      mutants: [
        "const [last] = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',').slice(-1); | 63: ',' → \"\"",
      ],
    },
    {
      why: 'A text that is split has at least one part.',
      mutants: ['return last?.trim() || socket.remoteAddress; | 8: last?.trim → last.trim'],
    },
  ],
  'registry/front/incoming-body.ts': [
    {
      why: 'Node.js tells of the close of a request right after its end.',
      mutants: ["request.on('end', resolve).on('close', resolve); | 12: 'end' → \"\""],
    },
  ],
  'registry/front/answers.ts': [
    {
      why: 'Node.js writes no header that has no values.',
      mutants: [
        'if (warnings.length > 0) { | 5: warnings.length > 0 → true',
        'if (warnings.length > 0) { | 5: warnings.length > 0 → warnings.length >= 0',
      ],
    },
  ],
};

export const reasonOf = (file: string, mutant: Mutant): string | undefined =>
  equivalent[file]?.find(({ mutants }) => mutants.includes(mutant))?.why;
