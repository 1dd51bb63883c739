import type { ComponentChildren } from 'preact';

export interface Column<Row> {
  readonly head: ComponentChildren;
  readonly cell: (row: Row) => ComponentChildren;
  /** Numbers stand to the right. */
  readonly num?: boolean;
  readonly class?: string | ((row: Row) => string);
}

export interface TableProps<Row> {
  /** What a screen reader calls the list: `List of deliveries`. */
  readonly name: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly isSelected?: (row: Row) => boolean;
  /** A click on a row, but not on a link or a field in it. */
  readonly onSelect?: ((row: Row) => void) | undefined;
  /** How many there are in all, where only some are shown. */
  readonly total?: number | undefined;
}

/** Every table of the console: it scrolls in its own box, and `j`, `k` and `x` go through its rows. */
export const Table = <Row,>({ name, rows, columns, keyOf, isSelected, onSelect, total }: TableProps<Row>) => (
  <section class="scroll" tabIndex={0} aria-label={name}>
    <table aria-rowcount={total}>
      <thead>
        <tr>
          {columns.map(({ head, num }, index) => (
            <th scope="col" key={index} class={num === true ? 'num' : undefined}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr
            key={keyOf(row)}
            aria-selected={isSelected?.(row)}
            onClick={({ target }) => {
              if ((target as HTMLElement).closest('a, button, input') === null) onSelect?.(row);
            }}
          >
            {columns.map((column, index) => (
              <td key={index} class={classOf(column, row)}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);

const classOf = <Row,>({ num, class: own = '' }: Column<Row>, row: Row): string | undefined => {
  const extra = typeof own === 'string' ? own : own(row);
  return (num === true ? `num ${extra}`.trim() : extra) || undefined;
};
