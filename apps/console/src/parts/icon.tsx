import sprite from '../icons.svg?no-inline';

/** A drawing of the sprite. What it means is said in words beside it. */
export const Icon = ({ name, class: extra = '' }: { name: string; class?: string }) => (
  <svg class={`i ${extra}`} aria-hidden="true">
    <use href={`${sprite}#${name}`} />
  </svg>
);
