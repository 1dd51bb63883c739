export {
  type Client,
  type ClientOptions,
  createClient,
  type ItemOf,
  type ListOperation,
  type OperationName,
  type RequestOf,
} from './client.ts';
export { ApiError, ApiUnreachableError, type Issue } from './errors.ts';
export type * from './operations.ts';
