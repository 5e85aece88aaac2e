/** Made-up papers in the shape of a Hugging Face day, written so that their topics are plain. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TOPICS } from '../../src/core/topics.ts'

export interface MadeUpPaper {
  id: string
  title: string
  summary: string
  upvotes: number
}

/** One paper a topic and day, in id order the same for the same day: `2604.15007` is topic 7 of the 15th of April 2026. */
export const papersOfDay = (
  day: string,
  topics: readonly string[] = TOPICS.map((topic) => topic.slug),
): MadeUpPaper[] =>
  TOPICS.flatMap((topic, n) => {
    if (!topics.includes(topic.slug)) return []
    const [, year, month, date] = /^20(\d\d)-(\d\d)-(\d\d)$/.exec(day) ?? []
    const id = `${year}${month}.${date}${String(n).padStart(3, '0')}`
    const [first = topic.slug, second = first, third = first] = topic.strong
    return {
      id,
      title: `Advances in ${first}, report ${id}`,
      summary: `This report is about ${second}. It looks at ${third} with ${first} in mind, and measures what came of it.`,
      upvotes: (n * 7 + Number(date) * 3) % 50,
    }
  })

/** The day as `GET /api/daily_papers?date=…` answers. */
export const asHuggingFaceDay = (day: string, papers: MadeUpPaper[]): string =>
  JSON.stringify(
    papers.map(({ id, title, summary, upvotes }) => ({
      paper: {
        id,
        title,
        summary,
        upvotes,
        authors: [{ name: 'Ada Lovelace' }, { name: 'Grace Hopper' }],
        publishedAt: `${day}T00:00:00.000Z`,
        submittedOnDailyAt: `${day}T00:00:00.000Z`,
      },
      title,
      publishedAt: `${day}T00:00:00.000Z`,
      numComments: 1,
    })),
  )

/** Writes days into a folder as the source `file:FOLDER` reads them. */
export const writeDays = async (folder: string, days: string[], topics?: readonly string[]): Promise<void> => {
  await mkdir(folder, { recursive: true })
  for (const day of days) await writeFile(join(folder, `${day}.json`), asHuggingFaceDay(day, papersOfDay(day, topics)))
}
