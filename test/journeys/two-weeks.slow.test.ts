/** Two weeks of sixteen readers, told from their mails alone: every count, date, reason and excerpt is held against the papers. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addDays, DAY, daysBetween, HOUR, weekdayOf } from '../../src/core/calendar.ts'
import { readableTexts } from '../../src/core/papers/paper-excerpt.ts'
import { plainLatex } from '../../src/core/text/latex.ts'
import { type DigestMail, readDigestMail } from '../support/browser/digest-mail.ts'
import { openSite } from '../support/browser/http-client.ts'
import { hasRecordedDays } from '../support/fixtures/recorded-days.ts'
import { type Issue, liveTwoWeeks, type TwoWeeks } from '../support/fixtures/two-weeks.ts'

/** Where the mails are written as texts for a person to read. */
const folder = process.env.MAILS_DIR

const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const WORDS = 'no one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen'.split(' ')

/** A number in digits or words; `NaN` for another word. */
const numberOf = (text: string): number => {
  const word = WORDS.indexOf(text.toLowerCase())
  return word >= 0 ? word : text.toLowerCase() === 'none' ? 0 : Number(text.replaceAll(',', ''))
}

/** The days that a sentence names: "on Friday 17 April", "on Friday 17 and Saturday 18 April", "from Wednesday 15 to Friday 17 April". */
const datesOf = (text: string): string[] => {
  const month = (name: string) => String(MONTHS.indexOf(name) + 1).padStart(2, '0')
  const found = [...text.matchAll(/day (\d{1,2})(?: (?!to\b|and\b)(\w+))?(?: (?:to|and) (?:\w+day) (\d{1,2}) (\w+))?/g)]
  return found.flatMap(([, day = '', own = '', last = '', shared = '']) =>
    [{ day, month: MONTHS.includes(own) ? own : shared }, ...(last === '' ? [] : [{ day: last, month: shared }])].map(
      (one) => `2026-${month(one.month)}-${one.day.padStart(2, '0')}`,
    ),
  )
}

/** What stays of a text when only its letters and digits count. */
const lettersOf = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/[^\p{L}\p{N}]/gu, '')
    .toLowerCase()

/** The words in quotation marks, and the field that a list of them is said to stand in. */
const QUOTED = /“([^”]+)”(?=(?:(?:, | and )“[^”]+”)* in the (title|abstract)|)/g

/** Whether words stand in a text as they are, not cut out of longer ones. */
const hasWhole = (text: string, words: string): boolean =>
  text
    .split(words)
    .slice(0, -1)
    .some((before, n, all) => {
      const after = text.slice(all.slice(0, n + 1).join(words).length + words.length)
      return !/[\p{L}\p{N}]$|\p{N}\.$/u.test(before) && !/^[\p{L}\p{N}]/u.test(after)
    })

/** Beginnings that say nothing without the sentence before. */
const DANGLING =
  /^(?:However|Yet|But|It|They|Thus|Therefore|Moreover|Furthermore|Additionally|Also|These)\b|^This (?:approach|method|issue|problem)\b/

const idOf = (url: string): string => /\/abs\/(\d{4}\.\d{4,5})/.exec(url)?.[1] ?? url

