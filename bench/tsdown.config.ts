import { application } from '../tsdown.base.ts';

export default application;
