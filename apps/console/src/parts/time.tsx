import { ago, clockTime } from '../time.ts';

/** A moment: clock time on the screen, ISO 8601 for programs. */
export const Time = ({ at, millis = true }: { at: string; millis?: boolean }) => (
  <time dateTime={at} class="mono">
    {clockTime(at, { millis })}
  </time>
);

export const Ago = ({ at }: { at: string }) => (
  <time dateTime={at} title={clockTime(at)}>
    {ago(at)}
  </time>
);
