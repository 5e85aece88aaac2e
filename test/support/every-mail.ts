/** Every mail there is, by the real templates: the sample papers as a day and as a week, and what is hard to set. */
import type { Signer } from '../../src/adapters/dkim.ts'
import { createMailTemplates, type Mail } from '../../src/adapters/mail-templates.ts'
import { createMold } from '../../src/adapters/message.ts'
import { samplePapers } from '../../src/adapters/sample-papers.ts'
import type { DigestEntry, DigestIssue, PaperCard } from '../../src/core/digest.ts'
import { cardOf } from '../../src/core/paper-card.ts'
import { rankPapers, selectPapers } from '../../src/core/ranking.ts'
import { reasonOf } from '../../src/core/reason.ts'
import { scoreTopics } from '../../src/core/relevance.ts'
import { TOKEN_GAP } from '../../src/core/token.ts'
import { topicBySlug } from '../../src/core/topics.ts'
import { octetsOf } from './octets.ts'
import { HARD_ISSUE, STEERED_ISSUE } from './story.ts'

export interface NamedMail {
  name: string
  mail: Mail
  /** How often it comes; `null` for a letter, which comes when it is asked for. */
  kind: DigestIssue['kind'] | null
}

export const BASE_URL = 'https://round.example.org'
const TOPICS = ['gui-agents', 'multi-agent', 'diffusion-lm', 'video-generation', 'robotics', 'reasoning', 'code']
const labelOf = (slug: string): string => topicBySlug(slug)?.label ?? slug

/** The best of the sample papers, with their real reasons and counts. */
const sampleDigest = (
  most: number,
  topics: string[],
): Pick<DigestIssue, 'cards' | 'groups' | 'topics' | 'listDays'> => {
  const papers = samplePapers().map((listing) => ({
    ...listing,
    id: listing.paper.id,
    title: listing.paper.title,
    upvotes: listing.observation.upvotes,
    trend: { percentile: Math.min(1, (listing.observation.upvotes ?? 0) / 100), topPercent: 4 },
    relevance: scoreTopics(listing.paper),
  }))
  const chosen = selectPapers(rankPapers(papers, topics), topics, most)
  const byTopic = Map.groupBy(chosen, ({ topic }) => topic)
  const cards = [...byTopic.values()].flat().map(({ paper, topic, matches }): PaperCard => {
    const { comments, upvotes } = paper.observation
    const counts = { upvotes, comments, topPercent: paper.trend.topPercent, observedAt: null, hourKnown: false }
    const entry: DigestEntry = { paperId: paper.id, revision: 1, topic, matches, ...counts }
    return cardOf(paper.paper, { reason: reasonOf(entry), upvotes, comments })
  })
  return {
    cards,
    groups: [...byTopic].map(([topic, own]) => ({ label: labelOf(topic), papers: own.length })),
    topics: topics.map(labelOf),
    listDays: [...new Set(chosen.map(({ paper }) => paper.listDay))].sort(),
  }
}

const digest = (change: Partial<DigestIssue>): DigestIssue => ({
  kind: 'daily',
  localDate: '2026-04-15',
  beyond: [],
  news: [],
  considered: 53,
  note: null,
  sample: false,
  ...sampleDigest(10, TOPICS),
  groups: [],
  ...change,
})

/** Titles as scripts other than Latin have them: right to left, without spaces, with marks, with emoji. */
const SCRIPTS: [title: string, abstract: string, authors: string[]][] = [
  [
    'نماذج اللغة الكبيرة: دراسة (v2) في 3 لغات',
    'ندرس نماذج اللغة على BERT و GPT-4. وتتحسن النتائج بنسبة 12%.',
    ['ليلى حداد', 'Ada Lovelace'],
  ],
  ['מודלים של שפה: Transformers בעברית', 'אנו בוחנים 7 מודלים. התוצאות טובות ב-3 נקודות.', ['דנה לוי']],
  [
    '大規模言語モデルにおける強化学習と推論能力の評価に関する包括的な研究についての報告',
    '本研究では推論を調べる。結果は良好である。三つ目の文。',
    ['山田太郎', '佐藤花子'],
  ],
  ['面向多语言大模型的指令微调：方法与评测', '我们提出一种方法。实验表明其有效。', ['王伟', '李娜']],
  ['Học máy cho tiếng Việt: đánh giá ngữ nghĩa', 'Chúng tôi nghiên cứu. Kết quả tốt.', ['Nguyễn Văn An']],
  ['हिन्दी के लिए भाषा मॉडल', 'हम मॉडल का अध्ययन करते हैं। परिणाम अच्छे हैं।', ['अनिता शर्मा']],
  ['การประเมินแบบจำลองภาษาขนาดใหญ่สำหรับภาษาไทยโดยไม่มีช่องว่างระหว่างคำ', 'เราศึกษาแบบจำลอง', ['สมชาย ใจดี']],
  ['🤗 Transformers 🚀: 👩‍🔬 in the Loop', 'An emoji 🤖 stands here. And 👍🏽 there.', ['Zoë Ångström']],
  ['Z̵̛̤a̴͇͘l̸̙̈g̵̱̔o: Marks on Marks', 'Ma̧rks pi̧led u̧p. Still read.', ['D̂ürer']],
]

