/** How much space the database's disk must have left, and the error of one that has less. */

export const MEGABYTE = 1_000_000

/** There is so little space that what would fill it is refused; the code is that of a disk that is full (errno(3)). */
export class LittleSpace extends Error {
  override name = 'LittleSpace'
  readonly code = 'ENOSPC'

  /** `found`: what is known of the space, as a clause. */
  constructor(found: string) {
    super(`${found}, so sign-ups are refused and no edition is published until there is more`)
  }
}

/** Throws `LittleSpace` where fewer octets are free in the data folder than must be. */
export const requireFree = (free: number, least: number): void => {
  if (free >= least) return
  throw new LittleSpace(
    `${Math.floor(free / MEGABYTE)} MB are free in DATA_DIR; at least ${Math.ceil(least / MEGABYTE)} must be (MIN_FREE_MB)`,
  )
}
