/** How much space the database's disk must have left, and the error of one that has less. */

export const MEGABYTE = 1_000_000

/** The disk has so little space that what would fill it is refused; the code is that of a disk that is full (errno(3)). */
export class LittleSpace extends Error {
  override name = 'LittleSpace'
  readonly code = 'ENOSPC'

  /** `free`, `least`: octets. */
  constructor(free: number, least: number) {
    super(
      `${Math.floor(free / MEGABYTE)} MB are free in DATA_DIR; at least ${Math.ceil(least / MEGABYTE)} must be ` +
        '(MIN_FREE_MB), so sign-ups are refused and no edition is published until there is more',
    )
  }
}
