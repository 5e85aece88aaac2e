/** The story of readers who are brought along from another system, told by the command line, the mailbox and the site. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSite } from '../support/browser/http-client.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { runProgram } from '../support/processes/program.ts'
import { startTestService } from '../support/servers/service.ts'

const [ADA, GRACE] = ['ada@example.org', 'grace@example.org']
const OLD_LINK = '/legacy/old-system-token-of-ada'

test('readers of an imported list get their digest in the morning, and the link of an old email still unsubscribes', async () => {
  await using folder = await openTestFolder()
  await using service = await startTestService({
    clock: '2026-04-14T05:00:00Z',
    days: ['2026-04-10', '2026-04-13', '2026-04-14', '2026-04-15'],
  })
  const list = join(folder.path, 'list.csv')
  await writeFile(
    list,
    `email,topics,timezone,legacy_token\n${ADA},robotics,Europe/London,old-system-token-of-ada\n${GRACE},robotics,Europe/London,\n`,
  )
  const words = ['subscribers', 'import', list, '--consent', 'the sign-up form of our lab, 2019 to 2026']
  const imported = await runProgram('admin', words, {
    DATABASE_URL: service.databaseUrl,
    DATA_DIR: folder.path,
    SECRET_KEY: '07'.repeat(32),
    NODE_ENV: 'development',
    CLOCK: '2026-04-14T05:00:00Z',
  })
  expect(imported).toMatchObject({ code: 0, stdout: expect.stringContaining('2 of 2 rows imported.') })

  service.setClock('2026-04-14T06:00:30Z')
  await service.wake('tick')
  const digest = await service.mail.waitFor(ADA, 1)
  // The first email that they get: nobody is asked to confirm, and nobody is welcomed.
  expect(digest.headers.get('list-unsubscribe-post')).toEqual(['List-Unsubscribe=One-Click'])
  expect([...digest.links.keys()]).toEqual(expect.arrayContaining(['preferences', 'unsubscribe']))
  await service.mail.waitFor(GRACE, 1)

  const site = openSite(service.url)
  const page = await site.get(OLD_LINK)
  expect([page.status, page.text]).toEqual([
    200,
    expect.stringContaining('we’ll send no more digests to a•••@example.org'),
  ])
  expect((await site.get('/legacy/old-system-token-of-eve')).status).toBe(404)
  // Scanners have opened it, and she is subscribed all the same.
  service.setClock('2026-04-15T06:00:30Z')
  await service.wake('tick')
  await service.mail.waitFor(ADA, 2)
  expect((await site.post(OLD_LINK)).text).toContain('You’re unsubscribed')
  service.setClock('2026-04-16T06:00:30Z')
  await service.wake('tick')
  await service.mail.waitFor(GRACE, 3)
  expect(await service.mail.list(ADA)).toHaveLength(2)
})
