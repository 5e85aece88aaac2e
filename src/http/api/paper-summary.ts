/** A paper as every list of the API has it. */
import { Type } from 'typebox'
import type { ListCard } from '../../newsletter/archive/card-list.ts'
import { paperPath } from '../archive/card-list.ts'

export const PAPER_FIELDS = {
  id: Type.String({ description: 'An arXiv id without version, or source:id' }),
  title: Type.String(),
  url: Type.Union([Type.String(), Type.Null()], {
    description: 'At arXiv, else the discussion; null where there is neither',
  }),
  page: Type.String({ description: 'Its page here' }),
  listDay: Type.String({ format: 'date', description: 'The day it was listed' }),
  topic: Type.Union([Type.Object({ slug: Type.String(), label: Type.String() }), Type.Null()], {
    description: 'The topic it is shown under',
  }),
  reason: Type.String({ description: 'Why it is here, one sentence' }),
  excerpt: Type.String({ description: 'Of the abstract what the paper does; may be empty' }),
  authors: Type.String({ description: 'In one line: A, B, … Z (12)' }),
  links: Type.Array(Type.Object({ label: Type.String(), url: Type.String() })),
  upvotes: Type.Union([Type.Integer(), Type.Null()]),
}
export const PaperSummary = Type.Object(PAPER_FIELDS, { title: 'Paper' })

export const paperOf = (card: ListCard, baseUrl: string) => ({
  id: card.id,
  title: card.title,
  url: card.url,
  page: baseUrl + paperPath(card.id),
  listDay: card.listDay,
  topic: card.topic,
  reason: card.reason,
  excerpt: card.excerpt,
  authors: card.authors,
  links: card.links,
  upvotes: card.upvotes,
})
