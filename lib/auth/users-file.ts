/**
 * The users file: the users of the remote API, one on each line.
 *
 *     # comment
 *     name password [options]
 *
 * Fields are split at whitespace, options at commas. An invalid line is skipped
 * with a warning, so that one mistake does not lock out all users; a warning has
 * the line number and the reason, and quotes only the name and words among the
 * options, never what may be part of a password. Not supported on purpose: continued lines, quoting and
 * comments after a user, which the format never had.
 */
import { Failure } from '../failure.ts'
import { readStable } from '../files/stable-read.ts'
import { type Grants, parseGrants } from './grants.ts'
import { parsePassword, type Verifier } from './schemes.ts'

export interface User {
  readonly name: string
  readonly password: Verifier
  readonly grants: Grants
}

export interface UserList {
  readonly users: ReadonlyMap<string, User>
  /** For the log: one sentence each, without a secret. */
  readonly warnings: readonly string[]
}

/** A larger file is not a users file; Ganeti's have a few lines. */
const LARGEST_FILE = 1024 * 1024

/** The most warnings, so that a binary file does not fill the log. */
const MOST_WARNINGS = 20

/** Parses the text of a users file; accepts a leading byte order mark and any line ends. */
export function parseUsers(text: string): UserList {
  const users = new Map<string, User>()
  const lines = new Map<string, number>()
  const warnings: string[] = []

  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    // trim() also removes the byte order mark, which JavaScript counts as a space.
    const [, name, password, options = ''] = /^(\S+)(?:\s+(\S+)(?:\s+(.*))?)?$/s.exec(line.trim()) ?? []
    if (name === undefined || name.startsWith('#')) continue

    const warn = (reason: string) => warnings.push(`line ${index + 1}: ${reason}`)
    if (password === undefined) {
      warn('no password after the user name; the line is ignored')
      continue
    }
    const user = JSON.stringify(name.slice(0, 64))
    const earlier = lines.get(name)
    if (earlier !== undefined) warn(`user ${user} stands on line ${earlier} too; the later line counts`)
    lines.set(name, index + 1)
    if (name.includes(':')) warn(`user ${user} can never log in: basic authentication ends names at a colon`)

    // If this line is invalid, the earlier line of the same user must not be used.
    users.delete(name)
    try {
      if (`${name}${password}`.includes('\uFFFD')) throw new Failure('configuration', 'the line is not UTF-8')
      users.set(name, { name, password: parsePassword(password), grants: parseGrants(options, warn) })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      warn(`user ${user} cannot log in: ${error.message}`)
    }
  }
  return { users, warnings: shortened(warnings) }
}

function shortened(warnings: string[]): readonly string[] {
  const more = warnings.length - MOST_WARNINGS
  return more <= 0 ? warnings : [...warnings.slice(0, MOST_WARNINGS), `${more} more lines are at fault`]
}

/**
 * Reads the users file at `path`. A missing file means that there are no users
 * (with a warning): removing it revokes all rights.
 * @throws Failure `configuration` if the file cannot be read; the caller should keep an older list
 */
export async function readUsers(path: string): Promise<UserList> {
  try {
    const { bytes, stats } = await readStable(path, { largest: LARGEST_FILE, regularOnly: true })
    const { users, warnings } = parseUsers(bytes.toString('utf8'))
    return {
      users,
      warnings: [...modeWarnings(Number(stats.mode)), ...warnings].map((text) => `${path}: ${text}`),
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      return {
        users: new Map(),
        warnings: [`no users file at ${path}, so nobody can change anything; ganeti-rapi(8) describes one`],
      }
    }
    throw new Failure('configuration', `cannot read users file ${path}`, { cause })
  }
}

/** Ganeti creates the file with 0640 (tools/ensure_dirs.py), so that being readable by the group gives no warning. */
function modeWarnings(mode: number): string[] {
  const octal = (mode & 0o777).toString(8).padStart(4, '0')
  if (mode & 0o004) return [`its passwords can be read by everyone on this machine (mode ${octal})`]
  if (mode & 0o022) return [`it can be written by others than its owner (mode ${octal})`]
  return []
}
