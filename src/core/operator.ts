/** Operators: what each may, and how they are named beside what they do. */

/**
 * `look`: see everything. `act`: also change editions, readers and papers. `own`: also say who is an operator. Each
 * role may what those before it may.
 */
export const OPERATOR_ROLES = ['look', 'act', 'own'] as const
export type OperatorRole = (typeof OPERATOR_ROLES)[number]

export const isOperatorRole = (text: unknown): text is OperatorRole => OPERATOR_ROLES.some((role) => role === text)

/** Whether a role may what needs another. */
export const allows = (role: OperatorRole, needed: OperatorRole): boolean =>
  OPERATOR_ROLES.indexOf(role) >= OPERATOR_ROLES.indexOf(needed)

/** One who acts: an operator on the admin pages, or the user of a machine by a command. */
export interface Actor {
  byWhom: string
  via: 'admin' | 'command'
  /** The entry of the record that the act takes back, where it does. */
  undoes?: number
}

/** The operator who has the ADMIN_TOKEN; nobody else may be called that. */
export const ADMIN = 'admin'

const MAX_NAME = 60

/** The name of an operator, as it will stand beside what they do; or why it is none. */
export const readOperatorName = (typed: string): { name: string } | { problem: string } => {
  const name = typed.trim().replace(/\s+/g, ' ')
  if (name === '') return { problem: 'Give a name.' }
  if (name.length > MAX_NAME) return { problem: `A name has at most ${MAX_NAME} characters.` }
  if (/[\p{C}@]/u.test(name)) return { problem: 'A name has no @ and no control characters.' }
  if (name.toLowerCase() === ADMIN)
    return { problem: `“${ADMIN}” is whoever has the ADMIN_TOKEN; choose another name.` }
  return { name }
}
