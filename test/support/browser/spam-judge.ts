/** What SpamAssassin's own rules say of messages, without asking anything on the network. */
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { openTestFolder } from '../fixtures/folder.ts'
import { findProgram } from '../processes/find-program.ts'

const SPAMASSASSIN = findProgram('spamassassin')

/** Why these tests were skipped, for the name of their suite. */
export const NEEDS_SPAMASSASSIN = SPAMASSASSIN === null ? ' (skipped: needs SpamAssassin on the PATH)' : ''

export interface SpamVerdict {
  name: string
  score: number
  /** The rules that it hit. */
  rules: string[]
}

/** Judges all messages in one process, which reads its rules once; the verdicts come in the order of the messages. */
export const judgeSpam = async (messages: { name: string; message: Buffer }[]): Promise<SpamVerdict[]> => {
  if (SPAMASSASSIN === null) throw new Error('there is no spamassassin on the PATH')
  await using folder = await openTestFolder()
  const files = await Promise.all(
    messages.map(async ({ message }, n) => {
      const file = join(folder.path, `${String(n).padStart(3, '0')}.eml`)
      await writeFile(file, message)
      return file
    }),
  )
  // It learns from what it reads and keeps that in the home folder, unless told otherwise.
  const options = ['--local', '--test-mode', '--nocreate-prefs', '--cf=use_bayes 0', '--cf=use_auto_welcomelist 0']
  const child = spawn(SPAMASSASSIN, [...options, ...files], {
    env: { PATH: process.env.PATH, HOME: folder.path, LC_ALL: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const status = /^X-Spam-Status: \w+, score=(-?[\d.]+) required=\S+ tests=([\s\S]*?)\s+autolearn/gm
  const found = [...(await text(child.stdout)).matchAll(status)]
  if (found.length !== messages.length) throw new Error(`${found.length} of ${messages.length} messages were judged`)
  return messages.map(({ name }, n) => ({
    name,
    score: Number(found[n]?.[1]),
    rules: (found[n]?.[2] ?? '').split(/[,\s]+/),
  }))
}
