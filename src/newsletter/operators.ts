/** Operators: who may look at the admin pages and act on them, with which token, and in which browsers they are signed in. */
import { HOUR, MINUTE } from '../core/calendar.ts'
import { isReadOnlyError } from '../core/database-error.ts'
import { type Actor, ADMIN, isOperatorRole, type OperatorRole, readOperatorName } from '../core/operator.ts'
import { createOperatorToken, createSessionToken, formTokenOf, hashOfToken, sameHash } from '../core/operator-token.ts'
import { type Keys, keyedHash } from '../core/token.ts'
import { recordAct } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import {
  deleteOldSessions,
  deleteSession,
  endSessions,
  findOperator,
  insertOperator,
  insertSession,
  type Operator,
  readOperators,
  readSession,
  readSessions,
  type SessionRow,
  storeMessage,
  touchSession,
  updateOperator,
} from '../store/operators.ts'

export interface OperatorPorts {
  db: Database
  now: () => Date
}

/** Why nothing was done, as a sentence. */
export interface Problem {
  problem: string
}

/** An operator with a token that is told once, and of which a hash alone is kept. */
export interface WithToken {
  operator: Operator
  token: string
}

const NO_OPERATOR: Problem = { problem: 'There is no such operator, or they are none any more; see operators list.' }

export const addOperator = async (
  { db, now }: OperatorPorts,
  by: Actor,
  typed: { name: string; role: string },
): Promise<WithToken | Problem> => {
  const read = readOperatorName(typed.name)
  if ('problem' in read) return read
  const { role } = typed
  if (!isOperatorRole(role)) return { problem: 'A role is look, act or own.' }
  const token = createOperatorToken()
  return db.transaction().execute(async (trx) => {
    const operator = await insertOperator(trx, { name: read.name, role, tokenHash: hashOfToken(token), at: now() })
    if (operator === null)
      return { problem: 'Somebody has this name, or had it; a name in the record means one person.' }
    await recordAct(
      trx,
      { ...by, action: 'operator.added', subject: subjectOf(operator), detail: { name: operator.name, role } },
      now(),
    )
    return { operator, token }
  })
}

/** Gives an operator another token; the one before, and every session that began with it, end at once. */
export const renewOperatorToken = async (
  { db, now }: OperatorPorts,
  by: Actor,
  name: string,
): Promise<WithToken | Problem> => {
  const token = createOperatorToken()
  return db.transaction().execute(async (trx) => {
    const operator = await updateOperator(trx, name, { token_hash: hashOfToken(token) })
    if (operator === undefined) return NO_OPERATOR
    await endSessions(trx, operator.id)
    await recordAct(
      trx,
      { ...by, action: 'operator.token-renewed', subject: subjectOf(operator), detail: { name: operator.name } },
      now(),
    )
    return { operator, token }
  })
}

/** Changes what an operator may, from their next request on. */
export const changeOperatorRole = async (
  { db, now }: OperatorPorts,
  by: Actor,
  name: string,
  role: string,
): Promise<Operator | Problem> => {
  if (!isOperatorRole(role)) return { problem: 'A role is look, act or own.' }
  return db.transaction().execute(async (trx) => {
    const operator = await updateOperator(trx, name, { role })
    if (operator === undefined) return NO_OPERATOR
    await recordAct(
      trx,
      { ...by, action: 'operator.role-changed', subject: subjectOf(operator), detail: { name: operator.name, role } },
      now(),
    )
    return operator
  })
}

/** Ends an operator: their token and their sessions are dead at once, and their name stays beside what they did. */
export const endOperator = async ({ db, now }: OperatorPorts, by: Actor, name: string): Promise<Operator | Problem> =>
  db.transaction().execute(async (trx) => {
    const operator = await updateOperator(trx, name, { token_hash: null, ended_at: now() })
    if (operator === undefined) return NO_OPERATOR
    await endSessions(trx, operator.id)
    await recordAct(
      trx,
      { ...by, action: 'operator.ended', subject: subjectOf(operator), detail: { name: operator.name } },
      now(),
    )
    return operator
  })

const subjectOf = ({ id }: Operator): string => `operator:${id}`

export const listOperators = ({ db }: Pick<OperatorPorts, 'db'>): Promise<Operator[]> => readOperators(db)

/** A session ends when nobody has used it for so long, and in any case after so long. */
export const IDLE = 2 * HOUR
export const LONGEST = 12 * HOUR
/** How often it is noted that a session is used: not at every request. */
const NOTED_EVERY = MINUTE

/** Who acts, and in which session. */
export interface SignedIn {
  name: string
  role: OperatorRole
  /** `null` of whoever has the ADMIN_TOKEN. */
  operatorId: string | null
  /** What every form of the session carries, and no other site can know. */
  csrf: string
  /** What the last act left to be said; told once. */
  message: string | null
  /** The session's name in the store. */
  session: Buffer
}

export interface OpenSession {
  operatorId: string | null
  name: string
  begunAt: Date
  seenAt: Date
}

