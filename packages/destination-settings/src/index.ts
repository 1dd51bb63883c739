export { type Applied, applyDeclarations } from './apply.ts';
export {
  type Completed,
  checkFilter,
  complete,
  type Declaration,
  declaration,
  declarationBody,
  showSettings,
} from './declaration.ts';
export { InvalidDestinationsError } from './errors.ts';
export { parseDeclarations } from './file.ts';
export { InvalidAdapterError, loadAdapters } from './load-adapters.ts';
