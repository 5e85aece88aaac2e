/** Reads a digest's mail as its reader does: what it claims, and each paper with its reason, excerpt and count. */

/** A paper of a digest, with the texts around it; `null` for what does not stand there. */
export interface MailedPaper {
  title: string
  url: string
  /** The heading of the section that it stands in. */
  section: string | null
  reason: string | null
  excerpt: string | null
  /** The number of upvotes beside it. */
  count: number | null
  /** What its links are called, those of the title and of papers like it left out. */
  labels: string[]
  /** All that stands in its row, as text. */
  text: string
}

export interface DigestMail {
  subject: string
  heading: string
  /** The paragraph under the heading. */
  standfirst: string
  /** What else stands above the papers, such as why the digest before did not come. */
  note: string
  papers: MailedPaper[]
  /** Papers that are named with a link to their page, each of `papers` and those that stand in no row of their own. */
  named: { title: string; url: string }[]
  /** Papers that are only named under another as nearly the same. */
  seeAlso: { title: string; url: string }[]
  /** Labels of the contents list, with how many papers each names or counts; empty where there is none. */
  contents: { label: string | null; papers: number }[]
  /** What stands under the last paper. */
  footer: string
  /** Every address that a link leads to. */
  links: string[]
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: ' ', apos: "'" }

/** The text of HTML: tags away, entities read, white space folded. */
export const textOf = (html: string): string =>
  html
    .replace(/<br[^>]*>|<\/(?:p|h\d|td|div|li)>/g, ' ')
    .replace(/<[^>]+>/g, '')
    .replace(/&(?:#(\d+)|(\w+));/g, (all, code, name) =>
      code === undefined ? (ENTITIES[name] ?? all) : String.fromCodePoint(Number(code)),
    )
    .replace(/\s+/g, ' ')
    .trim()

const classed = (html: string, tag: string, name: string): string[] =>
  [...html.matchAll(new RegExp(`<(${tag})\\b[^>]*class="([^"]*)"[^>]*>(.*?)</\\1>`, 'gs'))]
    .filter(([, , classes = '']) => classes.split(' ').includes(name))
    .map(([, , , inner = '']) => inner)

const linkIn = (html: string): { title: string; url: string }[] =>
  [...html.matchAll(/<a\b[^>]*href="([^"]+)"[^>]*>(.*?)<\/a>/gs)].map(([, url = '', inner = '']) => ({
    title: textOf(inner),
    url: textOf(url),
  }))

const isPaperPage = (url: string): boolean => /^https:\/\/arxiv\.org\/abs\//.test(url)

const firstIn = (html: string, tag: string): string | undefined =>
  new RegExp(`<(${tag})\\b[^>]*>(.*?)</\\1>`, 's').exec(html)?.[2]

const readPaper = (row: string, section: string | null): MailedPaper[] => {
  const heading = /<h2 class="group"/.test(row) ? undefined : firstIn(row, 'h[23]')
  if (heading === undefined) return []
  const [link] = linkIn(heading)
  const count = firstIn(row, 'b')
  const excerpt = /<p(?: dir="auto")?>(.*?)<\/p>/s.exec(row)?.[1]
  const why = firstIn(row, 'i')
  return [
    {
      title: textOf(heading),
      url: link?.url ?? '',
      section,
      reason: why === undefined ? null : textOf(why),
      excerpt: excerpt === undefined ? null : textOf(excerpt),
      count: count === undefined ? null : Number(textOf(count).replaceAll(',', '')),
      labels: classed(row, 'p', 'go')
        .flatMap(linkIn)
        .map((link) => link.title),
      text: textOf(row),
    },
  ]
}

/** Reads the HTML of a digest's mail. What it has no row for, such as a list of further titles, is found in `named`. */
export const readDigestMail = ({ subject, html }: { subject: string; html: string }): DigestMail => {
  const [before = '', ...rest] = html.split(/(?=<h2[^>]*class="[^"]*\bcontents\b)/)
  const body = html.slice(html.indexOf('<h1'))
  const heading = textOf(/<h1[^>]*>(.*?)<\/h1>/s.exec(html)?.[1] ?? '')
  const standfirst = textOf(/<\/h1>\s*<p[^>]*>(.*?)<\/p>/s.exec(html)?.[1] ?? '')
  const contents = rest.length === 0 || before === '' ? [] : classed(rest.join(''), 'p', 'part')
  const papers: MailedPaper[] = []
  let section: string | null = null
  const table = body.slice(body.indexOf('<tr><td class="num'))
  const [shown = '', news = ''] = table.split(/(?=<h2[^>]*>\s*New since)/)
  for (const row of shown.split(/(?=<tr>)/)) {
    const [group] = classed(row, 'h2', 'group')
    if (group !== undefined) section = textOf(group)
    papers.push(...readPaper(row, section))
  }
  const end = body.lastIndexOf('bar end')
  const footer = textOf(body.slice(body.indexOf('<p', end)))
  const own = news === '' ? body.slice(0, end) : body.slice(0, body.indexOf(news))
  const seeAlso = classed(own, 'p', 'also').filter((line) => line.startsWith('See also'))
  const named = new Map(
    linkIn(seeAlso.reduce((rest, line) => rest.replace(line, ''), own))
      .filter(({ url }) => isPaperPage(url))
      .map((link) => [link.url, link]),
  )
  return {
    subject,
    heading,
    standfirst,
    note: textOf(body.slice(0, body.indexOf('<div class="bar top'))).replace(`${heading} ${standfirst}`, ''),
    papers,
    named: [...named.values()],
    seeAlso: seeAlso.flatMap(linkIn),
    contents: contents.map((part) => ({
      label: textOf(/<strong[^>]*>(.*?)<\/strong>/s.exec(part)?.[1] ?? '').replace(/:$/, '') || null,
      papers: linkIn(part).reduce((sum, { title }) => sum + Number(/^(\d+) more$/.exec(title)?.[1] ?? 1), 0),
    })),
    footer,
    links: linkIn(html).map(({ url }) => url),
  }
}
