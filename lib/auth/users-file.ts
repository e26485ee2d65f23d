/**
 * The users file: who may use the remote API, one user a line.
 *
 *     # comment
 *     name password [options]
 *
 * Fields are split at whitespace, options at commas. What cannot be used is
 * left out with a warning, so that one slip does not lock everybody out; a
 * warning names line and reason and quotes nothing of the line but the name,
 * since anything else may be a piece of a password. Left out on purpose:
 * continued lines, quoting and comments behind a user, which the format never had.
 */
import { Failure } from '../failure.ts'
import { readStable } from '../stable-read.ts'
import { RIGHTS, type Right } from './rights.ts'
import { parsePassword, type Verifier } from './schemes.ts'

export interface User {
  readonly name: string
  readonly password: Verifier
  readonly rights: ReadonlySet<Right>
}

export interface UserList {
  readonly users: ReadonlyMap<string, User>
  /** For the log: one sentence each, without a secret. */
  readonly warnings: readonly string[]
}

/** A larger file is no users file; Ganeti's have a few lines. */
const LARGEST_FILE = 1024 * 1024

/** A binary file taken for a users file must not fill the log. */
const MOST_WARNINGS = 20

/** Reads the text of a users file; a leading byte order mark and line ends of any kind are fine. */
export function parseUsers(text: string): UserList {
  const users = new Map<string, User>()
  const lines = new Map<string, number>()
  const warnings: string[] = []

  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    // Trimming takes the byte order mark along, which JavaScript counts as a space.
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

    // Should this line turn out to be useless, the user must not fall back to the earlier one.
    users.delete(name)
    try {
      if (`${name}${password}`.includes('\uFFFD')) throw new Failure('configuration', 'the line is not UTF-8')
      users.set(name, { name, password: parsePassword(password), rights: readOptions(options, warn) })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      warn(`user ${user} cannot log in: ${error.message}`)
    }
  }
  return { users, warnings: shortened(warnings) }
}

/**
 * The rights that the options field gives. Options that are not known give
 * nothing; one that takes something away (`-cluster.info`, as Ganeti 3.2 will
 * have it) takes everything, as it is not known how much less was meant.
 */
function readOptions(field: string, warn: (reason: string) => void): ReadonlySet<Right> {
  const rights = new Set<Right>()
  let withdrawn = false
  for (const [index, untrimmed] of field.split(',').entries()) {
    const option = untrimmed.trim()
    const right = RIGHTS.find((known) => known === option)
    if (right) rights.add(right)
    else if (option.startsWith('-')) {
      withdrawn = true
      warn(`option ${index + 1} takes away something that is not known here; the user gets no rights`)
    } else if (/\s/.test(option)) {
      warn(`option ${index + 1} contains a space and is ignored (a comment needs a line of its own)`)
    } else if (option !== '') {
      warn(`option ${index + 1} is neither ${RIGHTS.join(' nor ')} and is ignored`)
    }
  }
  return withdrawn ? new Set() : rights
}

function shortened(warnings: string[]): readonly string[] {
  const more = warnings.length - MOST_WARNINGS
  return more <= 0 ? warnings : [...warnings.slice(0, MOST_WARNINGS), `${more} more lines are at fault`]
}

/**
 * Reads the users file at `path`. A missing file means that nobody has rights
 * (with a warning), since that is how an operator takes them all away.
 * @throws Failure `configuration` where the file cannot be read; whoever has an older list keeps it
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
      return { users: new Map(), warnings: [`no users file at ${path}: nobody has rights`] }
    }
    throw new Failure('configuration', `cannot read users file ${path}`, { cause })
  }
}

/** Ganeti itself gives the file 0640 (tools/ensure_dirs.py), so reading by the group is not held against it. */
function modeWarnings(mode: number): string[] {
  const octal = (mode & 0o777).toString(8).padStart(4, '0')
  if (mode & 0o004) return [`its passwords can be read by everyone on this machine (mode ${octal})`]
  if (mode & 0o022) return [`it can be written by others than its owner (mode ${octal})`]
  return []
}
