/** All papers that are shown, batch by batch, for what looks at every one of them. */
import { type Kysely, sql } from 'kysely'
import type { Paper } from '../../core/papers/paper.ts'
import type { Tables } from '../database.ts'
import { paperOf, type Texts } from './papers.ts'

const BATCH = 500

/** In the order of their ids; what is stored or hidden meanwhile may be among them or not. */
export async function* readPaperBatches(db: Kysely<Tables>): AsyncGenerator<{ paper: Paper; listDay: string }[]> {
  let after = ''
  for (;;) {
    const { rows } = await sql<Texts & { list_day: string }>`
      select t.*, p.list_day from papers p join paper_texts t on t.paper_id = p.id and t.revision = p.revision
      where p.hidden_at is null and p.id > ${after} order by p.id limit ${BATCH}`.execute(db)
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.paper_id
    yield rows.map(({ list_day, ...texts }) => ({ paper: paperOf(texts), listDay: list_day }))
  }
}