const scriptCards = (): PaperCard[] =>
  SCRIPTS.map(([title, abstract, authors], n) =>
    cardOf(
      {
        id: `2604.0300${n}`,
        title,
        abstract,
        authors,
        publishedOn: null,
        categories: [],
        codeUrl: null,
        projectUrl: null,
        discussionUrl: null,
      },
      { reason: `Keyword: “${title.split(' ')[0]}” in the title; 12 upvotes`, upvotes: 12, comments: null },
    ),
  )

const LONG = 'A long sentence of an abstract that takes its time and says what was done in nearly all its words. '
const largeCards = (cards: PaperCard[]): PaperCard[] =>
  cards.map((card) => ({
    ...card,
    title: `${card.title} and ${LONG.repeat(2)}`.slice(0, 250),
    excerpt: LONG.repeat(5).slice(0, 450),
    authors: `Aleksandra Wolfeschlegelsteinhausen, ${'Bartholomew '.repeat(4)}, … Zoe Zed (546)`,
    links: ['PDF', 'Code', 'Project', 'Discussion (100)'].map((label) => ({
      label,
      url: `https://example.org/${'path/'.repeat(20)}${label.slice(0, 4)}`,
    })),
  }))

const week = (): DigestIssue => ({ ...digest({}), ...sampleDigest(15, TOPICS), kind: 'weekly' })

/** Every digest by name. */
export const everyIssue = (): Record<string, DigestIssue> => ({
  'daily-one': digest({ cards: digest({}).cards.slice(0, 1), considered: 26 }),
  daily: digest({}),
  'daily-own-words': STEERED_ISSUE,
  'daily-beyond-only': { ...STEERED_ISSUE, cards: [], note: 'No new papers in your topics.' },
  'daily-after-silence': digest({
    cards: digest({}).cards.slice(0, 3),
    note: 'Nothing fitted your topics on Monday, 13 April, so no mail came that day.',
  }),
  'daily-hard': HARD_ISSUE,
  'daily-scripts': digest({ cards: scriptCards(), topics: ['“نماذج”', 'Multilingual & low-resource NLP'] }),
  'daily-news': digest({
    cards: digest({}).cards.slice(0, 4),
    news: [
      { title: 'A Proof That Was None', url: 'https://arxiv.org/abs/2604.00901', line: 'it was withdrawn' },
      { title: 'Agents That Share', url: 'https://github.com/example/agents', line: 'there is code now' },
      { title: 'A Paper in the Making', url: 'https://arxiv.org/abs/2604.00902', line: 'version 3 is out' },
    ],
  }),
  weekly: week(),
  'weekly-large': { ...week(), cards: largeCards(week().cards), considered: 1204 },
  welcome: digest({ kind: 'welcome', sample: true }),
})

/** Every mail there is: each digest, and each letter. */
export const everyMail = async (baseUrl = BASE_URL): Promise<NamedMail[]> => {
  const templates = await createMailTemplates({ baseUrl, postalAddress: '1 Ledger Lane, London' })
  const view = { frequency: 'daily', topics: TOPICS.map(labelOf) } as const
  return [
    ...(['confirmation', 'links', 'already-subscribed'] as const).map((name) => ({
      name,
      mail: templates.renderLetter(name, view),
      kind: null,
    })),
    ...Object.entries(everyIssue()).map(([name, issue]) => ({
      name,
      mail: templates.renderDigest(issue),
      kind: issue.kind,
    })),
  ]
}

/** Tokens as good to look at as real ones. */
const FILLINGS: Record<string, string> = Object.fromEntries(
  Object.values(TOKEN_GAP).map((gap, n) => [gap, `Ab${n}cD-fGhIjKlMnOpQrStUvWxYz0123456789_x`.padEnd(43, 'k')]),
)

/** A text of a mail with a reader's tokens in its links. */
export const fillGaps = (text: string): string =>
  Object.entries(FILLINGS).reduce((rest, [gap, filling]) => rest.replaceAll(gap, filling), text)

/** A mail as it would go over the wire, to one reader, with links as good as real ones. */
export const messageOf = async ({ name, mail, kind }: NamedMail, signer: Signer | null = null): Promise<Buffer> => {
  const unsubscribe = `${BASE_URL}/unsubscribe/${TOKEN_GAP.unsubscribe}`
  const list = {
    'List-Id': 'Paper Round <digest.round.example.org>',
    'List-Unsubscribe': `<${unsubscribe}>`,
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    'Feedback-ID': `20260415:${kind}:digest:paper-round`,
  }
  const mold = await createMold(
    {
      ...mail,
      from: { name: 'Paper Round', address: 'round@round.example.org' },
      headers: { 'Auto-Submitted': 'auto-generated', ...(kind === null ? {} : list) },
    },
    Object.values(TOKEN_GAP),
    signer,
  )
  const message = await mold.pour({
    to: 'ada@example.net',
    messageId: `${name}.1@round.example.org`,
    date: new Date('2026-04-15T06:00:00Z'),
    fillings: FILLINGS,
  })
  return octetsOf(message)
}
