/** How Postgres would run what the service asks of it: the statements of some work, each with its plan. */
import { Client } from 'pg'

export interface Explained {
  statement: string
  /** Tables, or their indexes, that are read from one end to the other, such as `letters` or `letters by letters_pkey`. */
  readWhole: string[]
}

interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Index Cond'?: string
  Plans?: Plan[]
}

/** Runs `work` and returns the statements with parameters that it sent over any connection of this process. */
const capture = async (work: () => Promise<unknown>): Promise<{ text: string; values: unknown[] }[]> => {
  const statements = new Map<string, { text: string; values: unknown[] }>()
  const { query } = Client.prototype
  Client.prototype.query = function (this: Client, ...args: unknown[]) {
    const [text, values] = args
    if (typeof text === 'string' && Array.isArray(values) && /^\s*\(*(select|with|update|insert|delete)\b/i.test(text))
      statements.set(text, { text, values })
    return Reflect.apply(query, this, args)
  } as typeof query
  try {
    await work()
  } finally {
    Client.prototype.query = query
  }
  return [...statements.values()]
}

/** The statements of `work`, with what each reads in whole: true of tables that are as large as in life. */
export const explain = async (url: string, work: () => Promise<unknown>): Promise<Explained[]> => {
  const statements = await capture(work)
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ name: string }>(
      'select indexrelid::regclass::text as name from pg_index where indpred is not null',
    )
    const { rows: small } = await client.query<{ name: string }>(
      `select relname as name from pg_class where relkind = 'r' and relpages <= ${SMALL_PAGES}`,
    )
    const known = { partial: new Set(rows.map(({ name }) => name)), small: new Set(small.map(({ name }) => name)) }
    const explained: Explained[] = []
    for (const { text, values } of statements) {
      const answer = await client.query(`explain (format json) ${text}`, values)
      const [{ Plan: plan }] = answer.rows[0]['QUERY PLAN'] as [{ Plan: Plan }]
      explained.push({ statement: text.replace(/\s+/g, ' ').trim(), readWhole: [...new Set(wholeIn(plan, known))] })
    }
    return explained
  } finally {
    await client.end()
  }
}

/** A table of a megabyte is read in whole sooner than looked up in: a month that has only just begun, and an empty one. */
const SMALL_PAGES = 128

/** A partial index may be read in whole: it holds what is looked for and little else. */
const wholeIn = (plan: Plan, known: Record<'partial' | 'small', ReadonlySet<string>>, limited = false): string[] => {
  const { 'Node Type': node, 'Relation Name': table, 'Index Name': index } = plan
  const inside = (plan.Plans ?? []).flatMap((one) => wholeIn(one, known, node === 'Limit'))
  // Of rows in the order of an index the first few are read, and no more.
  if (limited && node.startsWith('Index')) return inside
  if (known.small.has(table ?? '')) return inside
  if (node === 'Seq Scan') return [...inside, table ?? '']
  const byIndex = node === 'Index Scan' || node === 'Index Only Scan' || node === 'Bitmap Index Scan'
  if (byIndex && plan['Index Cond'] === undefined && !known.partial.has(index ?? ''))
    return [...inside, `${table} by ${index}`]
  return inside
}
