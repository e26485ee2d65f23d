/**
 * Decides whether a request may go on, from its Authorization header, the
 * rights its resource asks for, and the users file.
 *
 * What this is careful about:
 *
 * - Nobody learns from the time an answer takes whether a user exists. A wrong
 *   password costs what the file's costliest entry costs, whoever it was sent
 *   for: an unknown user is checked against that entry, and a wrong password in
 *   clear text or {HA1} is followed by such a check. (Where {ARGON2} entries
 *   differ in cost among themselves, the cheaper ones can still be told apart;
 *   one tool makes them all alike.)
 * - Passwords that take long to check cannot stop the daemon: they are checked
 *   in another process, two at once, 32 more wait, and then the answer is the
 *   failure `unavailable`. Two bound the memory to twice an entry's.
 * - A flood of wrong passwords delays others little: those that wait take turns
 *   by origin (see FairSemaphore), the same password sent twice at a time is checked
 *   once, and outcomes are remembered for five minutes after they were last
 *   asked for. So a client that polls costs one check, with a right password as
 *   with a wrong one, and once in, it no longer waits behind anybody. Right and
 *   wrong ones are kept apart, so that wrong ones cannot drive out right ones.
 *   There is no limit per user and no lock after failures: either would let
 *   anyone keep a user out by sending wrong passwords in their name.
 *
 * Remembered are keyed hashes under a random key, and only until the users
 * file is read again. No password is part of any message.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { FairSemaphore } from '../fair-semaphore.ts'
import type { Right } from './rights.ts'
import type { Verifier } from './schemes.ts'
import { TtlLruSet } from './ttl-lru-set.ts'
import type { User, UserList } from './users-file.ts'
import type { Verdict } from './verdict.ts'

const AT_ONCE = 2
const MOST_WAITING = 32
const LIFETIME = 5 * 60 * 1000
const RIGHT_ONES = 1024
const WRONG_ONES = 4096

export interface AuthorizerOptions {
  /** The present list; a list read anew must be another object, as that is how it is recognized. */
  readonly users: () => UserList
  /** Whether even resources that are open to everyone need a user. */
  readonly requireAuthentication: boolean
  /** A clock that never goes back, in milliseconds. */
  readonly now?: () => number
}

export interface Authorizer {
  /** Whether even resources that are open to everyone need a user. */
  readonly requireAuthentication: boolean
  /**
   * Decides what takes no time: whether a request goes on that does not say who it is from. It names no user.
   * @param header the Authorization header, undefined where none was sent
   * @param access any one of these rights lets a user in; none at all means open to everyone
   * @returns undefined where `authorize` has to be asked
   */
  authorizeNow(header: string | undefined, access: readonly Right[]): Verdict | undefined
  /**
   * Decides, after `authorizeNow`, whatever that leaves open.
   * @param origin who asks, say by address: those who wait take turns by it; without it, by user name
   * @throws Failure `unavailable` where too many passwords are being checked already, or this one cannot be now
   */
  authorize(header: string | undefined, access: readonly Right[], origin?: string): Promise<Verdict>
}

export function createAuthorizer({ users, requireAuthentication, now }: AuthorizerOptions): Authorizer {
  const queue = new FairSemaphore({
    places: AT_ONCE,
    waiting: MOST_WAITING,
    refusal: 'Too many passwords are being checked; try again in a few seconds',
  })
  let checker = new Checker(users(), queue, now)

  const authorizeNow: Authorizer['authorizeNow'] = (header, access) => {
    if (header !== undefined) return undefined
    return access.length > 0 || requireAuthentication ? UNAUTHENTICATED : GRANTED
  }

  const authorize: Authorizer['authorize'] = async (header, access, origin) => {
    const decided = authorizeNow(header, access)
    if (decided) return decided
    const credentials = parseAuthorization(header as string)
    if (credentials === 'missing') {
      return { kind: 'malformed', message: 'Basic authentication requires credentials' }
    }
    if (credentials === 'unusable') return UNAUTHENTICATED

    const list = users()
    if (checker.list !== list) checker = new Checker(list, queue, now)
    const user = await checker.identify(credentials, origin ?? credentials.name)
    if (!user) return UNAUTHENTICATED
    // `write` implies `read` only where a resource lists both.
    const allowed = access.length === 0 || access.some((right) => user.rights.has(right))
    return { kind: allowed ? 'granted' : 'forbidden', user: user.name }
  }

  return { requireAuthentication, authorizeNow, authorize }
}

