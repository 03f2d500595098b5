// API Gateway's resource tree: which route a method and a path belong to.

import type { Route } from '../template/template.ts';

export type Match = { route: Route; pathParameters: Record<string, string> };

/**
 * `undefined` where API Gateway answers that it knows no such resource. A parameter takes exactly one
 * segment, a literal segment goes before a parameter, and a path with an empty segment is another path.
 */
export function router(routes: readonly Route[]) {
  const candidates = routes.map((route) => ({ route, segments: route.path.split('/').slice(1) }));
  const literals = ({ segments }: { segments: string[] }) => segments.filter((part) => !part.startsWith('{'));
  candidates.sort((a, b) => literals(b).length - literals(a).length);

  return (method: string, path: string): Match | undefined => {
    const parts = path.split('/').slice(1);
    for (const { route, segments } of candidates) {
      const pathParameters = route.method === method ? matchSegments(segments, parts) : undefined;
      if (pathParameters) {
        return { route, pathParameters };
      }
    }
    return undefined;
  };
}

function matchSegments(
  segments: readonly string[],
  parts: readonly string[],
): Record<string, string> | undefined {
  if (segments.length !== parts.length) {
    return undefined;
  }
  const parameters: [string, string][] = [];
  for (const [index, segment] of segments.entries()) {
    const part = decode(parts[index] ?? '');
    const name = /^\{(.+)\}$/.exec(segment)?.[1];
    if (part === undefined || (name ? part === '' : part !== segment)) {
      return undefined;
    }
    if (name) {
      parameters.push([name, part]);
    }
  }
  return Object.fromEntries(parameters);
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
