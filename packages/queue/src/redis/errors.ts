/** The data in this Redis were written by a Clickrelay that lays them out differently. */
export class LayoutMismatchError extends Error {
  override readonly name = 'LayoutMismatchError';
  readonly code = 'layout_mismatch';
}
