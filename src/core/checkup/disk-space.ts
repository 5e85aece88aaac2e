/** Checks that the disk of the embedded database has space left. */
import { MEGABYTE } from '../disk-space.ts'
import { type Finding, fault, fine, warning } from './check.ts'

/** `free`: octets that are left; `least`: octets below which sign-ups and editions are refused. */
export const checkDiskSpace = (free: number, least: number): Finding => {
  const found = `${Math.floor(free / MEGABYTE)} MB free in DATA_DIR`
  const mend = 'make space on that disk, or move DATA_DIR; the least that must be free is MIN_FREE_MB'
  if (free < least) return fault(found, 'sign-ups are refused and no edition is published', mend)
  return free < 2 * least
    ? warning(found, `below ${Math.ceil(least / MEGABYTE)} MB sign-ups are refused and no edition is published`, mend)
    : fine(found)
}
