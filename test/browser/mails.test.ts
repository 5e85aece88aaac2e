/** Every mail in a browser, as mail programs show it: narrow and wide, light and dark, in large letters, and bare. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM, type TestBrowser, type TestWindow } from '../support/browser/browser.ts'
import { judgeMail, type MailOutline, readOutline, stripStyles } from '../support/browser/page-judge.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { everyMail } from '../support/fixtures/every-mail.ts'
import { thorough } from '../support/thoroughness.ts'

/** The mails that differ most, by name, where not all are judged. */
const SOME = ['confirmation', 'daily', 'daily-hard', 'weekly-large']

const mails = (await everyMail()).filter(({ name }) => thorough || SOME.includes(name))

describe.skipIf(NEEDS_CHROMIUM !== '')(`every mail in a browser${NEEDS_CHROMIUM}`, () => {
  let browser: TestBrowser
  let window: TestWindow
  beforeAll(async () => {
    browser = await openSharedBrowser()
    window = await browser.openWindow({ bypassCSP: true })
  })
  afterAll(async () => {
    await window?.[Symbol.asyncDispose]()
    await browser?.[Symbol.asyncDispose]()
  })

  test.each(mails)('the mail $name never scrolls sideways, and axe finds nothing in it', async ({ name, mail }) => {
    await window.page.setContent(mail.html)
    expect(await judgeMail(window.page, name)).toEqual([])
  })

  test('a mail that is pale in the dark, too wide and without a language is found out', async () => {
    const html = mails[0]?.mail.html ?? ''
    const bad = html
      .replace('lang="en"', '')
      .replaceAll('#a6b1a3', '#333333')
      .replace('<h1', '<p style="width: 700px">wide</p><h1')
    await window.page.setContent(bad)
    const wrong = (await judgeMail(window.page, 'bad')).join('\n')
    for (const sign of [/320 px, sticks out/, /600 px, sticks out/, /dark: color-contrast/, /html-has-lang/])
      expect(wrong).toMatch(sign)
    expect(wrong).not.toMatch(/light: color-contrast|1200 px, sticks out/)
  })

  test('the links of the contents are 44 px high, on a phone too', async () => {
    const mail = mails.find(({ name }) => name === 'daily')?.mail
    await window.page.setContent(mail?.html ?? '')
    for (const width of [320, 600]) {
      await window.page.setViewportSize({ width, height: 800 })
      const heights: number[] = JSON.parse(
        String(
          await window.page.evaluate(
            `JSON.stringify([...document.querySelectorAll('a[href^="#p"]')].map((a) => a.getBoundingClientRect().height))`,
          ),
        ),
      )
      // Ten papers, and one link to those that are shown in short.
      expect(heights).toHaveLength(11)
      expect(Math.min(...heights)).toBeGreaterThanOrEqual(44)
    }
  })

  test.each(mails)(
    'the mail $name reads in the same order without its styles, as in its text part',
    async ({ mail }) => {
      const { page } = window
      await page.setViewportSize({ width: 600, height: 800 })
      await page.setContent(mail.html)
      const dressed = await readOutline(page)
      await stripStyles(page)
      const bare = await readOutline(page)
      expect(letters(bare.words)).toBe(letters(dressed.words))
      expect(bare.headings).toEqual(dressed.headings)
      expect(bare.links).toEqual(dressed.links)
      expect(levelsSkipped(dressed)).toEqual([])
      expect(dressed.headings.filter(([level]) => level === 1)).toHaveLength(1)
      const text = letters(mail.text).toUpperCase()
      let from = 0
      for (const [, heading] of dressed.headings) {
        const at = text.indexOf(letters(heading).toUpperCase(), from)
        expect(at, `${heading} in the text part`).toBeGreaterThanOrEqual(from)
        from = at + 1
      }
    },
  )
})

/** Without spaces: where lines are broken depends on how wide they are. */
const letters = (text: string): string => text.replace(/\s+/g, '')

/** Headings more than one level below the one before. */
const levelsSkipped = ({ headings }: MailOutline): string[] =>
  headings
    .filter(([level], at) => level > (headings[at - 1]?.[0] ?? 0) + 1)
    .map(([level, words]) => `h${level} ${words}`)
