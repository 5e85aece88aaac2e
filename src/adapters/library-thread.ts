/**
 * Reads libraries in a thread of their own: the site serves others meanwhile, whatever the file is, and nothing of it is left once
 * the thread has ended.
 */
import { Worker } from 'node:worker_threads'
import type { HeldPaper, LibrarySuggestions } from '../core/library/library-suggestions.ts'
import { topics } from '../core/topics.ts'
import type { ThreadAnswer, ThreadTask } from './library-worker.ts'

/** Why a library was given up; the message is a sentence for its owner, and holds nothing of the file. */
export class UnreadLibrary extends Error {
  override name = 'UnreadLibrary'
}

/** Milliseconds: ten thousand entries take some three seconds, on a machine that has nothing else to do. */
const TIME_LIMIT = 60_000
/** Of the thread, without the octets of the file. */
const MEMORY_MEGABYTES = 512

const TOO_MUCH = 'This library is more than we can read at once. Send a part of it, such as the newest 1,000 entries.'

/**
 * Suggests by the octets of a library, which are given away and gone afterwards. `lend` gives those of some papers that are held here.
 * Throws `UnreadLibrary` where it takes too long or too much memory. `modelPath`: a relevance model of the operator's, or `null`.
 */
export const createLibraryReader =
  (modelPath: string | null, timeLimit: number = TIME_LIMIT) =>
  (octets: Uint8Array, lend: (ids: string[]) => Promise<HeldPaper[]>): Promise<LibrarySuggestions> =>
    new Promise((resolve, reject) => {
      // What was received may be a part of a larger buffer, which is not ours to give away.
      const own = Uint8Array.from(octets)
      const task: ThreadTask = { octets: own, modelPath, groups: topics().groups }
      const thread = new Worker(new URL('./library-worker.ts', import.meta.url), {
        workerData: task,
        transferList: [own.buffer],
        resourceLimits: { maxOldGenerationSizeMb: MEMORY_MEGABYTES },
        execArgv: [],
        env: {},
        name: 'library',
      })
      const settle = (act: () => void): void => {
        clearTimeout(timer)
        // Nobody waits for it, and it has nothing left to do.
        thread.terminate().catch(() => undefined)
        act()
      }
      // An error of the thread may quote the file, so none is handed on.
      const giveUp = (): void => settle(() => reject(new UnreadLibrary(TOO_MUCH)))
      const timer = setTimeout(giveUp, timeLimit)
      thread.on('error', giveUp)
      thread.on('message', (answer: ThreadAnswer) => {
        if ('suggestions' in answer) settle(() => resolve(answer.suggestions))
        else
          lend(answer.wanted).then(
            (held) => thread.postMessage(held),
            (error: Error) => settle(() => reject(error)),
          )
      })
    })
