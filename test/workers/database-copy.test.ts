/** Whoever has a copy of the database has no link of any mail: not one token, nor what proves it, is stored. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openDatabase } from '../../src/store/database.ts'
import { openSite } from '../support/browser/http-client.ts'
import { startTestService } from '../support/servers/service.ts'

const ADA = 'ada@example.org'
const NEW_ADA = 'ada@example.net'

/** Every row of every table, as text; octets in hex. */
const dump = async (url: string): Promise<string> => {
  const db = openDatabase(url, { connections: 1, name: 'test', onError: () => undefined })
  try {
    const { rows } = await sql<{ schema: string; name: string }>`
      select nspname as schema, relname as name from pg_class join pg_namespace on pg_namespace.oid = relnamespace
      where nspname in ('public', 'bullmq') and relkind in ('r', 'p') and not relispartition`.execute(db)
    const texts: string[] = []
    for (const { schema, name } of rows) {
      const table = await sql<{ row: string }>`select t::text as row from ${sql.table(`${schema}.${name}`)} t`.execute(
        db,
      )
      texts.push(...table.rows.map(({ row }) => row))
    }
    return texts.join('\n')
  } finally {
    await db.destroy()
  }
}

test('a copy of the database opens no link that was ever mailed', async () => {
  await using service = await startTestService({
    clock: '2026-04-14T05:00:00Z',
    days: ['2026-04-10', '2026-04-13', '2026-04-14'],
    settings: { BOUNCE_DOMAIN: 'bounces.example.org', BOUNCES_HOST: '127.0.0.1', BOUNCES_PORT: '0' },
  })
  const site = openSite(service.url)
  await site.post('/subscribe', { email: ADA, topics: ['robotics'], frequency: 'daily', timezone: 'UTC' })
  await site.post((await service.mail.waitFor(ADA, 1)).links.get('confirm') ?? '')
  await service.mail.waitFor(ADA, 2)
  service.setClock('2026-04-15T07:00:30Z')
  await service.wake('tick')
  const digest = await service.mail.waitFor(ADA, 3)
  await site.post(`${digest.links.get('preferences')}/account`)
  const account = await service.mail.waitFor(ADA, 4)
  await site.post(`${account.links.get('account')}/address`, { email: NEW_ADA })
  const asked = await service.mail.waitFor(NEW_ADA, 1)
  await site.post(asked.links.get('address') ?? '')
  await service.mail.waitFor(ADA, 5)

  const mails = [...(await service.mail.list(ADA)), ...(await service.mail.list(NEW_ADA))]
  const tokens = new Set(
    mails.flatMap(({ html, text }) =>
      [...`${html} ${text}`.matchAll(/\/([\w-]{43})\b/g)].map(([, token = '']) => token),
    ),
  )
  const purposes = new Set(mails.flatMap(({ links }) => [...links.keys()]))
  expect([...purposes].sort()).toEqual(
    expect.arrayContaining(['account', 'address', 'confirm', 'digests', 'never', 'preferences', 'undo', 'unsubscribe']),
  )
  const copy = await dump(service.databaseUrl)
  let known = 0
  for (const token of tokens) {
    const [id, proof] = [Buffer.from(token, 'base64url').subarray(0, 16), Buffer.from(token, 'base64url').subarray(16)]
    if (copy.replaceAll('-', '').includes(id.toString('hex'))) known++
    for (const form of [token, proof.toString('hex'), proof.toString('base64'), proof.toString('base64url')])
      expect(copy).not.toContain(form)
  }
  // The ids in the tokens are stored, so that a token would have been found.
  expect(known).toBeGreaterThanOrEqual(tokens.size / 2)
  expect(tokens.size).toBeGreaterThanOrEqual(8)
})