describe.skipIf(!hasRecordedDays)('two weeks of sixteen readers (skipped where ../shared/data is absent)', () => {
  let weeks: TwoWeeks
  let digests: (Issue & { digest: DigestMail; name: string })[]

  beforeAll(async () => {
    weeks = await liveTwoWeeks()
    digests = weeks.issues.map((issue) => ({
      ...issue,
      digest: readDigestMail(issue.mail),
      name: `${issue.localDate}-${issue.reader.name}`,
    }))
    if (folder === undefined) return
    await mkdir(folder, { recursive: true })
    for (const { name, mail } of digests) {
      await writeFile(join(folder, `${name}.txt`), `To: ${mail.to}\nSubject: ${mail.subject}\n\n${mail.text}`)
    }
    console.log(`${digests.length} mails are in ${folder}`)
  }, 600_000)
  afterAll(() => weeks?.service[Symbol.asyncDispose]())

  /** The mails for which a check has something to say, by name: none is right. */
  const faults = (check: (one: (typeof digests)[number]) => unknown[]): Record<string, unknown[]> =>
    Object.fromEntries(digests.map((one) => [one.name, check(one)] as const).filter(([, found]) => found.length > 0))

  const paperOf = (url: string) => {
    const listing = weeks.listings.get(idOf(url))
    if (listing === undefined) throw new Error(`no paper is listed as ${url}`)
    return listing
  }

  const plainPaperOf = (url: string) => {
    const { paper } = paperOf(url)
    const { title, abstract } = readableTexts(paper)
    return { ...paper, title, abstract, all: `${title}\n${abstract}` }
  }

  test('bring each reader a welcome and then digests with papers, each with a reason and its own title', () => {
    expect(new Set(digests.map(({ reader }) => reader.name)).size).toBe(16)
    expect(digests.length).toBeGreaterThan(60)
    expect(
      faults(({ digest }) =>
        digest.named.length === 0
          ? ['no papers']
          : digest.papers.filter(
              ({ title, url, reason }) =>
                reason === null || lettersOf(title) !== lettersOf(plainLatex(paperOf(url).paper.title)),
            ),
      ),
    ).toEqual({})
  })

  test('never bring a reader the same paper twice', () => {
    const had = new Set<string>()
    expect(
      faults(({ reader, digest }) =>
        [...digest.named, ...digest.seeAlso].filter(({ url }) => {
          const key = `${reader.name} ${idOf(url)}`
          return had.has(key) || had.add(key) === undefined
        }),
      ),
    ).toEqual({})
  })

  test('count the papers of the mail, and those that the pages of their days list', () => {
    expect(
      faults(({ digest, pages, localDate }) => {
        const [, chosen = '', listed = ''] = /^(\S+) of the ([\d,]+) papers? listed/.exec(digest.standfirst) ?? []
        if (chosen === '') return [digest.standfirst]
        const dates = datesOf(digest.standfirst.split(' You follow')[0] ?? '')
        const [first, last] = [dates.at(0), dates.at(-1)]
        if (first === undefined || last === undefined) return [`no list days: ${digest.standfirst}`]
        const days = [...pages].filter(([day]) => day >= first && day <= last)
        const onPages = days.reduce((sum, [, papers]) => sum + papers, 0)
        const found: unknown[] = []
        if (first > localDate || last > localDate) found.push(`list days ${first} to ${last}`)
        if (numberOf(listed) !== onPages)
          found.push(`${listed} listed, and ${onPages} on the pages of ${first} to ${last}`)
        const extras = digest.papers.filter(({ section }) => section === 'Trending beyond your topics').length
        const beyond = chosen === 'None' ? Number(/; (\d+) (?:is|are) trending/.exec(digest.standfirst)?.[1]) : 0
        if (numberOf(chosen) + beyond !== digest.named.length || (chosen === 'None' && beyond !== extras))
          found.push(`${chosen} of them, and ${digest.named.length} in the mail`)
        return found
      }),
    ).toEqual({})
  })

  test('have a subject, a heading and a first line that count and name the papers that match, and call no other the reader’s', () => {
    expect(
      faults(({ digest, mail, reader }) => {
        const extras = digest.papers.filter(({ section }) => section === 'Trending beyond your topics')
        const own = digest.papers.length - extras.length
        const all = own === 0 ? extras.length : own
        const opening = mail.text.split('\nView in browser')[0]?.replace(/\s+/g, ' ') ?? ''
        const trending = /\band (\d+) trending papers?\.$/.exec(opening)?.[1]
        const found: unknown[] = [digest.subject, digest.heading, opening].filter((line) => {
          const named = reader.frequency === 'weekly' && line === digest.subject && own > 0 ? 1 : 2
          const papers = /first (\d+) papers?\b/.exec(line)?.[1]
          const more = / and (\d+) more\b/.exec(line)?.[1]
          return (
            (papers !== undefined && Number(papers) !== all) || (more !== undefined && Number(more) + named !== all)
          )
        })
        if (own > 0 && Number(trending ?? 0) !== extras.length) found.push(['trending papers', opening])
        if (own < 2 && /ranked by fit/.test(opening)) found.push(['ranked', opening])
        if ((own === 0) !== /^Beyond your topics: /.test(digest.subject)) found.push(digest.subject)
        for (const { title } of own === 0 ? [] : extras) {
          const name = title.split(': ')[0]?.slice(0, 20) ?? title
          found.push(...[digest.subject, opening].filter((line) => line.includes(name)))
        }
        return found
      }),
    ).toEqual({})
  })

  test('have as many papers as their readers asked for at most, and beside what trends no extras', () => {
    expect(
      faults(({ digest, reader }) => {
        const usual = reader.frequency === 'weekly' ? 15 : 10
        const most = reader.papers ?? usual
        const shown = digest.papers.filter(({ reason }) => !/^Nearly the same/.test(reason ?? ''))
        const extras = digest.papers.filter(({ section }) => section === 'Trending beyond your topics')
        const found: unknown[] = shown.length > most ? [`${shown.length} papers, and not ${most}`] : []
        return reader.topics.includes('trending') && extras.length > 0 ? [...found, 'extras'] : found
      }),
    ).toEqual({})
  })

  test('say of a paper that is there because it trends how many of its day had more upvotes', () => {
    let ranked = 0
    expect(
      faults(({ digest, at, pages, reader }) =>
        digest.papers.flatMap(({ url, reason }): unknown[][] => {
          const why = (reason ?? '').replace(/\s/g, ' ')
          const [, joint = '', rank = '1', of = ''] =
            /^(Joint )?(?:(\d+)(?:st|nd|rd|th) m|[Mm])ost upvoted of the (\d+) papers listed/.exec(why) ?? []
          if (of === '') return reader.topics.join() === 'trending' && !/^Nearly/.test(why) ? [[why]] : []
          ranked++
          const own = paperOf(url).observation.upvotes ?? 0
          const listDay = weeks.listDays.get(idOf(url)) ?? ''
          const peers = [...weeks.listings.values()].filter(
            (one) => weeks.listDays.get(one.paper.id) === listDay && one.observation.at <= at,
          )
          const counts = peers.map((peer) => peer.observation.upvotes ?? 0)
          const real = 1 + counts.filter((count) => count > own).length
          const shared = counts.filter((count) => count === own).length > 1
          const isTrue =
            numberOf(rank) === real &&
            (joint !== '') === shared &&
            numberOf(of) === pages.get(listDay) &&
            datesOf(why)[0] === listDay
          return isTrue ? [] : [[why, listDay, real, shared, pages.get(listDay)]]
        }),
      ),
    ).toEqual({})
    expect(ranked).toBeGreaterThan(100)
  })

  test('offer a topic that is not followed, and none twice in a row within days', () => {
    const before = new Map<string, { topic: string; date: string }>()
    let offered = 0
    expect(
      faults(({ reader, localDate, mail, digest }) => {
        const [, , , topic = ''] = (mail.links.get('follow') ?? '').split('/')
        const last = before.get(reader.name)
        before.set(reader.name, { topic, date: localDate })
        if (topic === '') return /Follow this topic/.test(digest.footer) ? ['no link'] : []
        offered++
        const papers = / (\d+) papers on .+ were listed (?:this week|on|from) ?[^.]*\. Follow this topic/.exec(
          ` ${digest.footer}`,
        )?.[1]
        const found: unknown[] = numberOf(papers ?? '0') < 3 ? [digest.footer] : []
        if (reader.topics.includes(topic)) found.push(`${topic} is followed`)
        const again = topic === last?.topic && [1, 2, 3, 4, 7].includes(daysBetween(last.date, localDate))
        return again ? [...found, `${topic} again`] : found
      }),
    ).toEqual({})
    expect(offered).toBeGreaterThan(digests.length / 2)
  })

  test('count upvotes as they were, once for each paper, and add them up', () => {
    expect(
      faults(({ digest }) => [
        ...digest.papers.flatMap(({ url, title, text, reason, count }) => {
          const { upvotes } = paperOf(url).observation
          const counted = [...(reason ?? '').matchAll(/([\d,]+) upvotes?/g)].map(([, number = '']) => numberOf(number))
          const all = count === null ? counted : [count, ...counted]
          const rest = text.replace(title, '')
          const times = [...rest.matchAll(/([\d,]+) upvotes?/g)].length
          return all.some((number) => number !== upvotes) || times > 1 ? [[title, upvotes, all, times]] : []
        }),
        ...[/([\d,]+) upvotes? between them/.exec(digest.standfirst)?.[1]].flatMap((sum) => {
          const real = digest.named.reduce((total, { url }) => total + (paperOf(url).observation.upvotes ?? 0), 0)
          return sum !== undefined && numberOf(sum) !== real ? [`${sum} upvotes between them, and ${real}`] : []
        }),
      ]),
    ).toEqual({})
  })

  test('count topics, code and sections as they are', () => {
    expect(
      faults(({ digest }) => {
        const found: unknown[] = []
        const topics = /in (\w+) topics?\b/.exec(digest.standfirst)?.[1]
        const sections = new Set(digest.papers.map(({ section }) => section)).size
        if (topics !== undefined && numberOf(topics) > sections) found.push([topics, sections])
        const code = /(\w+) with code/.exec(digest.standfirst)?.[1]
        // What is shown in short has no links; the listings tell of its code.
        const real = digest.named.filter(({ url }) => {
          const { codeUrl, projectUrl } = paperOf(url).paper
          return codeUrl !== null || /^https:\/\/github\.com\/[^/]+\/./.test(projectUrl ?? '')
        }).length
        if (code !== undefined && numberOf(code) !== real) found.push(`${code} with code, and ${real}`)
        for (const { label, papers } of digest.contents) {
          const own = digest.papers.filter(({ section }) => section === label).length
          if (papers !== own) found.push([label, papers, own])
        }
        const inContents = digest.contents.reduce((sum, { papers }) => sum + papers, 0)
        if (digest.contents.length > 0 && inContents !== digest.named.length)
          found.push(['in the contents', inContents])
        return found
      }),
    ).toEqual({})
  })

  test('quote in their reasons whole words of the title or abstract as they stand there, or what the reader typed', () => {
    const had = new Map<string, string[]>()
    expect(
      faults(({ digest, reader }) => {
        const before = had.get(reader.name) ?? []
        const found = digest.papers.flatMap(({ url, title, section, reason }) => {
          const why = (reason ?? '').replace(/\s/g, ' ')
          const paper = plainPaperOf(url)
          const own = [...(reader.keywords ?? []), ...(reader.authors ?? [])]
          const repeated = /^Nearly the same as “(.+?)…?”/.exec(why)?.[1]
          const wrong = repeated === undefined || before.some((one) => one.startsWith(repeated)) ? [] : [repeated]
          for (const [, words = '', field] of why.replace(/^Nearly the same.*/, '').matchAll(QUOTED)) {
            const text = field === 'title' ? paper.title : field === 'abstract' ? paper.abstract : paper.all
            if (!hasWhole(text, words) && !own.includes(words)) wrong.push(`“${words}” in the ${field}`)
          }
          const names = /\bBy ([^;“]+?)(?:;|$|, “)/.exec(why)?.[1]?.split(/, | and /) ?? []
          wrong.push(...names.filter((name) => !paper.authors.includes(name)))
          if (section !== null && why.startsWith(`${section}:`)) wrong.push(`${section} once more`)
          return wrong.length > 0 ? [[title, ...wrong]] : []
        })
        had.set(reader.name, [...before, ...digest.named.map((one) => one.title)])
        return found
      }),
    ).toEqual({})
  })

  /** A text as it is, and without the long form beside a short one: "time series reasoning model (TSRM)", where the abstract has "TSRM". */
  const unexplained = (text: string): string[] => [
    text,
    ...[1, 2, 3, 4, 5, 6].map((words) =>
      text.replace(new RegExp(`(?:[\\p{L}-]+ ){${words}}\\((\\p{Lu}{2,}s?(?:-\\p{Ll})?)\\)`, 'u'), '$1'),
    ),
    text.replace(/(?<=\p{Lu}{2}) \([^()]*\)/u, ''),
  ]
  /** Whether a piece of an excerpt stands in an abstract; it may begin with the subject or verb of what was left out. */
  const stands = (piece: string, abstract: string): boolean =>
    unexplained(piece)
      .flatMap((text) => [text, text.replace(/^(?:We|This \w+)(?: \w+)? /u, '')])
      .some((text) => abstract.includes(lettersOf(text)))

  test('have excerpts that stand in the abstract, and begin with nothing that refers back', () => {
    expect(
      faults(({ digest }) =>
        digest.papers.flatMap(({ url, excerpt }) => {
          if (excerpt === null) return []
          // "We first fold" may stand without its "first".
          const plain = plainPaperOf(url).abstract
          const abstract = `${lettersOf(plain)} ${lettersOf(plain.replace(/\b(we|paper) first /giu, '$1 '))}`
          const pieces = excerpt.split(/…|\.\.\./).map((piece) => piece.trim())
          const wrong = pieces.filter((piece) => !stands(piece, abstract))
          return [...wrong, ...pieces.slice(0, 1).filter((piece) => DANGLING.test(piece))]
        }),
      ),
    ).toEqual({})
  })

  test('say in their text part what the HTML says', () => {
    expect(
      faults(({ digest, mail }) => {
        const text = lettersOf(mail.text)
        const said = [
          digest.heading,
          digest.standfirst,
          digest.note,
          ...digest.papers.flatMap(({ title, reason, excerpt, url }) => [title, url, reason ?? '', excerpt ?? '']),
          ...digest.seeAlso.map(({ title }) => title),
        ]
        return said.filter((line) => !text.includes(lettersOf(line)))
      }),
    ).toEqual({})
  })

  test('say when the next digest is to be expected, and then it comes or there was nothing new', () => {
    const dates = new Map(weeks.readers.map(({ name }) => [name, [] as string[]]))
    for (const { reader, localDate } of digests) dates.get(reader.name)?.push(localDate)
    const promised = (
      text: string,
      { reader, localDate, at, name }: (typeof digests)[number],
      welcome: boolean,
    ): unknown[] => {
      const [sentence = ''] = /[^.]*\bnext digest\b[^.]*/i.exec(text) ?? []
      const [date] = datesOf(sentence)
      if (date === undefined) return [[name, 'no date', sentence]]
      const hour = `${String(reader.hour).padStart(2, '0')}:00`
      const found: unknown[] = []
      if (!sentence.includes(hour)) found.push(['no hour', sentence])
      if (date <= localDate && !(welcome && date === localDate && at < new Date(`${date}T24:00:00Z`)))
        found.push(['past', sentence])
      if (date > '2026-04-26') return found
      const due = weeks.due.has(`${reader.name} ${date}`)
      if (!due) found.push(['nothing was due on it', sentence])
      const between = (dates.get(reader.name) ?? []).filter((one) => one > localDate && one < date)
      if (between.length > 0 && !/\bby\b/.test(sentence)) found.push(['one came before', between, sentence])
      // A list of a weekday is there at nine (UTC); a digest brings what came in the day before it.
      const brings = [date, addDays(date, -1)].filter((day) => weekdayOf(day) <= 5)
      if (brings.length === 0) found.push(['no list comes before it', sentence])
      return found
    }
    expect(
      faults((one) => {
        const isWelcome = one.digest.subject.startsWith('Welcome')
        return [...promised(one.digest.footer, one, isWelcome), ...promised(one.settings, one, isWelcome)]
      }),
    ).toEqual({})
  })

  test('say of which days no digest came, and of no others', () => {
    const mailed = new Set(digests.map(({ name }) => name))
    expect(
      faults(({ reader, localDate, at, digest }) => {
        const [sentence = ''] = /No digest [^:]+/.exec(digest.note) ?? []
        const [first, last = first] = datesOf(sentence)
        const missed: string[] = []
        for (let date = addDays(localDate, -1); date >= '2026-04-14'; date = addDays(date, -1)) {
          if (!weeks.due.has(`${reader.name} ${date}`)) continue
          if (mailed.has(`${date}-${reader.name}`)) break
          // A list of a weekday is there at nine (UTC): a digest after none is not missed.
          const due = at.getTime() - daysBetween(date, localDate) * DAY
          const listed = new Date(due - 9 * HOUR).toISOString().slice(0, 10)
          if (reader.frequency === 'weekly' || weekdayOf(listed) <= 5) missed.push(date)
        }
        return missed[0] === last && missed.at(-1) === first ? [] : [[sentence, ...missed]]
      }),
    ).toEqual({})
  })

  test('have links that answer, and no others than those of their papers', async () => {
    const site = openSite(weeks.service.url)
    const wrong: unknown[] = []
    for (const { name, digest, mail } of digests) {
      for (const kind of ['preferences', 'unsubscribe', 'digests', 'follow']) {
        // Not every digest offers a topic.
        if (kind === 'follow' && !mail.links.has(kind)) continue
        const page = await site.get(mail.links.get(kind) ?? '/nowhere')
        if (page.status !== 200) wrong.push([name, kind, page.status])
        const counts = lettersOf(digest.standfirst.split(' You follow')[0] ?? '')
        if (kind === 'digests' && !lettersOf(page.text).includes(counts))
          wrong.push([name, 'other counts in the browser'])
      }
      const known = new Set(
        [...weeks.listings.values()].flatMap(({ paper }) => [
          `https://arxiv.org/abs/${paper.id}`,
          `https://arxiv.org/pdf/${paper.id}`,
          paper.codeUrl,
          paper.projectUrl,
          paper.discussionUrl,
        ]),
      )
      wrong.push(
        ...digest.links
          .filter((url) => !/^(?:#|http:\/\/localhost)/.test(url) && !known.has(url))
          .map((url) => [name, url]),
      )
    }
    expect(wrong).toEqual([])
  })
})
