/** The arguments of `main.ts`: the roles of the process, or one task that ends. */
import { parseArgs } from 'node:util'
import { isDate } from '../src/core/calendar.ts'
import type { Config } from './config/config.ts'
import { UsageError } from './exit.ts'
import { ROLES, type Role } from './roles/role.ts'

export interface MaintenanceArguments {
  json: boolean
  dryRun: boolean
  /** Months to create beside those that are due, `YYYY-MM`. */
  months: string[]
}

export type Task =
  | { kind: 'serve'; roles: ReadonlySet<Role> }
  | { kind: 'migrate' }
  | { kind: 'maintain'; options: MaintenanceArguments }

/** Without arguments all roles; `bounces` among them only where its settings are there. Throws `UsageError`. */
export const readCommandLine = (words: string[], config: Pick<Config, 'bounces'>): Task => {
  if (words.length === 1 && words[0] === 'migrate') return { kind: 'migrate' }
  const [first, ...rest] = words
  if (first === 'maintain' && rest.join() !== '--daily') return { kind: 'maintain', options: readMaintenance(rest) }
  const named = first === 'maintain' ? [first] : words
  const unknown = named.filter((word) => !ROLES.some((role) => role === word))
  if (unknown.length > 0)
    throw new UsageError(
      `there is no role ${unknown.join(', ')}; the roles are ${ROLES.join(', ')} and migrate (alone)`,
    )
  if (named.includes('bounces') && config.bounces === null)
    throw new UsageError('the role bounces needs BOUNCE_DOMAIN and BOUNCES_PORT')
  const isWanted = (role: Role) =>
    named.length === 0 ? role !== 'bounces' || config.bounces !== null : named.includes(role)
  return { kind: 'serve', roles: new Set(ROLES.filter(isWanted)) }
}

/** Whether the roles are a whole service. Bounces may be received by another process, or not at all. */
export const isWholeService = (roles: ReadonlySet<Role>): boolean =>
  ROLES.every((role) => role === 'bounces' || roles.has(role))

const readMaintenance = (words: string[]): MaintenanceArguments => {
  try {
    const options = { json: { type: 'boolean' }, 'dry-run': { type: 'boolean' }, month: { type: 'string' } } as const
    const { values } = parseArgs({ args: words, options, allowPositionals: false })
    const { month } = values
    if (month !== undefined && !isDate(`${month}-01`)) throw new Error('--month is written as 2026-04')
    return {
      json: values.json ?? false,
      dryRun: values['dry-run'] ?? false,
      months: month === undefined ? [] : [month],
    }
  } catch (error) {
    const usage = 'main.ts maintain [--daily | [--dry-run] [--json] [--month YYYY-MM]]'
    throw new UsageError(`${(error as Error).message}; usage: ${usage}`)
  }
}
