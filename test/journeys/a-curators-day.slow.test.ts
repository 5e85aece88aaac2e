/** The story of a curator, told by commands, the mailbox and the site alone: pick with a note, pin, hide, undo. */
import { expect, test } from 'vitest'
import { openSite, type Page } from '../support/browser/http-client.ts'
import { queryAnswerOf } from '../support/fixtures/arxiv-feed.ts'
import { runProgram } from '../support/processes/program.ts'
import { startTestService } from '../support/servers/service.ts'
import { openSourceServer } from '../support/servers/source-server.ts'

const GRACE = 'grace@example.org'
const UNHELD = '2604.19999'

/** The id of an entry, by what its button says. */
const entryId = ({ html }: Page, label: string): string => {
  const [, id = ''] =
    new RegExp(`name="id" value="([0-9a-f-]{36})">(?:(?!</form>)[\\s\\S])*aria-label="${label}`).exec(html) ?? []
  return id
}

test('a curator is named and mailed a link, picks, pins, hides, decides on a suggestion and undoes, and is removed', {
  timeout: 300_000,
}, async () => {
  await using arxiv = await openSourceServer()
  arxiv.answerWith(200, queryAnswerOf([{ id: UNHELD, categories: ['cs.RO'], abstract: 'A robot arm.' }]))
  await using service = await startTestService({
    clock: '2026-04-14T05:00:00Z',
    days: ['2026-04-10', '2026-04-13', '2026-04-14'],
    arxivUrl: arxiv.baseUrl,
  })
  const site = openSite(service.url)
  const admin = (...words: string[]) =>
    runProgram('admin', ['--json', ...words], { DATABASE_URL: service.databaseUrl, NODE_ENV: 'development' })
  const named = await admin('curators', 'add', GRACE, '--name', 'Grace Hopper')
  expect([named.code, JSON.parse(named.stdout)]).toMatchObject([0, { name: 'Grace Hopper', suppressed: null }])
  await service.wake('letters')
  const letter = await service.mail.waitFor(GRACE, 1)
  expect(letter.subject).toBe('Your curator’s link')
  const link = letter.links.get('curate') ?? ''
  const [home, paper] = [await site.get('/'), /href="\/papers\/(\d{4}\.\d{5})"/]
  const [, held = ''] = paper.exec(home.html) ?? []
  expect((await site.get(`/papers/${UNHELD}`)).status).toBe(404)

  // A picked paper that no list has had comes from arXiv.
  const picked = await site.post(link, { act: 'pick', paper: `https://arxiv.org/abs/${UNHELD}v1`, note: 'A first' })
  expect(picked.text).toContain(`Picked: arXiv ${UNHELD}. It isn’t here yet; we ask arXiv for it now.`)
  for (let page = picked; page.text.includes('Waiting for arXiv.'); page = await site.get(link))
    await new Promise((resume) => setTimeout(resume, 50))
  expect((await site.get(`/papers/${UNHELD}`)).text).toContain(`Paper ${UNHELD}`)
  expect((await site.post(link, { act: 'pick', paper: UNHELD, note: 'Again' })).status).toBe(409)

  expect((await site.post(link, { act: 'pin', paper: held, day: '2026-04-13' })).text).toContain(
    `Pinned arXiv ${held} to Monday 13 April 2026.`,
  )
  const hidden = await site.post(link, { act: 'hide', paper: held, note: 'Not research' })
  expect(hidden.text).toContain(`Hidden: arXiv ${held}.`)
  expect((await site.get(`/papers/${held}`)).status).toBe(404)
  const undo = { act: 'undo', id: entryId(hidden, 'Undo: Grace Hopper hid') }
  expect((await site.post(link, undo)).status).toBe(200)
  expect((await site.post(link, undo)).text).toContain('Grace Hopper undid this already')
  expect((await site.get(`/papers/${held}`)).status).toBe(200)

  const suggested = await fetch(`${service.url}/suggest`, {
    method: 'POST',
    headers: { accept: 'application/json' },
    body: new URLSearchParams({ paper: '2604.20001', note: 'It halves the cost' }),
  })
  expect(suggested.status).toBe(200)
  const waiting = await site.get(link)
  expect(waiting.text).toContain('One suggestion waits.')
  const declined = await site.post(link, { act: 'decline', id: entryId(waiting, 'Pick arXiv 2604.20001') })
  expect(declined.text).toContain('Declined: arXiv 2604.20001.')
  expect(declined.text).toContain('Nothing waits for a decision.')

  const removed = await admin('curators', 'remove', GRACE)
  expect(removed.code).toBe(0)
  expect((await site.get(link)).status).toBe(410)
  const { curators } = JSON.parse((await admin('curators', 'list')).stdout)
  expect(curators).toMatchObject([{ name: 'Grace Hopper', address: null, removed: expect.any(String) }])
  expect((await admin('curators', 'link', GRACE)).code).toBe(2)
})
