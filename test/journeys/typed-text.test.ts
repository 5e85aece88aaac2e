/** Whoever enters another person's address cannot say anything to them by our mail. */
import { expect, test } from 'vitest'
import { startTestService } from '../support/servers/service.ts'

/** A word of its own for each field and header that a stranger can fill. */
const TYPED = {
  keywords: 'spamword evil.example',
  authors: 'Spamword Author',
  muted: 'spamword muted',
  full_name: 'Spamword Name',
  title: 'spamword-title',
  note: 'spamword-note',
}
const HEADERS = {
  referer: 'https://evil.example/spamword-referer',
  'user-agent': 'spamword-agent',
  'accept-language': 'spamword-language',
  'x-forwarded-host': 'evil.example',
  forwarded: 'host=evil.example',
}
const OURS = /^http:\/\/localhost(?::\d+)?(?:\/|$)/

test('no letter repeats what was typed into a form, or leads anywhere but to us', async () => {
  await using service = await startTestService({ clock: '2026-04-14T05:00:00Z', days: ['2026-04-13'] })
  const send = async (path: string, fields: Record<string, string>) => {
    const body = new URLSearchParams({ topics: 'robotics', timezone: 'UTC', ...fields, ...TYPED })
    const answer = await fetch(service.url + path, { method: 'POST', headers: HEADERS, body, redirect: 'manual' })
    expect([path, answer.status]).toEqual([path, 303])
  }
  await send('/subscribe', { email: 'Ada.Lovelace@example.org' })
  const confirmation = await service.mail.waitFor('ada.lovelace@example.org', 1)
  await send('/subscribe', { email: 'grace@example.org' })
  const known = await service.mail.waitFor('grace@example.org', 1)
  await fetch(service.url + (known.links.get('confirm') ?? ''), { method: 'POST' })
  await service.mail.waitFor('grace@example.org', 2)
  // Whoever is subscribed already is told so, by either form.
  service.setClock('2026-04-16T05:00:00Z')
  await send('/links', { email: 'grace@example.org' })
  const links = await service.mail.waitFor('grace@example.org', 3)
  for (const { subject, raw, text, html } of [confirmation, known, links]) {
    const whole = raw.replace(/=\r\n/g, '')
    expect([subject, /spamword|evil\.example/i.exec(`${subject} ${whole} ${text} ${html}`)?.[0]]).toEqual([
      subject,
      undefined,
    ])
    const urls = [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, url = '']) => url)
    expect(urls.length).toBeGreaterThan(1)
    for (const url of urls.filter((one) => !one.startsWith('mailto:'))) expect(url).toMatch(OURS)
  }
  expect(confirmation.text).toContain('1 keyword')
})
