/** How figures stand in the tables of an evaluation. */
import type { Estimate } from './metrics.ts'

export const number = (value: number | null | undefined): string => (value == null ? '–' : value.toFixed(3))

export const interval = (ci: Estimate['ci'] | undefined): string =>
  ci == null ? '' : `[${ci[0].toFixed(3)}, ${ci[1].toFixed(3)}]`

export const row = (name: string, ...columns: string[]): string =>
  `  ${name.padEnd(28)}${columns.map((column) => `${column} `.padEnd(24)).join('')}`.trimEnd()
