/**
 * Markdown of an operator as HTML and as plain text: CommonMark with bare links, and nothing that could do harm. Raw HTML,
 * images and links of other schemes are shown as text; `checkMarkdown` says where they are.
 */
import MarkdownIt, { type Token } from 'markdown-it'
import { foldLines } from './line-wrapping.ts'

/** Something in a Markdown text that is shown as it was typed. */
export interface MarkdownProblem {
  /** Counted from 1. */
  line: number
  /** A sentence that says what would be right. */
  problem: string
}

export interface MarkdownOptions {
  /** Whether links may be paths of the site, such as `/privacy`: on a page they work, in an email they do not. */
  paths?: boolean
}

export interface HtmlOptions extends MarkdownOptions {
  /** Attributes by tag, for where no stylesheet reaches: `{ p: { style: 'margin: 0' } }`. */
  attributes?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** The level of the topmost headings, 2 by default: the title of the page or mail is the first. */
  topHeading?: number
}

type Parser = InstanceType<typeof MarkdownIt>

const ABSOLUTE = /^(?:https?:\/\/[^/]|mailto:)/i
const PATH = /^\/(?!\/)/
const LAST_HEADING = 6

const mayLink = (url: string, { paths = false }: MarkdownOptions): boolean =>
  ABSOLUTE.test(url) || (paths && PATH.test(url))

/** `html`: whether HTML is told from text, which `checkMarkdown` alone asks for; it is never put out. */
const createParser = (options: MarkdownOptions, { html = false } = {}): Parser => {
  const parser = new MarkdownIt({ html, linkify: true })
  // Bare domains and addresses stay text: `node.js` is none.
  parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false })
  parser.validateLink = (url) => html || mayLink(url, options)
  if (!html) parser.disable('image')
  return parser
}

const parsers = new Map([false, true].map((paths) => [paths, createParser({ paths })]))
const parserOf = ({ paths = false }: MarkdownOptions): Parser => parsers.get(paths) ?? createParser({ paths })
const checker = createParser({}, { html: true })

const attribute = (token: Token, name: string): string => String(token.attrGet(name) ?? '')

/** What of a Markdown text would be shown as it was typed, by line; empty where all of it works. */
export const checkMarkdown = (source: string, options: MarkdownOptions = {}): MarkdownProblem[] => {
  const problems: MarkdownProblem[] = []
  const schemes = options.paths === true ? 'https://, http://, mailto: or /' : 'https://, http:// or mailto:'
  const check = (tokens: readonly Token[], begin: number): void => {
    let line = begin
    for (const token of tokens) {
      if (token.map !== null) line = token.map[0] + 1
      if (token.type === 'softbreak' || token.type === 'hardbreak') line++
      if (token.type === 'html_block' || token.type === 'html_inline')
        problems.push({ line, problem: 'HTML can’t be used: write this in Markdown.' })
      if (token.type === 'image') problems.push({ line, problem: 'Images can’t be used: link to the image instead.' })
      else check(token.children ?? [], line)
      const url = attribute(token, 'href')
      if (token.type === 'link_open' && !mayLink(url, options))
        problems.push({ line, problem: `This link leads to “${url.slice(0, 80)}”; links begin with ${schemes}.` })
    }
  }
  check(checker.parse(source, {}), 1)
  // Of a tag that is opened and closed on a line one is told.
  return problems.filter(
    ({ line, problem }, at) => problems.findIndex((one) => one.line === line && one.problem === problem) === at,
  )
}

/** A link that leads nowhere passes the parser unchecked: `[a]()`. */
const dropEmptyLinks = (tokens: Token[]): void => {
  const dropped: boolean[] = []
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]
    if (token?.type === 'link_open') dropped.push(attribute(token, 'href') === '')
    const isDropped = token?.type === 'link_open' ? dropped.at(-1) : token?.type === 'link_close' && dropped.pop()
    if (isDropped === true) tokens.splice(at--, 1)
  }
}

