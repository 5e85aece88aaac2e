/**
 * The mails as a reader gets them: MJML compiled once at start into HTML that still holds Liquid, and a text part beside.
 *
 * MJML would pass `<script>` in a title straight through, so no text that we did not write ever reaches it: Liquid puts
 * the texts in afterwards, and escapes each one. Rendering is synchronous and takes a millisecond or so.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { Liquid, type Template } from 'liquidjs'
import type { AnnouncementText } from '../../core/announcement.ts'
import type { Accent } from '../../core/branding/accent.ts'
import { type Branding, UNBRANDED } from '../../core/branding/branding.ts'
import { holdsName, logoBox, MAIL_LOGO, mailLogoPath } from '../../core/branding/logo.ts'
import type { DigestIssue } from '../../core/digest/digest.ts'
import { papersOf, subjectOf } from '../../core/digest/headline.ts'
import type { Frequency } from '../../core/subscriber/preferences.ts'
import { foldLines } from '../../core/text/line-wrapping.ts'
import { markdownToHtml, markdownToText } from '../../core/text/markdown.ts'
import { TOKEN_PLACEHOLDERS } from '../../core/token.ts'
import { type DigestLines, digestView } from './digest-view.ts'
import { compactStyles, directionOf, inAscii, withoutIdleRules } from './mail-html.ts'
import { type Allowance, allowancesFor, isTooLong } from './mail-size.ts'
import {
  escapeHtml,
  escapeText,
  issueWithoutPlaceholders,
  plainMarks,
  someOf,
  stripControls,
  withoutPlaceholders,
} from './mail-text.ts'
import { markdownLook } from './markdown-look.ts'
import { compileMjml } from './mjml.ts'
import { ownWords } from './own-words.ts'
import { recolour } from './recolour.ts'
import { wholeWords } from './whole-words.ts'

/** A mail whose links hold `TOKEN_PLACEHOLDERS` where a subscriber's tokens go. */
export interface Mail {
  subject: string
  html: string
  text: string
}

/** What a letter may tell: nothing in it was typed by anybody; the labels of topics are ours. */
export interface LetterView {
  frequency: Frequency
  times: string
  isUtc: boolean
  topics: string[]
  paperId?: string | null
  joinToken?: string | null
}

export interface MailTemplates {
  /**
   * `next` says when the next digest is to be expected, `changed` that settings were changed by a link of an earlier one,
   * `proposal` what is proposed to its reader instead of a topic; all are left out of a preview.
   */
  renderDigest(
    issue: DigestIssue,
    next?: string,
    changed?: string | null,
    proposal?: { id: number; line: string } | null,
  ): Mail
  renderLetter(kind: LetterKind, view: LetterView): Mail
  /** `topics`: the labels of those whose readers it is for; `null` for all readers. */
  renderAnnouncement(announcement: AnnouncementText & { topics: readonly string[] | null }): Mail
  /** Twelve hex digits that change when a template does; a frozen digest remembers them. */
  version: string
}

export interface MailTemplateOptions {
  /** Origin (and path) of the site, by which every link is built. */
  baseUrl: string
  postalAddress: string | null
  /** What the installation sets for itself: its name, logo, colour and words; nothing where it is left out. */
  branding?: Branding
  templatesFolder?: string
}

const FOLDER = path.join(import.meta.dirname, '../../../templates/emails')
/** The letters, with their subjects. */
const subjectsOf = (service: string) => ({
  confirmation: 'Confirm your subscription',
  links: `Your ${service} links`,
  'already-subscribed': 'You are already subscribed',
  account: 'Your account link',
  'new-address': 'Confirm your new address',
  'address-changed': 'Your digests go to another address',
  vote: 'Your link to vote',
  curator: 'Your curator’s link',
})
export type LetterKind = keyof ReturnType<typeof subjectsOf>
export const LETTER_KINDS = Object.keys(subjectsOf('')) as LetterKind[]
const DIGEST = 'digest'
/** What MJML compiles. */
const LETTERS = ['announcement', ...LETTER_KINDS] as const
const NAMES = [DIGEST, ...LETTERS] as const
const MOST_TOPICS_NAMED = 12
/** Of the lines between the sections of a text. */
const RULE_WIDTH = 4

