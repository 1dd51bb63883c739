/* How lists are read page by page. */

export interface Page<Item> {
  readonly items: Item[];
  /** Where the next page begins; null at the end. */
  readonly next: string | null;
}

/**
 * Turns the place where a page of a list ended into text, and back: the parts of the place in order, with dots between
 * them. Clients send the text back unchanged.
 */
export interface Cursor<Part extends string> {
  write(place: Readonly<Record<Part, string | number>>): string;
  /**
   * @returns undefined without a cursor, and for text that is not a cursor of this list: read from the beginning then
   */
  read(cursor: string | undefined): Readonly<Record<Part, string>> | undefined;
}

/** @param parts what each part looks like, in their order. A pattern has no groups of its own but `(?:…)`. */
export const defineCursor = <Part extends string>(parts: Readonly<Record<Part, RegExp>>): Cursor<Part> => {
  const names = Object.keys(parts) as Part[];
  const pattern = new RegExp(`^${names.map((name) => `(${parts[name].source})`).join('\\.')}$`);
  return {
    write: (place) => names.map((name) => place[name]).join('.'),
    read: (cursor) => {
      const [, ...values] = pattern.exec(cursor ?? '') ?? [];
      if (values.length === 0) return undefined;
      return Object.fromEntries(names.map((name, index) => [name, values[index]])) as Record<Part, string>;
    },
  };
};
