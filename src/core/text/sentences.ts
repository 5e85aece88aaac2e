/** Where the sentences of a text stand. */

/** A sentence at its place in a text: UTF-16 units, `end` exclusive, its closing quotes and brackets included. */
export interface Sentence {
  text: string
  start: number
  end: number
}

/** Words whose full stop ends no sentence, in lower case and without their stops. */
const ABBREVIATIONS = new Set(
  (
    'eg ie al cf vs fig figs eq eqs sec secs tab tabs ref refs no nos dr mr mrs ms prof st resp approx wrt aka viz ca ' +
    'etc alg thm lem prop app appx ch chap vol pp p inc ltd co corp dept univ jr sr'
  ).split(' '),
)

const SENTENCE_END = /(?<![.!?…])[.!?…]+["'”’)\]]*(?=\s)|[。！？]+["'”’」』）)\]]*/gu
/** Short forms that end a list, and with it a sentence if another begins. */
const ENDS_LISTS = /^(?:etc|al|inc|ltd|corp)$/iu
/** No name begins so: after "… over the space V." a sentence does. */
const STARTER =
  /^\s+(?:we|the|this|these|our|in|to|it|its|however|for|on|by|with|as|an?|moreover|furthermore|specifically|finally|first)[\s,]/iu
/** "1." and "(ii)" number what follows them. */
const ENUMERATOR = /^[([]?(?:\d{1,2}|[a-z]|[ivx]{1,4})[)\].]+$/iu

/** Where sentences end: the index after the stop and its closing quotes, ascending. */
const sentenceEnds = (text: string): number[] => {
  const ends: number[] = []
  for (const found of text.matchAll(SENTENCE_END)) {
    const end = found.index + found[0].length
    // No sentence begins with a small letter, so what stands before was an abbreviation we do not know.
    if (/^\s+["'“‘([]*\p{Ll}/u.test(text.slice(end, end + 8))) continue
    if (found[0].startsWith('.') && !found[0].startsWith('..')) {
      const word = /[\p{L}\p{N}.-]*$/u.exec(text.slice(Math.max(0, found.index - 24), found.index))?.[0] ?? ''
      // Initials, as in "J. Smith" and "U.S. Congress"; or a known short form.
      const isStart = STARTER.test(text.slice(end, end + 16))
      const isInitial = /^(?:\p{Lu}\.)*\p{Lu}$/u.test(word) && !isStart
      if (
        isInitial ||
        (ABBREVIATIONS.has(word.replaceAll('.', '').toLowerCase()) && !(isStart && ENDS_LISTS.test(word)))
      )
        continue
    }
    const begin = ends.at(-1) ?? 0
    if (end - begin < 8 && ENUMERATOR.test(text.slice(begin, end).trim())) continue
    ends.push(end)
  }
  return ends
}

/** All the sentences of a text in order; what follows the last stop is one too. */
export const sentencesOf = (text: string): Sentence[] => {
  const sentences: Sentence[] = []
  let from = 0
  for (const end of [...sentenceEnds(text), text.length]) {
    const start = from + (text.slice(from, end).length - text.slice(from, end).trimStart().length)
    if (start < end) {
      const sentence = text.slice(start, end).trimEnd()
      sentences.push({ text: sentence, start, end: start + sentence.length })
    }
    from = end
  }
  return sentences
}
