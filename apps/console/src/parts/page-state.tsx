import type { ComponentChildren } from 'preact';
import type { Loaded } from '../load.ts';
import { clockTime } from '../time.ts';
import { wordsOf } from '../words.ts';
import { Icon } from './icon.tsx';

/** Says that what is on the screen is not of now, and why. Nothing while all is well. */
export const Failed = ({ loaded }: { loaded: Pick<Loaded<unknown>, 'error' | 'at' | 'reload'> }) => {
  const { error, at, reload } = loaded;
  if (error === undefined) return null;
  return (
    <div class="notice" role="alert">
      <Icon name="warn" class="warn" />
      <div class="grow">
        <b>{at === undefined ? 'This could not be read' : `What you see is of ${clockTime(at, { millis: false })}`}</b>
        <p class="muted small">{wordsOf(error)}</p>
      </div>
      <button class="btn s" type="button" onClick={reload}>
        Try now
      </button>
    </div>
  );
};

/** Stands where rows will be. */
export const Skeleton = ({ rows = 6 }: { rows?: number }) => (
  <div class="body" aria-busy="true">
    <span class="sr">Loading</span>
    {Array.from({ length: rows }, (_, row) => (
      <span class="skeleton" key={row} />
    ))}
  </div>
);

/** An empty list says why it is empty, and what to do. */
export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="empty">
    <h3>{title}</h3>
    {children}
  </div>
);

interface ListCardProps<Item> {
  readonly loaded: Loaded<{ readonly items: readonly Item[] }>;
  /** What an empty list says. */
  readonly empty: string;
  readonly children: (items: readonly Item[]) => ComponentChildren;
}

/** A card with one list: what failed, what is loading, why it is empty, or its rows. */
export const ListCard = <Item,>({ loaded, empty, children }: ListCardProps<Item>) => (
  <section class="card">
    <Failed loaded={loaded} />
    {loaded.data === undefined ? (
      loaded.error === undefined && <Skeleton />
    ) : loaded.data.items.length === 0 ? (
      <Empty title={empty} />
    ) : (
      children(loaded.data.items)
    )}
  </section>
);
