/** Operators, and the sessions of their browsers. */
import { type Kysely, type Selectable, sql } from 'kysely'
import type { OperatorRole } from '../core/operator.ts'
import type { Tables } from './database.ts'

export type Operator = Omit<Selectable<Tables['operators']>, 'token_hash'>

const SHOWN = ['id', 'name', 'role', 'added_at', 'ended_at', 'last_seen_at'] as const

/** Adds an operator; `null` where somebody has, or had, that name. */
export const insertOperator = async (
  db: Kysely<Tables>,
  operator: { name: string; role: OperatorRole; tokenHash: Buffer; at: Date },
): Promise<Operator | null> => {
  const { name, role, tokenHash, at } = operator
  const added = await db
    .insertInto('operators')
    .values({ name, role, token_hash: tokenHash, added_at: at })
    .onConflict((conflict) => conflict.doNothing())
    .returning(SHOWN)
    .executeTakeFirst()
  return added ?? null
}

/** All who are or were operators, the first added first. */
export const readOperators = (db: Kysely<Tables>): Promise<Operator[]> =>
  db.selectFrom('operators').select(SHOWN).orderBy('added_at').orderBy('id').execute()

/** The operator whose token this is the hash of. */
export const findOperator = (db: Kysely<Tables>, tokenHash: Buffer): Promise<Operator | undefined> =>
  db.selectFrom('operators').select(SHOWN).where('token_hash', '=', tokenHash).executeTakeFirst()

/** Changes an operator, named by their name in any case, who is one still; `undefined` where there is none. */
export const updateOperator = (
  db: Kysely<Tables>,
  name: string,
  change: { role?: OperatorRole; token_hash?: Buffer | null; ended_at?: Date },
): Promise<Operator | undefined> =>
  db
    .updateTable('operators')
    .set(change)
    .where(sql`lower(name)`, '=', name.trim().toLowerCase())
    .where('ended_at', 'is', null)
    .returning(SHOWN)
    .executeTakeFirst()

/** Ends the sessions of an operator (`null`: of the ADMIN_TOKEN); returns how many there were. */
export const endSessions = async (db: Kysely<Tables>, operatorId: string | null): Promise<number> => {
  const { rows } =
    await sql`delete from operator_sessions where operator_id is not distinct from ${operatorId}::uuid returning 1`.execute(
      db,
    )
  return rows.length
}

/** A session as it is checked: with what its operator is now. */
export interface SessionRow {
  operatorId: string | null
  credential: Buffer
  begunAt: Date
  seenAt: Date
  endsAt: Date
  message: string | null
  /** Of the operator; all `null` of whoever has the ADMIN_TOKEN. */
  name: string | null
  role: OperatorRole | null
  /** `null`, too, of one who is none any more. */
  operatorToken: Buffer | null
}

const SESSION = sql`select s.operator_id as "operatorId", s.credential, s.begun_at as "begunAt", s.seen_at as "seenAt",
  s.ends_at as "endsAt", s.message, o.name, o.role, o.token_hash as "operatorToken"`
const SESSIONS = sql`from operator_sessions s left join operators o on o.id = s.operator_id`

export const readSession = async (db: Kysely<Tables>, tokenHash: Buffer): Promise<SessionRow | undefined> =>
  (await sql<SessionRow>`${SESSION} ${SESSIONS} where s.token_hash = ${tokenHash}`.execute(db)).rows[0]

/** Every session, whether it holds still or not, the newest first. */
export const readSessions = async (db: Kysely<Tables>): Promise<SessionRow[]> =>
  (await sql<SessionRow>`${SESSION} ${SESSIONS} order by s.begun_at desc`.execute(db)).rows

export const insertSession = async (
  db: Kysely<Tables>,
  session: { tokenHash: Buffer; operatorId: string | null; credential: Buffer; at: Date; endsAt: Date },
): Promise<void> => {
  const { tokenHash, operatorId, credential, at, endsAt } = session
  await db
    .insertInto('operator_sessions')
    .values({
      token_hash: tokenHash,
      operator_id: operatorId,
      credential,
      begun_at: at,
      seen_at: at,
      ends_at: endsAt,
      message: null,
    })
    .execute()
}

/** Notes that an operator is here. */
export const touchSession = async (
  db: Kysely<Tables>,
  { tokenHash, operatorId, at }: { tokenHash: Buffer; operatorId: string | null; at: Date },
): Promise<void> => {
  await db.updateTable('operator_sessions').set({ seen_at: at }).where('token_hash', '=', tokenHash).execute()
  if (operatorId !== null)
    await db.updateTable('operators').set({ last_seen_at: at }).where('id', '=', operatorId).execute()
}

export const deleteSession = async (db: Kysely<Tables>, tokenHash: Buffer): Promise<void> => {
  await db.deleteFrom('operator_sessions').where('token_hash', '=', tokenHash).execute()
}

/** Deletes the sessions that ended before `now`, or that nobody used since `seenBefore`. */
export const deleteOldSessions = async (db: Kysely<Tables>, now: Date, seenBefore: Date): Promise<void> => {
  await db
    .deleteFrom('operator_sessions')
    .where((eb) => eb.or([eb('ends_at', '<=', now), eb('seen_at', '<=', seenBefore)]))
    .execute()
}

/** Leaves what the next page of a session says. */
export const storeMessage = async (db: Kysely<Tables>, tokenHash: Buffer, message: string | null): Promise<void> => {
  await db.updateTable('operator_sessions').set({ message }).where('token_hash', '=', tokenHash).execute()
}
