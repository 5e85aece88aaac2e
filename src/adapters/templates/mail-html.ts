/** What makes the HTML of a mail short on the wire: styles without white space, characters as ASCII, no idle attributes. */

const STYLE = /(?<=<style>)[^<]*(?=<\/style>)/g
/** A rule of a compact style: selectors and declarations. One of `@media` is not matched, but each inside it is. */
const RULE = /([^{}]+)(\{[^{}]*\})/g
/** Octets of a line of styles, below the most that mail servers take. None begins with a dot, which they double. */
const STYLE_LINE = /.{1,900}(?:\}(?!\.)|$)/g

/** An HTML template whose styles have no white space but what separates words; a space before `!important` stays, for Gmail. */
export const compactStyles = (template: string): string =>
  template.replace(STYLE, (style) =>
    style
      .replace(/\s*([{}:;,])\s*/g, '$1')
      .replaceAll(';}', '}')
      .trim(),
  )

/** HTML with compact styles, without the rules for classes that nothing in it has. */
export const withoutIdleRules = (html: string): string => {
  const classes = html.slice(html.indexOf('<body')).matchAll(/ class="([^"]*)"/g)
  const used = new Set([...classes].flatMap(([, names = '']) => names.split(' ')))
  const isUsed = (selector: string) => [...selector.matchAll(/\.([\w-]+)/g)].every(([, name = '']) => used.has(name))
  return html.replace(STYLE, (style) =>
    style
      .replace(RULE, (_, selectors: string, declarations: string) => {
        const kept = selectors.split(',').filter(isUsed)
        return kept.length === 0 ? '' : kept.join(',') + declarations
      })
      .replace(STYLE_LINE, '$&\n')
      .trimEnd(),
  )
}

/** Characters beyond ASCII as references: fewer octets than in quoted-printable, which HTML of ASCII needs no more. */
export const inAscii = (html: string): string =>
  html.replace(/[^\0-\x7f]/gu, (character) => `&#${character.codePointAt(0)};`)

/** Scripts that are written from right to left. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

/** The attribute of an element whose text may run from right to left; none where the document's direction is right. */
export const directionOf = (text: string): string => (RIGHT_TO_LEFT.test(text) ? ' dir="auto"' : '')
