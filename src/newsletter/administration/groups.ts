/** What operators see of groups, and ending one: what it does is its members' business, that it can be ended is theirs. */
import type { Actor } from '../../core/operator.ts'
import { isUuid } from '../../core/uuid.ts'
import { recordAct } from '../../store/audit.ts'
import type { Database } from '../../store/database.ts'
import { deleteGroup, type ListedGroup, listGroups, readGroup } from '../../store/groups.ts'

export type { ListedGroup }

/** All groups with how many are in each, the largest first; nothing of who they are. */
export const readGroupList = async (db: Database): Promise<{ groups: ListedGroup[] }> => ({
  groups: await listGroups(db),
})

/** Ends a group for all members, on record with its name; `null` where there is none with this id. */
export const endGroup = (
  { db, now }: { db: Database; now: () => Date },
  actor: Actor,
  id: string,
): Promise<{ name: string } | null> =>
  db.transaction().execute(async (trx) => {
    const group = isUuid(id) ? await readGroup(trx, id) : undefined
    if (group === undefined || !(await deleteGroup(trx, id))) return null
    const act = { ...actor, action: 'group.ended', subject: `group:${id}`, detail: { name: group.name } }
    await recordAct(trx, act, now())
    return { name: group.name }
  })
