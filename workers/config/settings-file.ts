/** The file of settings: `.env` in the working directory, or the one that ENV_FILE names. */
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { errorsBetween } from '../../src/core/text/typing-errors.ts'
import { type Environment, SETTING_NAMES, UnusableSettings } from './settings.ts'

export interface SettingsFile {
  values: Environment
  /** Where a setting is written, such as `.env, line 12`; `null`: not in the file. */
  originOf(name: string): string | null
}

const STANDARD_FILE = '.env'
const NOT_READ: SettingsFile = { values: {}, originOf: () => null }
const ASSIGNMENT = /^\s*([A-Za-z_]\w*)\s*=\s*(.*)$/
/** What may follow a closing quote. */
const REST = /^\s*(?:#.*)?$/

/**
 * Reads the file that ENV_FILE names; where that is not set, `.env` if it is there; where that is empty, none. The values
 * are those of Node's own parser, which is silent about what it cannot understand: here every such line is a fault, with its
 * number. Throws `UnusableSettings`.
 */
export const readSettingsFile = (environment: Environment): SettingsFile => {
  const path = environment.ENV_FILE ?? STANDARD_FILE
  if (path === '') return NOT_READ
  const text = readText(path, environment.ENV_FILE !== undefined)
  if (text === null) return NOT_READ
  const { lines, faults } = readLines(text, path)
  if (faults.length > 0) throw new UnusableSettings(faults)
  return {
    values: parseEnv(text),
    originOf: (name) => {
      const line = lines.get(name)
      return line === undefined ? null : `${path}, line ${line}`
    },
  }
}

const readText = (path: string, isNamed: boolean): string | null => {
  try {
    // What Windows writes: a mark at the beginning, and its line ends.
    return readFileSync(path, 'utf8')
      .replace(/^\uFEFF/, '')
      .replaceAll('\r\n', '\n')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && !isNamed) return null
    if (code === 'ENOENT') throw new UnusableSettings([`ENV_FILE: there is no file ${path}; leave it out to use .env`])
    if (code === 'EACCES')
      throw new UnusableSettings([
        `${path}: this user may not read it; run as the user of the service, such as with sudo -u`,
      ])
    throw new UnusableSettings([`${path}: cannot be read (${code}); settings are lines of NAME=value in a text file`])
  }
}

/** The line of each name, from 1, and what is wrong. No value is repeated, for it may be a password. */
const readLines = (text: string, path: string): { lines: Map<string, number>; faults: string[] } => {
  const lines = new Map<string, number>()
  const faults: string[] = []
  const all = text.split('\n')
  for (let at = 0; at < all.length; at++) {
    const line = all[at] ?? ''
    const number = at + 1
    const fault = (clause: string) => faults.push(`${path}, line ${number}: ${clause}`)
    if (/^\s*(?:#|$)/.test(line)) continue
    const [, name, value = ''] = ASSIGNMENT.exec(line) ?? []
    if (name === undefined) {
      fault('is neither NAME=value nor a comment, which begins with #')
      continue
    }
    const before = lines.get(name)
    if (before !== undefined) fault(`${name} is set in line ${before} already; keep one of them`)
    const meant = likelySetting(name)
    if (meant !== null) fault(`${name} is no setting; is ${meant} meant?`)
    lines.set(name, number)
    const quote = /^["'`]/.exec(value)?.[0]
    if (quote === undefined) {
      if (/\S#/.test(value)) fault(`the value of ${name} would end before its #; put it in quotes: ${name}="…"`)
      continue
    }
    const end = findClosingQuote(all, at, value.slice(1), quote)
    if (end === null) {
      fault(`the quote before the value of ${name} is not closed`)
      continue
    }
    if (!REST.test(end.rest)) fault(`something follows the closing quote of ${name}`)
    at = end.at
  }
  return { lines, faults }
}

/** A quoted value may go on over several lines, as a key in PEM does. */
const findClosingQuote = (
  all: readonly string[],
  from: number,
  first: string,
  quote: string,
): { at: number; rest: string } | null => {
  for (let at = from; at < all.length; at++) {
    const line = at === from ? first : (all[at] ?? '')
    const found = line.indexOf(quote)
    if (found >= 0) return { at, rest: line.slice(found + 1) }
  }
  return null
}

const KNOWN: ReadonlySet<string> = new Set(SETTING_NAMES)

/** The setting that a name differs from by a letter or two; `null`: a setting, or a name of some other program's. */
const likelySetting = (name: string): string | null => {
  if (KNOWN.has(name)) return null
  const most = name.length >= 8 ? 2 : 1
  return SETTING_NAMES.find((setting) => errorsBetween(name, setting) <= most) ?? null
}
