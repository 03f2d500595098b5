// Policies that nest as deep as one asks, by every kind of expression that Cedar has.

const part = 'permit (principal, action == Action::"UploadLayerPart", resource)';
const rest = (text: string, times: number) => text.repeat(Math.max(times, 0));
const list = (count: number, item: (n: number) => string, between: string) =>
  Array.from({ length: count }, (_, n) => item(n)).join(between);

/** Kinds that Cedar's parser takes at any length, from left to right. */
export const chains: Readonly<Record<string, (length: number) => string>> = {
  '||': (n) => `${part} when { ${list(n, (i) => `resource.name == "n${i}"`, ' || ')} };`,
  '&&': (n) => `${part} when { ${list(n, (i) => `resource.name != "n${i}"`, ' && ')} };`,
  '+': (n) => `${part} when { 0 <= ${list(n, () => 'context.partLastByte', ' + ')} };`,
  '*': (n) => `${part} when { 0 <= ${list(n, () => '1', ' * ')} };`,
  'a method of a method': (n) =>
    `${part} when { context.now${rest('.offset(duration("1ms"))', n)} > datetime("1960-01-01") };`,
  'else if': (n) => `${part} when { ${rest('if resource.name == "x" then true else ', n)}true };`,
  'when after when': (n) => `${part} ${list(n, (i) => `when { resource.name != "n${i}" }`, ' ')};`,
  'unless after unless': (n) => `${part} ${list(n, (i) => `unless { resource.name == "n${i}" }`, ' ')};`,
  'has of a path': (n) => `${part} when { {a: {a: true}} has ${list(n, () => 'a', '.')} };`,
};

/** Kinds that nest in brackets: each makes a Boolean of a Boolean. */
const brackets: Readonly<Record<string, readonly [before: string, after: string]>> = {
  not: ['!(', ')'],
  'if of a condition': ['if (', ') then true else false'],
  'if of a consequence': ['if resource.name != "x" then (', ') else true'],
  'if of an alternative': ['if resource.name == "x" then true else (', ')'],
  'the right of &&': ['(resource.name != "x" && ', ')'],
  '== of Booleans': ['(true == (', '))'],
  '!= of Booleans': ['(true != (', '))'],
  'a set': ['[', '].contains(true)'],
  'a set that may be empty': ['[', '].isEmpty()'],
  'an argument': ['[true].contains(', ')'],
  'a set as an argument': ['[true].containsAll([', '])'],
  'a record': ['{"a":', '}.a'],
  'a record in a comparison': ['({"a":', '}.a == true)'],
  'a negative number': ['(0 < -(if ', ' then 1 else 2))'],
  'a comparison': ['(0 >= (if ', ' then 1 else 2))'],
  'a sum': ['(0 < 1 + (if ', ' then 1 else 2))'],
  'a date': [
    '(datetime("1970-01-01") == datetime("1970-01-01").offset(if ',
    ' then duration("1ms") else duration("2ms")))',
  ],
  'an address': ['(if ', ' then ip("127.0.0.1") else ip("10.0.0.1")).isInRange(ip("10.0.0.0/8"))'],
  'a pattern': ['((if ', ' then "a" else "b") like "b*")'],
  'a tag': ['(principal is Client || principal.hasTag(if ', ' then "a" else "b"))'],
  'an entity in others': ['((if ', ' then principal else principal) in [Client::"a"])'],
  'an attribute': ['((if ', ' then resource else resource).name == "b")'],
};

/** Brackets in brackets, around a chain that makes it as deep as needed: Cedar's parser takes some 110 brackets. */
export const nested: Readonly<Record<string, (depth: number) => string>> = Object.fromEntries(
  Object.entries(brackets).map(([kind, [before, after]]) => [
    kind,
    (depth: number) => {
      const chain = list(Math.max(depth, 1), (i) => `resource.name == "n${i}"`, ' || ');
      return `${part} when { ${before.repeat(20)}${chain}${after.repeat(20)} };`;
    },
  ]),
);
