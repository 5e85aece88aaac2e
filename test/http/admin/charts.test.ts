/** Numbers over time on the admin pages: as charts, as tables, and as CSV. */
import { expect, test } from 'vitest'
import { countDailyFigures } from '../../../src/newsletter/daily-figures.ts'
import { LONDON_DAILY, storeDay, subscribe } from '../../support/fixtures/newsletter.ts'
import { storeFigures } from '../../support/fixtures/operated-service.ts'
import { openAdminSite } from '../../support/servers/admin-site.ts'

/** The part of a page that has a heading of this id. */
const section = (text: string, id: string): string =>
  new RegExp(`<section aria-labelledby="${id}">.*?</section>`, 's').exec(text)?.[0] ?? ''
const rowsOf = (text: string): string[] =>
  [...text.matchAll(/<tr><th scope="row">(.*?)<\/tr>/g)].map(([, row = '']) =>
    row
      .replace(/<\/(?:th|td)>/g, ' | ')
      .replace(/<[^>]+>/g, '')
      .replace(/ \| $/, ''),
  )

test('an empty service has a page that says that nothing was counted, and no chart of zeros', async () => {
  await using site = await openAdminSite()
  const { status, text } = await (await site.signInAs('look')).get('/admin/charts')
  expect(status).toBe(200)
  expect(text).toContain('Counted once an hour, and not yet.')
  expect(rowsOf(section(text, 'readers')).at(-1)).toBe('15 Apr | not known | not known')
  expect(section(text, 'papers')).toContain('There are none yet.')
})

test('what was counted is shown by day, week or month, with the newest number beside each name', async () => {
  await using site = await openAdminSite({ clock: '2026-04-15T09:00:00Z' })
  const { db } = site
  await storeDay(db, '2026-04-14')
  await subscribe(db, 'ada@example.org', LONDON_DAILY, new Date('2026-04-13T10:00:00Z'))
  await countDailyFigures(db, { now: new Date('2026-04-15T08:00:00Z') })
  const browser = await site.signInAs('look')
  const daily = (await browser.get('/admin/charts?days=30&by=day')).text
  expect(daily).toContain('last on 2026-04-15 08:00 UTC')
  expect(section(daily, 'readers')).toContain('Active <b>1</b>')
  expect(rowsOf(section(daily, 'sign-ups')).slice(-4)).toEqual([
    '12 Apr | not known | not known',
    '13 Apr | 1 | 1',
    '14 Apr | 0 | 0',
    '15 Apr | 0 | 0',
  ])
  expect(rowsOf(section(daily, 'papers')).slice(-2)).toEqual(['14 Apr | 38', '15 Apr | 0'])
  expect(section(daily, 'topics')).toContain('<th scope="row">Diffusion language models</th><td class="figure">1</td>')
  const monthly = (await browser.get('/admin/charts?days=365&by=month')).text
  expect(rowsOf(section(monthly, 'readers')).slice(-2)).toEqual([
    'March 2026 | not known | not known',
    'April 2026 | 1 | 0',
  ])
  expect(rowsOf(section((await browser.get('/admin/charts?days=90&by=week')).text, 'readers')).at(-1)).toBe(
    'Week of 13 Apr | 1 | 0',
  )
})

test('a bounce rate stands beside the rate at which an edition is paused', async () => {
  await using site = await openAdminSite({ clock: '2026-04-15T09:00:00Z' })
  await storeFigures(site.db)
  const { text } = await (await site.signInAs('look')).get('/admin/charts?days=90&by=day')
  const bounces = section(text, 'bounces')
  expect(bounces).toContain('An edition is paused at <b>3%</b>')
  expect(bounces).toMatch(/<desc[^>]*>Bounced for good: .* at most 3\.\d+% \(12 Mar\)/)
  expect(section(text, 'complaints')).toContain('An edition is paused at <b>0.08%</b>')
  // Days on which nothing was sent have no rate.
  expect(rowsOf(bounces).some((row) => row.startsWith('12 Apr'))).toBe(false)
})

test('each is a file of CSV, in which what is not known is empty and no zero', async () => {
  await using site = await openAdminSite({ clock: '2026-04-15T09:00:00Z' })
  await storeFigures(site.db)
  const browser = await site.signInAs('look')
  const page = (await browser.get('/admin/charts?days=90&by=day')).text
  const files = [...page.matchAll(/href="(\/admin\/charts\/[^"]+)"/g)].map(([, href = '']) =>
    href.replaceAll('&amp;', '&'),
  )
  expect(files.map((href) => href.replace(/.*\/|\?.*/g, ''))).toEqual([
    'readers.csv',
    'others.csv',
    'sign-ups.csv',
    'imports.csv',
    'leavers.csv',
    'deliveries.csv',
    'bounces.csv',
    'complaints.csv',
    'papers.csv',
    'topics.csv',
  ])
  for (const href of files) {
    const { status, headers, text } = await browser.get(href)
    expect([href, status, headers['content-type']]).toEqual([href, 200, 'text/csv; charset=utf-8'])
    expect([href, text.split('\n').length]).toEqual([href, expect.any(Number)])
  }
  const { text } = await browser.get('/admin/charts/readers.csv?days=90&by=day')
  const lines = text.trim().split('\n')
  expect(lines).toHaveLength(91)
  expect(lines.slice(0, 2)).toEqual(['from,to,active,paused', '2026-01-16,2026-01-16,,'])
  expect(lines.at(-1)).toMatch(/^2026-04-15,2026-04-15,14\d{3},\d+$/)
})

test.each(['/admin/charts/nothing.csv', '/admin/charts/readers', '/admin/charts/..%2Freaders.csv'])(
  '%s is not found',
  async (path) => {
    await using site = await openAdminSite()
    expect((await (await site.signInAs('look')).get(path)).status).toBe(404)
  },
)
