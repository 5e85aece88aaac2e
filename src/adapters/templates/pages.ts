/** The pages: Liquid templates in, HTML out, and the files that go with them. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Liquid } from 'liquidjs'
import { type Branding, UNBRANDED } from '../../core/branding/branding.ts'
import { holdsName, logoBox, versionOf } from '../../core/branding/logo.ts'
import { DEFAULT_NAME } from '../../core/branding/service-name.ts'
import { utcMidnight } from '../../core/calendar.ts'
import { longDate } from '../../core/digest/headline.ts'
import { type SourceName, serverOf } from '../../core/papers/paper.ts'
import { creditsOf } from '../../core/papers/source-credits.ts'
import { confirmedWording, REQUESTED } from '../../core/subscriber/consent.ts'
import { clock, expectedTime, sendingTimes, weekdayInWords } from '../../core/subscriber/schedule.ts'
import { type HtmlOptions, markdownToHtml } from '../../core/text/markdown.ts'
import { escapeHtml } from './mail-text.ts'
import { recolour } from './recolour.ts'
import { wholeWords } from './whole-words.ts'
import { zoneOptions } from './zone-options.ts'

const TEMPLATES = path.resolve(import.meta.dirname, '../../../templates/pages')

/** The first leads to the field of the address by one press, from every page. */
const NAV = [
  { href: '/#email', label: 'Subscribe' },
  { href: '/', label: 'Today' },
  { href: '/topics', label: 'Topics' },
  { href: '/search', label: 'Search' },
  { href: '/about', label: 'About' },
  { href: '/links', label: 'Settings' },
]

/** A file that pages refer to: its content, and an address that changes with it. */
export interface Asset {
  href: string
  type: string
  content: string | Buffer
  /** The version that `href` carries as `?v=`, also good as an ETag. */
  version: string
}

const fileOf = (at: string, type: string, content: string | Buffer): Asset => {
  const version = versionOf(content)
  return { href: `${at}?v=${version}`, type, content, version }
}

/** What the masthead has room for beside the menu, and on a phone above it; pixels. */
const LOGO = { height: 36, width: 200 }
/** Of `icon.svg`. */
const ICON_COLOURS = /#98291f|#d68f84/g

/** Words of the installation as HTML, each once. */
const textsOf = ({ texts }: Branding) => {
  const html = (text: string | null, options: HtmlOptions) => text && markdownToHtml(text, options)
  return {
    welcome: html(texts.welcome, {}),
    footer: html(texts.footer, { topHeading: 3, attributes: { p: { class: 'quiet' } } }),
    privacy: html(texts.privacy, { paths: true }),
    imprint: html(texts.imprint, { paths: true }),
  }
}

/** Whoever types it into a field that is shown again sees a stamp there, which tells them nothing. */
const FORM_STAMP = 'FORM-STAMP-GOES-HERE'

const SHORT_DAY = new Intl.DateTimeFormat('en-GB', { weekday: 'short', timeZone: 'UTC' })
const SHORT_DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
const MONTH = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' })

