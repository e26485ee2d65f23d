/**
 * The password schemes of the users file. A password field is either cleartext
 * or starts with the name of a scheme in braces:
 *
 *     secret                                  cleartext
 *     {cleartext}secret                       the same, for passwords that start with a brace
 *     {HA1}0123456789abcdef0123456789abcdef   MD5 of `user:Ganeti Remote API:password`, in hex
 *     {ARGON2}$argon2id$v=19$m=...,t=...,p=...$salt$hash
 *
 * The first three are Ganeti's (lib/http/auth.py), the last one is ours. Scheme
 * names are case-insensitive. A new scheme is one more entry in `SCHEMES`.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { Failure } from '../failure.ts'
import { verifyArgon2 } from './argon2.ts'

/** The realm of Ganeti's basic authentication; part of every {HA1} value, so it can never change. */
export const REALM = 'Ganeti Remote API'

/** A listed password, ready to be compared; it does not expose the password, so that it cannot be logged. */
export interface Verifier {
  /**
   * The cost of a comparison: 0 if it is immediate, otherwise the memory that it
   * fills over all passes, in KiB. It is the same for right and wrong passwords.
   */
  readonly cost: number
  /**
   * Whether `password` is the listed one.
   * @throws Failure `unavailable` if it cannot be computed now, e.g. for lack of memory
   */
  matches(user: string, password: string): boolean | Promise<boolean>
}

/**
 * Limits of what a users file can make the daemon compute for each wrong
 * password. All usual recommendations (RFC 9106's second, OWASP's, libsodium's
 * up to `moderate`) are within; a typing error that asks for 64 GiB is not.
 */
export const ARGON2_LIMITS = { memory: 256 * 1024, passes: 16, lanes: 16 } as const

/** Parses what follows the braces; throws a Failure that does not quote it. */
type Scheme = (value: string) => Verifier

const SCHEMES: ReadonlyMap<string, Scheme> = new Map(Object.entries({ cleartext, ha1, argon2 }))

/**
 * Parses the password field of a line of the users file.
 * @throws Failure `configuration` that says what is wrong with it, without quoting it
 */
export function parsePassword(field: string): Verifier {
  if (!field.startsWith('{')) return cleartext(field)
  const end = field.indexOf('}')
  const scheme = SCHEMES.get(field.slice(1, Math.max(end, 1)).toLowerCase())
  if (!scheme) {
    const known = '{cleartext}, {HA1} and {ARGON2}'
    throw new Failure('configuration', `the password has an unknown scheme (known ones are ${known})`)
  }
  return scheme(field.slice(end + 1))
}

function cleartext(value: string): Verifier {
  if (value === '') throw new Failure('configuration', 'the password is empty')
  const expected = digest(value)
  return { cost: 0, matches: (_user, password) => timingSafeEqual(digest(password), expected) }
}

/** Compares hashes: they have the same length, so that the comparison can take constant time. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function ha1(value: string): Verifier {
  if (!/^[\da-f]{32}$/i.test(value)) {
    throw new Failure('configuration', 'the {HA1} value is not 32 hexadecimal digits')
  }
  const expected = Buffer.from(value, 'hex')
  return {
    cost: 0,
    matches: (user, password) =>
      timingSafeEqual(createHash('md5').update(`${user}:${REALM}:${password}`).digest(), expected),
  }
}

/** A PHC string: algorithm, version (absent before 1.3), parameters in any order, salt and hash in base64. */
const PHC =
  /^\$(?<type>argon2[a-z]*)(?:\$v=(?<version>\d{1,3}))?\$(?<params>[a-z]+=\d{1,10}(?:,[a-z]+=\d{1,10})*)\$(?<salt>[A-Za-z\d+/]+)\$(?<hash>[A-Za-z\d+/]+)$/

function argon2(value: string): Verifier {
  const { type, version, params = '', salt = '', hash = '' } = PHC.exec(value)?.groups ?? {}
  if (type === undefined) {
    throw new Failure(
      'configuration',
      'the {ARGON2} value is not of the form $argon2id$v=19$m=...,t=...,p=...$salt$hash',
    )
  }
  if (type !== 'argon2id' && type !== 'argon2i') {
    throw new Failure('configuration', 'of the argon2 family, only argon2id and argon2i are accepted')
  }
  if (version !== undefined && version !== '19' && version !== '16') {
    throw new Failure('configuration', 'the {ARGON2} value has an unknown version (known ones are 19 and 16)')
  }
  const given = new Map(params.split(',').map((param) => param.split('=') as [string, string]))
  const number = (name: string) => Number(given.get(name))
  const [memory, passes, lanes] = [number('m'), number('t'), number('p')]
  if (params.split(',').length !== 3 || Number.isNaN(memory + passes + lanes)) {
    throw new Failure('configuration', 'the {ARGON2} value needs exactly the parameters m, t and p')
  }
  within('p (threads)', lanes, 1, ARGON2_LIMITS.lanes)
  within('t (passes)', passes, 1, ARGON2_LIMITS.passes)
  within('m (memory in KiB)', memory, 8 * lanes, ARGON2_LIMITS.memory)
  within('salt length in bytes', base64Bytes(salt), 8, 64)
  // Shorter hashes exist, but collisions would be too likely.
  within('hash length in bytes', base64Bytes(hash), 16, 64)
  return { cost: memory * passes, matches: (_user, password) => verifyArgon2(value, password) }
}

function within(what: string, value: number, least: number, most: number): void {
  if (value < least || value > most) {
    throw new Failure('configuration', `the {ARGON2} value's ${what} is ${value}, not ${least} to ${most}`)
  }
}

/** How many bytes unpadded base64 encodes; 0 if it ends within a byte. */
function base64Bytes(text: string): number {
  return text.length % 4 === 1 ? 0 : Math.floor((text.length * 3) / 4)
}
