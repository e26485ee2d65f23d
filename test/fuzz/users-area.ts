import { parseUsers } from '../../lib/auth/users-file.ts'
import { type Area, showBytes, shrinkBytes } from './area.ts'
import { mutate } from './mutate.ts'
import type { Random } from './random.ts'

const TOKENS = [
  ...[
    '\n',
    '\r',
    '\r\n',
    ' ',
    '\t',
    '\v',
    '\u00a0',
    '\u2028',
    '\ufeff',
    '\0',
    '#',
    ':',
    ',',
    '-',
    '{',
    '}',
    '$',
  ],
  ...[
    '{cleartext}',
    '{HA1}',
    '{ARGON2}',
    '{nosuch}',
    '{{',
    'read',
    'write',
    ',-write',
    '\ufffd',
    '\ud800',
    '__proto__',
  ],
  ...['$argon2id$v=19$m=65536,t=3,p=4$', 'm=99999999999,t=1,p=1', '0'.repeat(32), 'name pw write\n'],
]
const PASSWORDS = [
  'pw',
  '{cleartext}{pw}',
  `{HA1}${'3231b359d67f1faa1700c3b8ff23acc4'}`,
  '{ARGON2}$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$AZaUZ8aDtVlu0ho0OsZw1tn3l8ZbhKoGBEYyQKQY3vQ',
  '{ARGON2}$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA',
]
/**
 * How much longer reading may take for sixteen times as long a text: what is linear takes some sixteen times as
 * long, with the collection of garbage perhaps twice that, and what is quadratic 256 times.
 */
const GROWTH = 64
/** What is read faster than this, in milliseconds, is not worth a measure. */
const NOTHING = 20

/** Users files, read in this process: nothing may make that fail, or take more time than the text is long. */
export async function usersArea(): Promise<Area<Buffer>> {
  return {
    name: 'users files',
    atOnce: 1,
    make: (random) => {
      const file = Buffer.from(
        random.several(random.size(1, 20), () => line(random)).join(random.pick(['\n', '\r\n'])),
      )
      return random.chance(0.2) ? file : mutate(file, random, TOKENS, 64 * 1024)
    },
    attempt: async (file) => {
      const text = file.toString('utf8')
      try {
        const { users, warnings } = parseUsers(text)
        for (const [name, user] of users) {
          if (name !== user.name)
            return `user ${JSON.stringify(user.name)} is listed as ${JSON.stringify(name)}`
        }
        if (warnings.some((warning) => typeof warning !== 'string')) return 'a warning that is no text'
      } catch (error) {
        return `threw ${error}`
      }
      return growthFault(text)
    },
    health: async () => undefined,
    shrink: shrinkBytes,
    show: showBytes,
    finish: async () => undefined,
    close: async () => {},
  }
}

function line(random: Random): string {
  if (random.chance(0.1)) return `# ${random.pick(TOKENS)}`
  const name = random.pick(['reader', 'writer', 'j\u00f6rg', 'a:b', '__proto__', 'constructor', '\u{1f600}'])
  const options = random.several(random.below(4), () => random.pick(['read', 'write', '-read', 'x', ' ', '']))
  const space = random.pick([' ', '\t', '  ', ' \t '])
  return [name, random.pick(PASSWORDS), options.join(random.pick([',', ', ']))].join(space)
}

/** Whether a text that consists of this one, again and again, takes more time than it is long. */
function growthFault(text: string): string | undefined {
  if (text === '' || cost(repeated(text, 128 * 1024)) < NOTHING) return undefined
  for (let time = 0; time < 5; time++) {
    const [shorter, longer] = [cost(repeated(text, 64 * 1024)), cost(repeated(text, 1024 * 1024))]
    if (longer < shorter * GROWTH) return undefined
  }
  return 'reading takes more time than the text is long'
}

function repeated(text: string, length: number): string {
  return text.repeat(Math.ceil(length / text.length)).slice(0, length)
}

/** Milliseconds of processor time, the least of a few tries. */
function cost(text: string): number {
  let least = Number.POSITIVE_INFINITY
  for (let time = 0; time < 2; time++) {
    const before = process.cpuUsage()
    parseUsers(text)
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1000)
    if (least < NOTHING) break
  }
  return least
}
