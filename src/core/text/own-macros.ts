/** Names what authors wrote as a macro of their own, such as `\ours` or `\method`, which no source can print. */

/** What such macros are called where they name nothing, and what is read instead where the title has no name either. */
const GENERIC =
  /^(?:our|the|this|my|new)?(?:s|method|approach|framework|model|system|sys|algorithm|impl|tool|short|full)?(?:name|short)?$/iu
const GENERIC_DATA = /^(?:our|the|this|my|new)?(?:benchmark|bench|dataset|data|corpus)(?:name|short)?$/iu

const lettersOf = (text: string): string => text.replace(/[^\p{L}]/gu, '').toLowerCase()

/** The name that a title gives before its colon, of four words at most; `null` where it has none. */
export const nameInTitle = (title: string): string | null => {
  const name = /^([^:]{2,40}):/u.exec(title)?.[1]?.trim()
  return name !== undefined && name.split(' ').length <= 4 ? name : null
}

/**
 * An abstract in LaTeX with such macros named: `\ours` and `\method` are the name in the title ("FoldNet: …"), or else "our
 * method"; `\foldnet` is the name that has these letters. Others stay as they are.
 */
export const nameOwnMacros = (abstract: string, title: string): string =>
  abstract.replace(/\\([A-Za-z]{4,})(?![A-Za-z]|\s*\{[^}])(?:\{\})?/g, (whole, macro: string, at: number) => {
    const name = nameInTitle(title)
    const spelt = [name, ...title.split(/[\s:]+/u)].find((word) => word != null && lettersOf(word) === lettersOf(macro))
    if (spelt != null) return spelt
    // "\\foldnet" beside a title that begins with "FoldNet2.5-Pro".
    const begun = name === null ? undefined : /^\p{L}+/u.exec(name)?.[0]
    if (begun !== undefined && begun.toLowerCase() === macro.toLowerCase()) return begun
    const isData = GENERIC_DATA.test(macro)
    if (!isData && !GENERIC.test(macro)) return whole
    const our = /(?:^|[.!?]\s+)$/u.test(abstract.slice(0, at)) ? 'Our' : 'our'
    return name ?? `${our} ${isData ? 'benchmark' : 'method'}`
  })
