// Writes what came of a front's cells as a table of Markdown: faults with the same cells share a row.

export type Row = { readonly name: string; readonly cells: readonly string[] };

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** @param title of the first column */
export function tableOf(
  title: string,
  columns: readonly string[],
  blocks: readonly (readonly [name: string, rows: readonly Row[]])[],
): string {
  const lines = blocks.flatMap(([block, rows]) => {
    const shared = Map.groupBy(rows, ({ cells }) => cells.join('|'));
    return [...shared.values()].map((alike) =>
      line([`${block}: ${alike.map(({ name }) => name).join('; ')}`, ...(alike[0]?.cells ?? [])]),
    );
  });
  return [line([title, ...columns]), line(['', ...columns].map(() => '---')), ...lines].join('\n');
}
