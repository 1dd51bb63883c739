import { application } from '../../tsdown.base.ts';

export default { ...application, entry: { ...application.entry, 'parse-thread': 'src/parse-thread.ts' } };
