/** The pages that a reader has besides their settings, all under the same link: one line each on the settings page. */

interface OwnPage {
  /** What stands after `/preferences/:token/`. */
  path: string
  /** What the page is called. */
  label: string
  /** What a reader finds there, in a sentence. */
  hint: string
}

/** In the order in which they stand. */
const OWN_PAGES: readonly OwnPage[] = [
  {
    path: 'likes',
    label: 'What you seem to like',
    hint: 'What your digests learned from “More like this” and “Less like this”.',
  },
  {
    path: 'compare',
    label: 'Your last 30 days',
    hint: 'What your settings would have brought, and what a change would have done.',
  },
  {
    path: 'why',
    label: 'Why not this one?',
    hint: 'Ask about any paper: why it came to you, or why it didn’t.',
  },
  { path: 'groups', label: 'Groups', hint: 'Papers that your lab or friends get together, once a week.' },
  { path: 'saved', label: 'Reading list', hint: 'The papers you saved, with a feed and exports.' },
  {
    path: 'library',
    label: 'Start from your library',
    hint: 'Topics, keywords and authors by what you have in your reference manager.',
  },
]

/** The lines of the settings page that a preferences token leads to. */
export const ownPages = (token: string): { href: string; label: string; hint: string }[] =>
  OWN_PAGES.map(({ path, label, hint }) => ({ href: `/preferences/${token}/${path}`, label, hint }))