const GRANTED: Verdict = { kind: 'granted' }
const UNAUTHENTICATED: Verdict = { kind: 'unauthenticated' }

interface Credentials {
  readonly name: string
  readonly password: string
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads `Basic base64(name:password)`. Ganeti tells only a bare `Basic` from
 * credentials that are wrong (lib/http/auth.py); it takes ASCII alone, we take UTF-8.
 */
function parseAuthorization(header: string): Credentials | 'missing' | 'unusable' {
  const [, scheme, token] = /^([^ \t]*)[ \t]*(.*)$/s.exec(header.trim()) ?? []
  if (scheme?.toLowerCase() !== 'basic') return 'unusable'
  if (!token) return 'missing'
  if (token.length % 4 !== 0 || !/^[A-Za-z\d+/]+={0,2}$/.test(token)) return 'unusable'
  let text: string
  try {
    text = UTF8.decode(Buffer.from(token, 'base64'))
  } catch {
    return 'unusable'
  }
  const colon = text.indexOf(':')
  if (colon < 0) return 'unusable'
  return { name: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** Checks passwords against one list of users, and remembers outcomes as long as that list stands. */
class Checker {
  readonly #queue: FairSemaphore
  readonly #costliest: Verifier | undefined
  readonly #key = randomBytes(32)
  readonly #right: TtlLruSet
  readonly #wrong: TtlLruSet
  readonly #inFlight = new Map<string, Promise<boolean>>()

  constructor(
    readonly list: UserList,
    queue: FairSemaphore,
    now: () => number = () => performance.now(),
  ) {
    this.#queue = queue
    this.#right = new TtlLruSet({ capacity: RIGHT_ONES, lifetime: LIFETIME, now })
    this.#wrong = new TtlLruSet({ capacity: WRONG_ONES, lifetime: LIFETIME, now })
    for (const { password } of list.users.values()) {
      if (!this.#costliest || password.cost > this.#costliest.cost) this.#costliest = password
    }
  }

  /** Gives the user whose name and password these are. */
  async identify(credentials: Credentials, origin: string): Promise<User | undefined> {
    const user = this.list.users.get(credentials.name)
    const costliest = this.#costliest
    const verifier = user?.password ?? costliest
    if (!verifier || !costliest) return undefined

    if (verifier.cost > 0) {
      const matches = await this.#matchesCostly(verifier, credentials, origin)
      return matches ? user : undefined
    }
    if (await verifier.matches(credentials.name, credentials.password)) return user
    if (costliest.cost > 0) await this.#matchesCostly(costliest, credentials, origin)
    return undefined
  }

  /**
   * One list always checks one pair of name and password against the same
   * costly entry, so that the pair alone says which outcome is meant.
   */
  async #matchesCostly(
    verifier: Verifier,
    { name, password }: Credentials,
    origin: string,
  ): Promise<boolean> {
    // Names have no colon, so the pair can be read from this in one way only.
    const pair = createHmac('sha256', this.#key).update(`${name}:${password}`).digest('base64')
    if (this.#right.has(pair)) return true
    if (this.#wrong.has(pair)) return false

    let outcome = this.#inFlight.get(pair)
    if (!outcome) {
      outcome = this.#queue
        .run(origin, async () => verifier.matches(name, password))
        .finally(() => this.#inFlight.delete(pair))
      this.#inFlight.set(pair, outcome)
    }
    const matches = await outcome
    if (matches) this.#right.add(pair)
    else this.#wrong.add(pair)
    return matches
  }
}
