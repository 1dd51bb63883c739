import { application } from '../../tsdown.base.ts';

// The API serves the console from beside its own file.
export default { ...application, copy: [{ from: '../console/dist', rename: 'console' }] };
