/** MJML to HTML, by a program that ends when it is done (see `mjml-program`). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { text } from 'node:stream/consumers'

const PROGRAM = path.join(import.meta.dirname, 'mjml-program.ts')

/** What was compiled, or is being compiled, by the sources as JSON. */
const compiled = new Map<string, Promise<Record<string, string>>>()

/**
 * Compiles sources by name, all at once; what this process compiled before is not compiled again. Rejects with what the
 * compiler says when one of them is at fault.
 */
export const compileMjml = (sources: Readonly<Record<string, string>>): Promise<Record<string, string>> => {
  const input = JSON.stringify(sources)
  const compiling = compiled.get(input) ?? run(input)
  compiled.set(input, compiling)
  return compiling
}

const run = async (input: string): Promise<Record<string, string>> => {
  const child = spawn(process.execPath, [PROGRAM], { stdio: 'pipe' })
  // A program that dies early reads no more input; why it died is on stderr.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (code !== 0) throw new Error(`the mails cannot be compiled: ${errors.trim()}`)
  return JSON.parse(output) as Record<string, string>
}
