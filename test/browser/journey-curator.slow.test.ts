/** A curator's day in a browser, from the operator's command to what readers see of it. */
import { describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { openSite } from '../support/browser/http-client.ts'
import { startJourneySite } from '../support/browser/journey-site.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { runProgram } from '../support/processes/program.ts'

const READER = 'ada@example.org'
const CURATOR = 'emmy@example.org'
const MONDAY = '2026-04-13T12:00:00Z'
/** Of the list of that Monday. */
const PICKED = '2604.09544'
const PINNED = { id: '2604.07786', title: 'Cross-Modal Emotion Transfer for Emotion Editing in Talking Face Video' }
const HIDDEN = { id: '2604.06870', title: 'RefineAnything' }
const HIDDEN_FOR_A_WHILE = { id: '2604.08626', title: 'WildDet3D' }
const SUGGESTED = '2604.00007'
const NOTE = 'Read it for the pruning alone'

describe.skipIf(NEEDS_CHROMIUM !== '')(`a curator${NEEDS_CHROMIUM}`, () => {
  test('picks with a note, pins, hides, undoes and decides; the day’s page and the next digest show it', async () => {
    await using service = await startJourneySite()
    const site = openSite(service.url)
    service.setClock('2026-04-10T12:00:00Z')
    await site.post('/subscribe', { email: READER, timezone: 'Europe/London' })
    await site.post((await service.mail.waitFor(READER, 1)).links.get('confirm') ?? '')
    await service.mail.waitFor(READER, 2)

    service.setClock(MONDAY)
    await site.post('/suggest', { paper: SUGGESTED, note: 'It answers a question of mine' })
    const settings = { DATABASE_URL: service.databaseUrl, NODE_ENV: 'development', CLOCK: MONDAY }
    const words = ['curators', 'add', CURATOR, '--name', 'Emmy Noether']
    expect(await runProgram('admin', words, settings)).toMatchObject({
      code: 0,
      stdout: `Emmy Noether is a curator. The link is mailed to ${CURATOR}.\n`,
    })
    await service.wake('letters')
    await service.mail.waitFor(CURATOR, 1)

    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ viewport: { width: 1280, height: 800 } })
    const { page: mailbox, context } = window
    await mailbox.goto(service.mailboxUrl)
    const opened = context.waitForEvent('page')
    await mailbox.frameLocator('iframe.mail').getByRole('link', { name: 'Open your curator’s page' }).click()
    const page = await opened
    const part = (name: string) => page.getByRole('region', { name })
    const told = (sentence: string) => page.getByRole('status').filter({ hasText: sentence }).waitFor()
    const act = async (name: string, button: string, paper: string, note: string) => {
      await part(name).getByRole('textbox', { name: 'Paper' }).fill(paper)
      await part(name)
        .getByRole('textbox', { name: /^(Why|Note|Reason)/ })
        .fill(note)
      await part(name).getByRole('button', { name: button, exact: true }).click()
    }

    await act('Pick a paper', 'Pick', `https://arxiv.org/abs/${PICKED}`, NOTE)
    await told(`Picked: arXiv ${PICKED}.`)
    // The day that stands there is that of the newest list.
    await act('Pin a paper to a day', 'Pin', PINNED.id, '')
    await told(`Pinned arXiv ${PINNED.id} to Monday 13 April 2026.`)
    for (const { id } of [HIDDEN, HIDDEN_FOR_A_WHILE]) {
      await act('Hide a paper', 'Hide', id, 'Retracted by its authors')
      await told(`Hidden: arXiv ${id}.`)
    }
    await page.getByRole('button', { name: `Decline arXiv ${SUGGESTED}` }).click()
    await told(`Declined: arXiv ${SUGGESTED}.`)

    const reader = await context.newPage()
    const titles = async () => {
      await reader.goto(`${service.url}/papers/2026-04-13`)
      return (await reader.locator('.paper :is(h2, h3)').allInnerTexts()).join('\n')
    }
    const shown = async () => (await reader.innerText('main')).replace(/\s+/g, ' ')
    const hidden = await titles()
    expect(hidden.startsWith(PINNED.title)).toBe(true)
    expect(hidden).not.toMatch(/RefineAnything|WildDet3D/)
    expect(await shown()).toContain('pinned by Emmy Noether')
    await page.getByRole('button', { name: `Undo: Emmy Noether hid arXiv ${HIDDEN_FOR_A_WHILE.id}` }).click()
    await told(`Undone for arXiv ${HIDDEN_FOR_A_WHILE.id}.`)
    // A list is read once for all who look within ten seconds.
    service.setClock('2026-04-13T12:10:00Z')
    expect(await titles()).toContain(HIDDEN_FOR_A_WHILE.title)
    await reader.goto(`${service.url}/papers/${PICKED}`)
    expect(await shown()).toContain(`Picked by Emmy Noether: “${NOTE}”`)

    service.setClock('2026-04-14T06:00:30Z')
    await service.wake('tick')
    const digest = await service.mail.waitFor(READER, 3)
    const text = digest.text.replace(/\s+/g, ' ')
    expect(text).toContain(`1. ${PINNED.title}`)
    expect(text).toContain('pinned by Emmy Noether')
    expect(text).toContain(`picked by Emmy Noether: "${NOTE}"`)
    expect(text).toContain(HIDDEN_FOR_A_WHILE.title)
    expect(text).not.toContain(HIDDEN.title)
  })
})