type Compiled = Record<(typeof NAMES)[number], (view: object) => Omit<Mail, 'subject'>>

/**
 * Reads and compiles every template in `templatesFolder`; throws when one of them is at fault, so that a service with a
 * broken mail does not start. The folder is the service's own: what lies there is trusted as code is.
 */
export const createMailTemplates = async ({
  baseUrl,
  postalAddress,
  branding = UNBRANDED,
  templatesFolder = FOLDER,
}: MailTemplateOptions): Promise<MailTemplates> => {
  const { render, version } = await compileTemplates(templatesFolder, branding.accent)
  const shared = sharedView(baseUrl.replace(/\/+$/, ''), postalAddress, branding)
  const subjects = subjectsOf(branding.name)
  const welcome = branding.texts.welcome && ownWords(branding.texts.welcome, branding.accent, 'body')

  const renderIssue = (issue: DigestIssue, own: DigestLines, allowance: Allowance): Mail => ({
    subject: stripControls(subjectOf(issue, branding.name)),
    ...render.digest({
      ...shared,
      ...digestView(issue, own, allowance, shared),
      own: issue.kind === 'welcome' ? welcome : null,
    }),
  })

  return {
    renderDigest: (given, next = '', changed = null, proposal = null) => {
      // Its words are those of papers.
      const own = { next, changed, proposal: proposal && { ...proposal, line: withoutPlaceholders(proposal.line) } }
      const issue = issueWithoutPlaceholders(given)
      const [everything, ...less] = allowancesFor(papersOf(issue).length)
      let mail = renderIssue(issue, own, everything)
      for (const allowance of less) {
        if (!isTooLong(mail)) break
        mail = renderIssue(issue, own, allowance)
      }
      return mail
    },
    renderLetter: (kind, { frequency, times, isUtc, topics, paperId, joinToken = null }) => {
      const subject = subjects[kind]
      const named = someOf(topics, MOST_TOPICS_NAMED)
      const paper = encodeURIComponent(paperId ?? '')
      const join = joinToken && `${shared.links.preferences}/join/${joinToken}`
      const view = { ...shared, title: subject, frequency, times, isUtc, topics, named, paper, join }
      return { subject, ...render[kind](view) }
    },
    renderAnnouncement: ({ subject, body, topics }) => {
      const title = stripControls(withoutPlaceholders(subject))
      const source = withoutPlaceholders(body)
      const html = markdownToHtml(source, { attributes: markdownLook(branding.accent) })
      const view = { ...shared, title, html, text: markdownToText(source), because: becauseOf(branding.name, topics) }
      return { subject: title, ...render.announcement(view) }
    },
    version,
  }
}

/** Why somebody gets an announcement. */
const becauseOf = (service: string, topics: readonly string[] | null): string =>
  topics === null
    ? `You get this because you subscribe to ${service}.`
    : `You get this because you follow ${someOf(topics, MOST_TOPICS_NAMED).join(', ')} on ${service}.`

