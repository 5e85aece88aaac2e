/** Every link of the admin pages, followed from the first page on by each role, in a service that has something of everything. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { HOSTILE, oweMissedEdition } from '../../support/fixtures/missed-edition.ts'
import { storeCurators, storeFigures, storePapers, storeTroubles } from '../../support/fixtures/operated-service.ts'
import { type AdminTestSite, type Browser, openAdminSite } from '../../support/servers/admin-site.ts'

/** Pages that every role reaches, whatever else is linked. */
const LEAST = [
  '/admin/editions',
  '/admin/subscribers',
  '/admin/sources',
  '/admin/routes',
  '/admin/set-aside',
  '/admin/audit',
]

const fill = async ({ db }: AdminTestSite): Promise<void> => {
  for (const store of [storeFigures, storePapers, storeCurators, storeTroubles]) await store(db)
  const { id, reader } = await oweMissedEdition(db)
  await sql`insert into suppressions (email, class, reason, source, edition_id)
    select 'gone' || n || '@example.com', 'hard', 'the address does not exist', 'smtp', ${id} from generate_series(1, 3) n`.execute(
    db,
  )
  await sql`insert into suppression_log (email, change, class, by_whom, why)
    select email, 'added', class, source, reason from suppressions`.execute(db)
  await sql`insert into set_aside_subscribers (subscriber_id, due_at, retry_at, reason)
    values (${reader(7)}, now(), now(), ${HOSTILE.said})`.execute(db)
  await sql`update editions set paused_at = now(), paused_by = 'alarm', paused_why = 'too many bounces'`.execute(db)
}

const linksOf = (text: string): string[] =>
  [...text.matchAll(/<a [^>]*?href="([^"]*)"/g)].map(([, href = '']) => href.replaceAll('&amp;', '&'))

/** Pages differ by their path; of those that differ by their query, or by the number of a reader, so many are enough. */
const MOST_OF_A_KIND = 3
const kindOf = (href: string): string => href.replace(/\?.*/, '').replace(/[0-9a-f]{8}-[0-9a-f-]{27}|\d[\w.:-]*/g, '*')

/** Follows links from the first page on. */
const follow = async (site: AdminTestSite, browser: Browser): Promise<{ seen: Set<string>; wrong: string[] }> => {
  const seen = new Set<string>(['/admin'])
  const kinds = new Map<string, number>()
  const wrong: string[] = []
  // The set grows while it is walked.
  for (const href of seen) {
    site.passMinutes(1)
    const { status, text, headers } = await browser.get(href)
    if (status !== 200) wrong.push(`${href} answers ${status}`)
    // The board is a program of its own.
    if (!String(headers['content-type']).startsWith('text/html') || href.startsWith('/admin/queue/board')) continue
    for (const link of linksOf(text)) {
      const { origin, pathname, search, hash } = new URL(link, `http://admin.test${href}`)
      if (link.startsWith('#') && !text.includes(`id="${hash.slice(1)}"`)) wrong.push(`${href} has nothing at ${link}`)
      const address = pathname + search
      if (origin !== 'http://admin.test' || seen.has(address)) continue
      const kind = kindOf(address)
      const times = (kinds.get(kind) ?? 0) + 1
      kinds.set(kind, times)
      if (times <= MOST_OF_A_KIND) seen.add(address)
    }
  }
  return { seen, wrong }
}

test('every link that an operator sees, with whichever role, leads to a page', async () => {
  await using site = await openAdminSite({ clock: '2026-04-15T09:00:00Z' })
  await fill(site)
  for (const role of ['look', 'act', 'own'] as const) {
    const { seen, wrong } = await follow(site, await site.signInAs(role))
    expect([role, wrong]).toEqual([role, []])
    expect([...seen]).toEqual(expect.arrayContaining(LEAST))
    expect([role, seen.has('/admin/operators')]).toEqual([role, role === 'own'])
  }
})