/** HTML of a Markdown text, safe to print whatever the text is. */
export const markdownToHtml = (source: string, options: HtmlOptions = {}): string => {
  const { attributes = {}, topHeading = 2 } = options
  const parser = parserOf(options)
  const dress = (tokens: readonly Token[]): void => {
    for (const token of tokens) {
      if (token.type === 'heading_open' || token.type === 'heading_close')
        token.tag = `h${Math.min(LAST_HEADING, Number(token.tag.slice(1)) + topHeading - 1)}`
      if (token.nesting >= 0)
        for (const [name, value] of Object.entries(attributes[token.tag] ?? {})) token.attrSet(name, value)
      dress(token.children ?? [])
    }
  }
  const tokens = parser.parse(source, {})
  for (const { children } of tokens) dropEmptyLinks(children ?? [])
  dress(tokens)
  return parser.renderer.render(tokens, parser.options, {}).trimEnd()
}

/** One line of text: marks that only emphasise are left out, and a link is followed by where it leads. */
const lineOf = (tokens: readonly Token[]): string => {
  let line = ''
  const links: { url: string; from: number }[] = []
  for (const token of tokens) {
    if (token.type === 'link_open') links.push({ url: attribute(token, 'href'), from: line.length })
    else if (token.type === 'link_close') {
      const { url, from } = links.pop() ?? { url: '', from: 0 }
      const label = line.slice(from)
      if (url !== '' && label !== url && `mailto:${label}` !== url) line += ` (${url.replace(/^mailto:/, '')})`
    } else if (token.type === 'softbreak') line += ' '
    else if (token.type === 'hardbreak') line += '\n'
    else line += token.content
  }
  return line
}

/** What stands before the lines of a block in a list or quotation. */
interface Indent {
  /** Before the next line: an item's mark stands once. */
  next: string
  rest: string
  /** Whether a line of it was written, so that an empty line belongs to it. */
  begun: boolean
}

const indentOf = (mark: string, rest: string): Indent => ({ next: mark, rest, begun: false })

/** Collects the blocks of a text, each apart from the one before unless it `follows` directly. */
const createTextBlocks = () => {
  const lines: string[] = []
  const indents: Indent[] = []
  return {
    indents,
    add: (text: string, { follows = false } = {}): void => {
      const between = indents.filter(({ begun }) => begun).map(({ rest }) => rest)
      if (lines.length > 0 && !follows) lines.push(between.join('').trimEnd())
      for (const line of foldLines(text).split('\n')) {
        lines.push(`${indents.map(({ next }) => next).join('')}${line}`.trimEnd())
        for (const indent of indents) Object.assign(indent, { next: indent.rest, begun: true })
      }
    },
    text: () => lines.join('\n'),
  }
}

/**
 * A Markdown text as plain text, for the text part of an email, with lines of about 76 characters: blocks apart by an empty
 * line, items of lists with `-` or their number, quotations with `>`.
 */
export const markdownToText = (source: string, options: MarkdownOptions = {}): string => {
  const { add, indents, text } = createTextBlocks()
  /** The number of the next item of each list that is open; `null` where items have none. */
  const lists: (number | null)[] = []
  let isTight = false
  let beginsList = false
  for (const token of parserOf(options).parse(source, {})) {
    if (token.type === 'bullet_list_open' || token.type === 'ordered_list_open') {
      if (lists.length === 0) beginsList = true
      lists.push(token.type === 'bullet_list_open' ? null : Number(token.attrGet('start') ?? 1))
    } else if (token.type === 'bullet_list_close' || token.type === 'ordered_list_close') lists.pop()
    else if (token.type === 'list_item_open') {
      const number = lists.pop() ?? null
      const mark = number === null ? '- ' : `${number}. `
      lists.push(number === null ? null : number + 1)
      indents.push(indentOf(mark, ' '.repeat(mark.length)))
    } else if (token.type === 'blockquote_open') indents.push(indentOf('> ', '> '))
    else if (token.type === 'list_item_close' || token.type === 'blockquote_close') indents.pop()
    else if (token.type === 'paragraph_open') isTight = token.hidden
    else if (token.type === 'inline') {
      add(lineOf(token.children ?? []), { follows: isTight && !beginsList })
      isTight = false
      beginsList = false
    } else if (token.type === 'code_block' || token.type === 'fence') add(token.content.trimEnd())
    else if (token.type === 'hr') add('----')
  }
  return text()
}
