import { application, CHECKS_TRANSFORMS } from '../../tsdown.base.ts';

export default { ...application, entry: { ...application.entry, ...CHECKS_TRANSFORMS } };
