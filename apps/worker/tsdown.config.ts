import { application } from '../../tsdown.base.ts';

export default { ...application, entry: [...application.entry, 'src/split-thread.ts'] };
