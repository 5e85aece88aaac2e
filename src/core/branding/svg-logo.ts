/** An SVG as a logo: drawn by itself, with no script, nothing from elsewhere and no document inside it. */
import sax from 'sax'

const SVG = 'http://www.w3.org/2000/svg'
const XLINK = 'http://www.w3.org/1999/xlink'

/** What draws, and what is drawn with. Whatever is not here, such as `script`, `foreignObject`, `image`, `a` or `animate`, no logo needs. */
const ELEMENTS = new Set(
  (
    'svg g defs title desc style path rect circle ellipse line polyline polygon text tspan use symbol ' +
    'linearGradient radialGradient stop clipPath mask pattern filter feGaussianBlur feOffset feBlend feColorMatrix ' +
    'feComposite feFlood feMerge feMergeNode'
  ).split(' '),
)
/** Deeper ones are made to cost time. */
const MAX_DEPTH = 30
const MAX_ELEMENTS = 2_000

/** What a style or an attribute asks for, beyond itself: `url(…)` of anything but a part of the same file, or a rule that imports. */
const leavesFile = (text: string): boolean =>
  /\\|@import|@font-face|image-set|expression\(|javascript:/i.test(text) ||
  [...text.matchAll(/url\(([^)]*)\)?/gi)].some(([, target = '']) => !/^\s*["']?#[\w.-]+["']?\s*$/.test(target))

class UnusableSvg extends Error {}

const lengthOf = (text: string | undefined): number | null => {
  const [, number] = /^\s*(\d+(?:\.\d+)?)(?:px)?\s*$/.exec(text ?? '') ?? []
  return number === undefined ? null : Number(number)
}

/** The sides of the drawing: by its view box, else by its width and height. */
const sizeOf = (attributes: Readonly<Record<string, string>>): { width: number; height: number } => {
  const box = (attributes.viewBox ?? '')
    .trim()
    .split(/[\s,]+/)
    .map(Number)
  const [width, height] =
    box.length === 4 ? [box[2] ?? 0, box[3] ?? 0] : [lengthOf(attributes.width) ?? 0, lengthOf(attributes.height) ?? 0]
  if (!(width > 0 && height > 0 && Number.isFinite(width * height)))
    throw new UnusableSvg('has neither a viewBox nor a width and height')
  return { width, height }
}

const checkAttribute = ({ uri, local, name, value }: sax.QualifiedAttribute): void => {
  if (name === 'xmlns' || name.startsWith('xmlns:')) return
  if (/^on/i.test(local)) throw new UnusableSvg(`has the script ${name}`)
  if (local === 'href' && !/^#[\w.-]+$/.test(value))
    throw new UnusableSvg(`refers to ${value.slice(0, 60)}, which lies outside it`)
  if (leavesFile(value)) throw new UnusableSvg(`refers to something outside it, in ${name}`)
  // Names of drawing programs' own, such as inkscape:label, draw nothing; of XML only space and lang are known.
  if (uri !== '' && uri !== XLINK && name !== 'xml:space' && name !== 'xml:lang')
    throw new UnusableSvg(`has the attribute ${name}, of a drawing program; save it as plain SVG`)
}

/** The sides of an SVG that can be a logo; `problem`: a clause that says why another cannot. */
export const readSvgSize = (content: Buffer): { width: number; height: number } | { problem: string } => {
  try {
    return readSvg(new TextDecoder('utf-8', { fatal: true }).decode(content))
  } catch (error) {
    if (error instanceof UnusableSvg) return { problem: error.message }
    if (error instanceof TypeError) return { problem: 'is not UTF-8' }
    throw error
  }
}

const readSvg = (text: string): { width: number; height: number } => {
  const parser = sax.parser(true, { xmlns: true, strictEntities: true } as sax.SAXOptions)
  let size: { width: number; height: number } | null = null
  let depth = 0
  let elements = 0
  const open: string[] = []
  let styles = ''
  const fail = (clause: string) => () => {
    throw new UnusableSvg(clause)
  }
  parser.onerror = (error) => {
    const line = /Line: (\d+)/.exec(error.message)?.[1]
    throw new UnusableSvg(`is not well-formed XML${line === undefined ? '' : ` (line ${Number(line) + 1})`}`)
  }
  parser.ondoctype = fail('has a document type; take the line that begins with <!DOCTYPE out')
  parser.onprocessinginstruction = ({ name }) => {
    if (name !== 'xml') throw new UnusableSvg(`has the instruction <?${name}`)
  }
  parser.onopentag = (tag) => {
    if (!('uri' in tag)) return
    if (tag.uri !== SVG || !ELEMENTS.has(tag.local))
      throw new UnusableSvg(`has the element <${tag.name}>, which no logo needs; save it as plain SVG`)
    if (++depth > MAX_DEPTH || ++elements > MAX_ELEMENTS) throw new UnusableSvg('has too many elements')
    if (size === null) {
      if (tag.local !== 'svg') throw new UnusableSvg('is no SVG')
      size = sizeOf(Object.fromEntries(Object.entries(tag.attributes).map(([name, { value }]) => [name, value])))
    }
    for (const attribute of Object.values(tag.attributes)) checkAttribute(attribute)
    open.push(tag.local)
  }
  parser.onclosetag = () => {
    depth--
    open.pop()
  }
  // Collected whole: a rule may be split between text and CDATA.
  const collect = (words: string) => {
    if (open.at(-1) === 'style') styles += words
  }
  parser.ontext = collect
  parser.oncdata = collect
  parser.write(text).close()
  if (leavesFile(styles)) throw new UnusableSvg('has a style that refers outside it')
  if (size === null) throw new UnusableSvg('is no SVG')
  return size
}
