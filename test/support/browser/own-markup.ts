/** The markup of pages and mails held against that of our own templates: nothing of what they show has become an element. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { everyMail } from '../fixtures/every-mail.ts'

/** Whatever stands on a page of papers, in a mail or in an answer leads to one of these, or to us. */
// The last is where the licence of abstracts is.
const HOSTS = new Set(['arxiv.org', 'huggingface.co', 'github.com', 'www.w3.org', 'creativecommons.org'])

/** Controls that are no white space of a text, and what is meant to be unseen or to turn what follows around. */
export const UNSEEN = /[\p{Cc}--[\t\n\r]]|[\u200b\u202a-\u202e\u2066-\u2069\p{Cs}]|[\u{E0000}-\u{E007F}]/v

const TAG = /<(\/?[a-z][\w:-]*)((?:[^"'<>]|"[^"]*"|'[^']*')*)>/gi
const ATTRIBUTE = /([^\s=/"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|[^\s"'>]+))?/g
/** What browsers and mail programs of old take for markup; ours to write, with nothing of a paper inside. */
const OTHER_MARKUP = /<!doctype html>|<!--[\s\S]*?-->|<!\[endif\]-->/gi

export interface Markup {
  /** Every element, and each with its attributes: `a`, `a href`, `/a`. */
  names: Set<string>
  comments: Set<string>
  /** Where links, forms and scripts lead. */
  urls: string[]
}

/** Reads the markup of a page or mail. A `<` besides fails, and so does a script that stands in the page itself. */
export const markupOf = (...sources: string[]): Markup => {
  const names = new Set<string>()
  const urls: string[] = []
  const comments = new Set(sources.flatMap((html) => html.match(OTHER_MARKUP) ?? []))
  for (const html of sources) {
    const rest = html
      .replace(OTHER_MARKUP, '')
      .replace(/<style[^>]*>[^<]*<\/style>/g, '')
      .replace(TAG, (written, tag: string, attributes: string) => {
        names.add(tag)
        expect(written).not.toMatch(/^<script(?![^>]*\ssrc=)/)
        for (const [, name = '', double, single] of attributes.matchAll(ATTRIBUTE)) {
          names.add(`${tag} ${name}`)
          if (['href', 'src', 'action', 'formaction'].includes(name)) urls.push(double ?? single ?? '')
        }
        return ''
      })
    expect(rest).not.toContain('<')
  }
  return { names, comments, urls }
}

/** What our own templates hold: that of the pages as they are written, that of the mails from one of each kind. */
export const markupOfPages = async (): Promise<Markup> => {
  const folder = join(import.meta.dirname, '../../../templates/pages')
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.liquid'))
  const sources = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  const plain = sources.map((source) => source.replace(/\{%[\s\S]*?%\}|\{\{[\s\S]*?\}\}/g, ''))
  // A heading has its level from where it stands.
  return markupOf(
    ...[2, 3, 4].flatMap((level) => plain.map((source) => source.replace(/<(\/?)h(?=[\s>])/g, `<$1h${level}`))),
  )
}
export const markupOfMails = async (): Promise<Markup> => markupOf(...(await everyMail()).map(({ mail }) => mail.html))

const OWN_URL =
  /^(?:\/(?![/\\])|#|https?:\/\/localhost(?::\d+)?\/|mailto:[^?]*$|data:application\/json;base64,[\w+/=]*$)/

/** No element, attribute or comment that is not of our templates; no link but to us and to the hosts of papers. */
export const expectOwnMarkup = (name: string, html: string, known: Markup): void => {
  const { names, comments, urls } = markupOf(html)
  expect([name, [...names].filter((one) => !known.names.has(one))]).toEqual([name, []])
  expect([name, [...comments].filter((one) => !known.comments.has(one))]).toEqual([name, []])
  for (const url of urls.filter((one) => !OWN_URL.test(one))) {
    expect([name, url]).toEqual([name, expect.stringMatching(/^https:\/\/[^\s"'<>\\@]+$/)])
    expect([name, url, HOSTS.has(new URL(url).host)]).toEqual([name, url, true])
  }
  expect([name, UNSEEN.exec(html)?.[0]]).toEqual([name, undefined])
}