/** "A, B and C" */
const joined = (items: string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`

/** Filters of the templates; dates are `YYYY-MM-DD`. */
const FILTERS = {
  date: longDate,
  shortDay: (date: string) => `${SHORT_DAY.format(utcMidnight(date))} ${Number(date.slice(8))}`,
  shortDate: (date: string) => SHORT_DATE.format(utcMidnight(date)),
  month: (date: string) => MONTH.format(utcMidnight(date)),
  clock,
  weekday: weekdayInWords,
  sendingTimes,
  expectedTime,
  joined,
  zoneOptions,
  wholeWords: (text: string) => wholeWords(text, 'class="whole-word"'),
  /** Text from elsewhere becomes a link only as https: no other scheme is ever written into an href. */
  https: (url: string | null) => (url?.startsWith('https://') ? url : ''),
  /** `arXiv 2604.11784`; empty for a paper that is at no server that we know. */
  atServer: (id: string) => {
    const server = serverOf(id)
    return server === null ? '' : `${server.name}\u00a0${server.number}`
  },
}

/**
 * Pages by the names of their templates, each read once. `mailboxUrl` is the page of the embedded mailbox, which the pages
 * then point to; `branding` is what the installation sets for
 * itself, `contact` the address that every page links to, `files` are served beside the pages’ own, and the logo stands on
 * paper where `logoOnPaper` says so; `sources` are thanked at their foot. Everything a view holds is escaped. `render` throws
 * for a template that does not exist, and for one that
 * names a variable which its view lacks.
 */
export const createPages = ({
  mailboxUrl = null,
  branding = UNBRANDED,
  contact = null,
  files = [],
  logoOnPaper = false,
  sources = ['huggingface'],
  templatesFolder = TEMPLATES,
}: {
  mailboxUrl?: string | null
  branding?: Branding
  contact?: string | null
  files?: readonly Asset[]
  logoOnPaper?: boolean
  sources?: readonly SourceName[]
  templatesFolder?: string
} = {}): {
  render: (name: string, view: object) => string
  formStamp: string
  assets: Asset[]
  /** What the pages for operators refer to. */
  adminAssets: Asset[]
} => {
  const asset = (file: string, type: string, adapt = (text: string) => text): Asset =>
    fileOf(`/${file}`, type, adapt(readFileSync(path.join(templatesFolder, file), 'utf8')))
  const { name, accent, logo } = branding
  const styles = asset('site.css', 'text/css; charset=utf-8', (text) => recolour(text, accent))
  const adminStyles = asset('admin.css', 'text/css; charset=utf-8')
  const script = asset('zone.js', 'text/javascript; charset=utf-8')
  const settings = asset('settings.js', 'text/javascript; charset=utf-8')
  const proof = asset('proof.js', 'text/javascript; charset=utf-8')
  const icon = asset('icon.svg', 'image/svg+xml', (text) =>
    text.replace(DEFAULT_NAME, () => escapeHtml(name)).replace(ICON_COLOURS, (own) => accent?.light.act ?? own),
  )
  const logoFile = logo && fileOf(`/${logo.name}`, logo.type, logo.content)
  const logoFiles = logoFile === null ? [] : [logoFile]
  // A tab shows a square.
  const tabIcon = logo === null || logoFile === null || holdsName(logo) ? icon : logoFile
  const engine = new Liquid({
    root: templatesFolder,
    extname: '.liquid',
    cache: true,
    outputEscape: 'escape',
    ownPropertyOnly: true,
    strictFilters: true,
    strictVariables: true,
    lenientIf: true,
    jsTruthy: true,
    globals: {
      site: {
        styles: styles.href,
        adminStyles: adminStyles.href,
        script: script.href,
        settings: settings.href,
        proof: proof.href,
        icon: tabIcon.href,
        iconType: tabIcon.type,
        nav: NAV,
        mailboxUrl,
        formStamp: FORM_STAMP,
        consent: { requested: REQUESTED.text, confirmed: confirmedWording(name).text },
        name,
        contact,
        logo: logo && {
          ...logoBox(logo, LOGO),
          href: logoFile?.href,
          holdsName: holdsName(logo),
          onPaper: logoOnPaper,
        },
        credits: creditsOf(sources),
        texts: textsOf(branding),
        // Of the software, where it has its own name.
        software: name === DEFAULT_NAME ? `${DEFAULT_NAME} is open source.` : '',
      },
    },
  })
  for (const [name, filter] of Object.entries(FILTERS)) engine.registerFilter(name, filter)
  return {
    render: (name, view) => engine.renderFileSync(name, { here: null, ...view }),
    formStamp: FORM_STAMP,
    assets: [styles, script, settings, proof, icon, ...logoFiles, ...files],
    adminAssets: [styles, adminStyles, icon, ...logoFiles],
  }
}
