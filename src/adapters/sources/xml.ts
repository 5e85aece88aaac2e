/** Reads foreign XML into a tree: whole and well formed, or not at all. */
import sax from 'sax'

/** An element by its namespace and local name; prefixes do not count. */
export interface XmlElement {
  /** Namespace name, `''` for none. */
  namespace: string
  name: string
  /** Attributes without a namespace. */
  attributes: ReadonlyMap<string, string>
  children: XmlElement[]
  /** The character data that stands directly in it, references decoded. */
  text: string
}

/** The text is no XML that we read; the message is a clause such as "it breaks off before its end". */
export class UnreadableXml extends Error {
  override name = 'UnreadableXml'
}

/** No feed nests deeper than some six elements. */
const MAX_DEPTH = 50

/** The parser's message may quote the sender, so only the line is taken from it. */
const clauseOf = (error: Error): string => {
  if (/^(Unclosed root tag|Unexpected end|Unencoded <$)/.test(error.message)) return 'it breaks off before its end'
  const line = /^Line: (\d+)$/m.exec(error.message)?.[1]
  return `it is not well-formed XML${line === undefined ? '' : ` (line ${Number(line) + 1})`}`
}

/**
 * The root element. Of references the five that XML itself defines and those by number are decoded, and nothing else is:
 * a document type, which declares entities that grow a hundred bytes into gigabytes or name files of ours, is refused
 * as a whole (OWASP ASVS 5, 1.5.1). Throws `UnreadableXml`.
 */
export const readXml = (text: string): XmlElement => {
  const parser = sax.parser(true, { xmlns: true, strictEntities: true } as sax.SAXOptions)
  const open: XmlElement[] = []
  let root: XmlElement | null = null
  parser.onerror = (error) => {
    throw new UnreadableXml(clauseOf(error), { cause: error })
  }
  parser.ondoctype = () => {
    throw new UnreadableXml('it has a document type')
  }
  parser.onopentag = (tag) => {
    if (!('uri' in tag)) return
    if (open.length === MAX_DEPTH) throw new UnreadableXml('its elements are nested too deeply')
    const attributes = Object.values(tag.attributes).filter((attribute) => attribute.uri === '')
    const element: XmlElement = {
      namespace: tag.uri,
      name: tag.local,
      attributes: new Map(attributes.map(({ local, value }) => [local, value])),
      children: [],
      text: '',
    }
    open.at(-1)?.children.push(element)
    if (open.length === 0 && root !== null) throw new UnreadableXml('it is not well-formed XML (a second root)')
    root ??= element
    open.push(element)
  }
  parser.onclosetag = () => void open.pop()
  // The parser gives a long text in pieces.
  const addText = (piece: string): void => {
    const element = open.at(-1)
    if (element !== undefined) element.text += piece
  }
  parser.ontext = addText
  parser.oncdata = addText
  parser.write(text.replace(/^\uFEFF/, '')).close()
  if (root === null) throw new UnreadableXml('it holds no element')
  return root
}

/** The children of this namespace and name, in order. */
export const childrenOf = (element: XmlElement, namespace: string, name: string): XmlElement[] =>
  element.children.filter((child) => child.namespace === namespace && child.name === name)

/** The text of the first such child, without space around it; `''` where there is none. */
export const textOf = (element: XmlElement, namespace: string, name: string): string =>
  childrenOf(element, namespace, name)[0]?.text.trim() ?? ''