/** Whom a token or a cookie stands for, and what they may do about operators. */
export interface Operators {
  /** Begins a session, whose cookie holds `session`; `null` for a token that is nobody's. */
  signIn(token: string): Promise<{ session: string; name: string } | null>
  /** Whose session it is; `null` where it ended, or never was. A message that was left is told once, to who `takes` it. */
  readSession(session: string, takes: 'message' | null): Promise<SignedIn | null>
  signOut(session: string): Promise<void>
  /** Leaves a sentence for the next page of the session. */
  leaveMessage(signedIn: SignedIn, message: string): Promise<void>
  /** The role that a bearer token has; `null` for a token that is nobody's. */
  roleOf(token: string): Promise<OperatorRole | null>
  list(): Promise<{ operators: Operator[]; sessions: OpenSession[] }>
  add(by: Actor, typed: { name: string; role: string }): Promise<WithToken | Problem>
  renewToken(by: Actor, name: string): Promise<WithToken | Problem>
  changeRole(by: Actor, name: string, role: string): Promise<Operator | Problem>
  end(by: Actor, name: string): Promise<Operator | Problem>
}

/** Who only looks can go on while the database is read-only: that a session is used is not noted, and its message is told again. */
const unlessReadOnly = async (noted: Promise<void>): Promise<void> => {
  try {
    await noted
  } catch (error) {
    if (!isReadOnlyError(error)) throw error
  }
}

/** `adminToken`: of the operator `admin`, who may everything; `null` where there is none. */
export const createOperators = (ports: OperatorPorts & { keys: Keys; adminToken: string | null }): Operators => {
  const { db, now, keys, adminToken } = ports
  const adminHash = hashOfToken(adminToken ?? createSessionToken())
  // Keyed, for this one was chosen by a person: what stands beside its sessions must not help to guess it.
  const adminCredential = keyedHash(keys, `admin token\0${adminToken ?? createSessionToken()}`)

  /** By the hash alone: how long it takes tells nothing of any token. */
  const find = async (token: string): Promise<{ operator: Operator | null } | null> => {
    const hash = hashOfToken(token)
    if (sameHash(hash, adminHash)) return { operator: null }
    const operator = await findOperator(db, hash)
    return operator === undefined ? null : { operator }
  }

  const holds = (row: SessionRow, at: Date): boolean => {
    const expected = row.operatorId === null ? adminCredential : row.operatorToken
    return (
      expected !== null &&
      sameHash(row.credential, expected) &&
      at < row.endsAt &&
      at.getTime() - row.seenAt.getTime() < IDLE
    )
  }

  return {
    async signIn(token) {
      const found = await find(token)
      if (found === null) return null
      const session = createSessionToken()
      const at = now()
      await deleteOldSessions(db, at, new Date(at.getTime() - IDLE))
      const { operator } = found
      await db.transaction().execute(async (trx) => {
        await insertSession(trx, {
          tokenHash: hashOfToken(session),
          operatorId: operator?.id ?? null,
          credential: operator === null ? adminCredential : hashOfToken(token),
          at,
          endsAt: new Date(at.getTime() + LONGEST),
        })
        await touchSession(trx, { tokenHash: hashOfToken(session), operatorId: operator?.id ?? null, at })
      })
      return { session, name: operator?.name ?? ADMIN }
    },

    async readSession(session, takes) {
      const tokenHash = hashOfToken(session)
      const row = await readSession(db, tokenHash)
      const at = now()
      if (row === undefined || !holds(row, at)) return null
      const { operatorId } = row
      if (at.getTime() - row.seenAt.getTime() >= NOTED_EVERY)
        await unlessReadOnly(touchSession(db, { tokenHash, operatorId, at }))
      if (takes === 'message' && row.message !== null) await unlessReadOnly(storeMessage(db, tokenHash, null))
      return {
        name: row.name ?? ADMIN,
        role: row.role ?? 'own',
        operatorId,
        csrf: formTokenOf(session),
        message: row.message,
        session: tokenHash,
      }
    },

    signOut: (session) => deleteSession(db, hashOfToken(session)),
    leaveMessage: ({ session }, message) => storeMessage(db, session, message),

    async roleOf(token) {
      const found = await find(token)
      return found === null ? null : (found.operator?.role ?? 'own')
    },

    async list() {
      const at = now()
      const sessions = (await readSessions(db)).filter((row) => holds(row, at))
      return {
        operators: await readOperators(db),
        sessions: sessions.map(({ operatorId, name, begunAt, seenAt }) => ({
          operatorId,
          name: name ?? ADMIN,
          begunAt,
          seenAt,
        })),
      }
    },

    add: (by, typed) => addOperator(ports, by, typed),
    renewToken: (by, name) => renewOperatorToken(ports, by, name),
    changeRole: (by, name, role) => changeOperatorRole(ports, by, name, role),
    end: (by, name) => endOperator(ports, by, name),
  }
}
