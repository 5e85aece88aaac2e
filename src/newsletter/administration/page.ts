/** One page of a list that was read with one row more than it shows. */

/** The first `size` rows; `more` is the last of them where others follow, `null` where none do. */
export const pageOf = <T>(rows: readonly T[], size: number): { rows: T[]; more: T | null } => ({
  rows: rows.slice(0, size),
  more: rows.length > size ? (rows[size - 1] ?? null) : null,
})
