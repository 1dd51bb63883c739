import { clockTime } from '../time.ts';

export interface Hour {
  readonly at: string;
  readonly delivered: number;
  readonly failed: number;
}

const shapeOf = ({ delivered, failed }: Pick<Hour, 'delivered' | 'failed'>): string => {
  if (delivered + failed === 0) return 'n';
  if (failed === 0) return '';
  return failed * 2 >= delivered ? 'b' : 'w';
};

/** A block for each hour of a day: what fails fills it from below, so that height tells it as well as colour. */
export const HourBlocks = ({ hours, name }: { hours: readonly Hour[]; name: string }) => {
  const failed = hours.filter((hour) => hour.failed > 0);
  const last = failed.at(-1);
  const words =
    last === undefined
      ? 'no attempt failed'
      : `attempts failed in ${failed.length} of them, last at ${clockTime(last.at)}`;
  return (
    <span class="hours" role="img" aria-label={`${name}, the last ${hours.length} hours: ${words}`}>
      {hours.map((hour) => (
        <i
          key={hour.at}
          class={shapeOf(hour)}
          title={`${clockTime(hour.at)}: ${hour.delivered} delivered, ${hour.failed} failed`}
        />
      ))}
    </span>
  );
};