/** What every mail is given. */
const sharedView = (site: string, postalAddress: string | null, { name, accent, logo, texts }: Branding) => ({
  service: name,
  postalAddress,
  logo: logo && { ...logoBox(logo, MAIL_LOGO), url: `${site}${mailLogoPath(logo)}`, holdsName: holdsName(logo) },
  footer: texts.footer && ownWords(texts.footer, accent, 'small'),
  imprint: texts.imprint && `${site}/imprint`,
  site: new URL(site).host,
  line: '-'.repeat(RULE_WIDTH),
  links: {
    confirm: `${site}/confirm/${TOKEN_PLACEHOLDERS.confirm}`,
    preferences: `${site}/preferences/${TOKEN_PLACEHOLDERS.preferences}`,
    // Where a link that renews them all is asked for.
    renew: `${site}/preferences/${TOKEN_PLACEHOLDERS.preferences}#links`,
    // The slug of a topic follows.
    follow: `${site}/follow/${TOKEN_PLACEHOLDERS.preferences}`,
    // The number of a proposal follows.
    proposal: `${site}/proposals/${TOKEN_PLACEHOLDERS.preferences}`,
    unsubscribe: `${site}/unsubscribe/${TOKEN_PLACEHOLDERS.unsubscribe}`,
    // The id of a paper follows.
    vote: `${site}/vote/${TOKEN_PLACEHOLDERS.vote}`,
    save: `${site}/save/${TOKEN_PLACEHOLDERS.vote}`,
    more: `${site}/more/${TOKEN_PLACEHOLDERS.vote}`,
    less: `${site}/less/${TOKEN_PLACEHOLDERS.vote}`,
    view: `${site}/digests/${TOKEN_PLACEHOLDERS.view}`,
    never: `${site}/never/${TOKEN_PLACEHOLDERS.never}`,
    account: `${site}/account/${TOKEN_PLACEHOLDERS.account}`,
    address: `${site}/address/${TOKEN_PLACEHOLDERS.address}`,
    undo: `${site}/undo/${TOKEN_PLACEHOLDERS.undo}`,
    announcements: `${site}/announcements/${TOKEN_PLACEHOLDERS.announcements}`,
    curate: `${site}/curate/${TOKEN_PLACEHOLDERS.curator}`,
  },
})

const compileTemplates = async (
  folder: string,
  accent: Accent | null,
): Promise<{ render: Compiled; version: string }> => {
  const hash = createHash('sha256')
  const read = async (name: string): Promise<string> => {
    const text = await readFile(path.join(folder, name), 'utf8')
    hash.update(name).update('\0').update(text).update('\0')
    return text
  }
  const settings = { strictVariables: true, strictFilters: true, ownPropertyOnly: true } as const
  const html = new Liquid({ ...settings, outputEscape: escapeHtml })
  html.registerFilter('wholeWords', (text: string) => wholeWords(text, 'style="white-space: nowrap"'))
  const plain = new Liquid({ ...settings, outputEscape: escapeText })
  html.registerFilter('direction', { handler: directionOf, raw: true })
  plain.registerFilter('plainMarks', plainMarks)
  const head = recolour(await read('head.mjml'), accent)
  const brand = await read('brand.mjml')
  const foot = await read('foot.mjml')
  const withParts = (template: string): string => template.replace('<mj-brand />', brand).replace('<mj-foot />', foot)
  const mjml: Record<string, string> = {}
  const texts: Record<string, string> = { [DIGEST]: await read(`${DIGEST}.txt.liquid`) }
  for (const name of LETTERS) {
    mjml[name] = withParts(await read(`${name}.mjml`)).replace('<mj-head />', head)
    texts[name] = await read(`${name}.txt.liquid`)
  }
  // A digest is written without MJML, whose wrappers and inlined styles would be most of it.
  const digest = compactStyles(recolour(withParts(await read(`${DIGEST}.html.liquid`)), accent))
  const skeletons: Record<string, string> = { ...(await compileMjml(mjml)), [DIGEST]: digest }
  const compile = (name: (typeof NAMES)[number]) => {
    // A link's own rules are inlined by now, and others go by where it stands.
    const skeleton = (skeletons[name] ?? '').replace(/^\s+/gm, '').replaceAll(' class="link"', '')
    const htmlPart: Template[] = html.parse(skeleton)
    const textPart: Template[] = plain.parse(texts[name] ?? '')
    return (view: object) => ({
      html: inAscii(withoutIdleRules(String(html.renderSync(htmlPart, view)))),
      text: foldLines(String(plain.renderSync(textPart, view)).replace(/\n{3,}/g, '\n\n')),
    })
  }
  const render = Object.fromEntries(NAMES.map((name) => [name, compile(name)])) as Compiled
  return { render, version: hash.digest('hex').slice(0, 12) }
}
