/** Curators: an operator names them by their address, and the link that is mailed there shows who they are. */
import type { Actor } from '../../core/operator.ts'
import { readCuratorName } from '../../core/papers/curation-note.ts'
import { readAddress } from '../../core/subscriber/address.ts'
import { addressHashes } from '../../core/subscriber/address-hash.ts'
import { type Keys, provesToken, readTokenId } from '../../core/token.ts'
import { recordAct } from '../../store/audit.ts'
import { addCurator, type Curator, endCurator, raiseCuratorEpoch, readCurator } from '../../store/curators.ts'
import type { Database } from '../../store/database.ts'
import { storeCuratorLetter } from '../../store/outbox/outbox.ts'
import { readSuppressionClass } from '../../store/suppressions.ts'

export interface CuratorPorts {
  db: Database
  keys: Keys
  now: () => Date
}

/** Whom a link was mailed to. */
export interface MailedCurator {
  curator: Curator
  /** Why nothing is mailed to the address; `null` where the letter goes. */
  suppressed: string | null
}

/** Why nothing was done, as a sentence. */
export interface Problem {
  problem: string
}

const NO_CURATOR: Problem = { problem: 'No curator has this address; see curators list.' }

const mailLink = async (trx: Database, { keys, now }: CuratorPorts, curator: Curator): Promise<MailedCurator> => {
  await storeCuratorLetter(trx, curator.id, now())
  const address = curator.address ?? ''
  return { curator, suppressed: await readSuppressionClass(trx, address, addressHashes(keys, address)) }
}

const recordCuratorAct = (trx: Database, { now }: CuratorPorts, by: Actor, what: string, { id, name }: Curator) =>
  recordAct(trx, { ...by, action: `curator.${what}`, subject: `curator:${id}`, detail: { name } }, now())

/** Names a curator and owes them the letter with their link. */
export const nameCurator = async (
  ports: CuratorPorts,
  by: Actor,
  typedAddress: string,
  typedName: string,
): Promise<MailedCurator | Problem> => {
  const read = readAddress(typedAddress)
  if ('problem' in read) return read
  const named = readCuratorName(typedName)
  if ('problem' in named) return named
  return ports.db.transaction().execute(async (trx) => {
    const curator = await addCurator(trx, { address: read.address, name: named.name, at: ports.now() })
    if (curator === null)
      return { problem: 'This address is a curator’s already; curators link mails them a fresh link.' }
    await recordCuratorAct(trx, ports, by, 'named', curator)
    return mailLink(trx, ports, curator)
  })
}

/** Owes a curator a letter with a fresh link; every older one is dead at once. */
export const renewCuratorLink = (ports: CuratorPorts, by: Actor, address: string): Promise<MailedCurator | Problem> =>
  ports.db.transaction().execute(async (trx) => {
    const curator = await raiseCuratorEpoch(trx, address.trim())
    if (curator === undefined) return NO_CURATOR
    await recordCuratorAct(trx, ports, by, 'link-renewed', curator)
    return mailLink(trx, ports, curator)
  })

/** Removes a curator: their link is dead at once, their address is forgotten, and what they did stays. */
export const removeCurator = (ports: CuratorPorts, by: Actor, address: string): Promise<Curator | Problem> =>
  ports.db.transaction().execute(async (trx) => {
    const curator = await endCurator(trx, address.trim(), ports.now())
    if (curator === undefined) return NO_CURATOR
    await recordCuratorAct(trx, ports, by, 'ended', curator)
    return curator
  })

/** A link that was ours: its curator was `removed`, or it was `replaced` by a fresher one. */
export type EndedLink = 'removed' | 'replaced'

/**
 * Whose link it is; `null` where the token is unknown, altered or of another purpose. With `lock` they can neither be removed
 * nor have their link renewed before the end of `trx`.
 */
export const findCurator = async (
  trx: Database,
  keys: Keys,
  token: string,
  lock = false,
): Promise<Curator | EndedLink | null> => {
  const id = readTokenId(token)
  const curator = id === null ? undefined : await readCurator(trx, id, lock)
  if (curator === undefined) return null
  const proves = (epoch: number) => provesToken(keys, 'curator', token, epoch)
  if (proves(curator.epoch)) return curator.ended_at === null ? curator : 'removed'
  for (let epoch = curator.epoch - 1; epoch >= 0; epoch--)
    if (proves(epoch)) return curator.ended_at === null ? 'replaced' : 'removed'
  return null
}
