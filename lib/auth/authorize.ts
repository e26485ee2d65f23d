/**
 * Decides whether a request is allowed, from its Authorization header, the
 * rights that its resource needs, and the users file.
 *
 * Protection against attacks:
 *
 * - Response times do not reveal whether a user exists (timing attack). A wrong
 *   password takes as long as the slowest entry of the file, for any user name:
 *   an unknown user is checked against that entry, and a wrong password in
 *   cleartext or {HA1} is followed by such a check. (If {ARGON2} entries differ
 *   in cost, the cheaper ones can still be recognized; entries made by one tool
 *   have the same cost.)
 * - Slow password checks cannot block the daemon: they run in another process,
 *   two at once, 32 more wait, and then the answer is the failure `unavailable`.
 *   Two at once limit the memory to twice that of an entry.
 * - A flood of wrong passwords delays other clients little: waiting checks take
 *   turns by origin (see FairSemaphore), equal concurrent checks are made once
 *   (request coalescing), and results are cached for five minutes after their
 *   last use (LRU with TTL). So a client that polls costs one check, with a right
 *   or a wrong password, and does not wait after the first. Right and wrong ones
 *   have separate caches, so that wrong ones cannot evict right ones. There is no
 *   limit per user and no lock after failures: with either, anyone could lock
 *   out a user by sending wrong passwords in their name.
 *
 * The caches have keyed hashes under a random key (but for headers of the last few
 * seconds), and are dropped when the users file is read again. No password is part of any message.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { FairSemaphore } from '../concurrency/fair-semaphore.ts'
import { allSelectors, type Granted, grantedBy, limitsOf, seenBy } from './grants.ts'
import { type Need, toRead } from './permissions.ts'
import type { Verifier } from './schemes.ts'
import type { Scope } from './scope.ts'
import { TtlLruMap } from './ttl-lru-map.ts'
import type { User, UserList } from './users-file.ts'
import type { Verdict } from './verdict.ts'

const AT_ONCE = 2
const MOST_WAITING = 32
const LIFETIME = 5 * 60 * 1000
const RIGHT_ONES = 1024
const WRONG_ONES = 4096
/** For so long after a request its header is recognized without parsing and hashing it (fast path). */
const RECENT = 5000
const RECENT_ONES = 256

export interface AuthorizerOptions {
  /** The current list; after a reload it must be another object, by which a reload is recognized. */
  readonly users: () => UserList
  /** Whether even resources that are open to everyone need a user. */
  readonly requireAuthentication: boolean
  /** Whether reads that need no right in Ganeti 3.0 need no user either; default: true. */
  readonly anonymousReads?: boolean
  /** A monotonic clock, in milliseconds. */
  readonly now?: () => number
}

export interface Authorizer {
  /** Whether even resources that are open to everyone need a user. */
  readonly requireAuthentication: boolean
  /**
   * Decides synchronously about requests without credentials, and with those that were checked a moment ago (fast path).
   * @param header the Authorization header, undefined if none was sent
   * @returns undefined if `authorize` must decide
   */
  authorizeNow(header: string | undefined, need: Need): Verdict | undefined
  /**
   * Decides about any request.
   * @param origin the client's network, by which waiting checks take turns; default: the user name
   * @throws Failure `unavailable` if too many passwords are being checked, or this one cannot be checked now
   */
  authorize(header: string | undefined, need: Need, origin?: string): Promise<Verdict>
  /**
   * Within what somebody may do something, as `Granted` has it; without a look at passwords.
   * @param name a user of whom the password was right; undefined for strangers
   * @returns undefined for what they may not do at all
   */
  within(name: string | undefined, need: Need): Granted['within'] | undefined
}

export function createAuthorizer({
  users,
  requireAuthentication,
  anonymousReads = true,
  now,
}: AuthorizerOptions): Authorizer {
  const queue = new FairSemaphore({
    places: AT_ONCE,
    waiting: MOST_WAITING,
    refusal: 'Too many passwords are being checked; try again in a few seconds',
  })
  let checker = new Checker(users(), queue, now)

  /** Whether strangers may not do it. */
  const isClosed = ({ permissions, access }: Need) =>
    access.length > 0 || requireAuthentication || (!anonymousReads && permissions.length > 0)

  const withoutCredentials = (need: Need) => (isClosed(need) ? UNAUTHENTICATED : GRANTED)

  /** What `grantedBy` gives for a user. */
  const grantedTo = (user: User, need: Need) =>
    grantedBy(user.grants, need, { isClosed: isClosed(need), needsOptions: !anonymousReads })

  const checkerNow = () => {
    const list = users()
    if (checker.list !== list) checker = new Checker(list, queue, now)
    return checker
  }

  const verdictOn = (user: User, need: Need): Verdict => {
    const granted = grantedTo(user, need)
    if (!granted) return { kind: 'forbidden', user: user.name }
    const { by, within } = granted
    return {
      kind: 'granted',
      user: user.name,
      ...(by !== '' && { by }),
      ...(within.length > 0 && { scope: scopeOf(user, within) }),
      ...(allSelectors(user.grants).length > 0 && { isLimited: true }),
    }
  }

  const authorizeNow: Authorizer['authorizeNow'] = (header, need) => {
    if (header === undefined) return withoutCredentials(need)
    const user = checkerNow().recent.get(header)
    return user && verdictOn(user, need)
  }

  const authorize: Authorizer['authorize'] = async (header, need, origin) => {
    if (header === undefined) return withoutCredentials(need)
    const credentials = parseAuthorization(header)
    if (credentials === 'missing') {
      return { kind: 'malformed', message: 'Basic authentication requires credentials' }
    }
    if (credentials === 'unusable') return UNAUTHENTICATED
    const current = checkerNow()
    const user = await current.identify(credentials, origin ?? credentials.name)
    if (!user) return UNAUTHENTICATED
    current.recent.set(header, user)
    return verdictOn(user, need)
  }

  const areReadsClosed = isClosed(toRead('instances.list'))

  const scopeOf = ({ name, grants }: User, within: Granted['within']): Scope => ({
    user: name,
    within,
    selectors: allSelectors(grants),
    limits: limitsOf(grants),
    sees: (kind) => seenBy(grants, kind, !areReadsClosed),
  })

  const within: Authorizer['within'] = (name, need) => {
    if (name === undefined) return isClosed(need) ? undefined : []
    const user = users().users.get(name)
    return user && grantedTo(user, need)?.within
  }

  return { requireAuthentication, authorizeNow, authorize, within }
}

const GRANTED: Verdict = { kind: 'granted' }
const UNAUTHENTICATED: Verdict = { kind: 'unauthenticated' }

interface Credentials {
  readonly name: string
  readonly password: string
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses `Basic base64(name:password)`. Like Ganeti (lib/http/auth.py), it only
 * distinguishes a bare `Basic` from wrong credentials; Ganeti accepts only ASCII, we accept UTF-8.
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

/** Checks passwords against one list of users, and caches results as long as that list is used. */
class Checker {
  readonly #queue: FairSemaphore
  readonly #costliest: Verifier | undefined
  readonly #key = randomBytes(32)
  readonly #right: TtlLruMap<User>
  /** Who sent a header lately. It is a text here for about as long as V8 may keep the request's own one. */
  readonly recent: TtlLruMap<User>
  readonly #wrong: TtlLruMap<true>
  readonly #inFlight = new Map<string, Promise<boolean>>()

  constructor(
    readonly list: UserList,
    queue: FairSemaphore,
    now: () => number = () => performance.now(),
  ) {
    this.#queue = queue
    this.#right = new TtlLruMap({ capacity: RIGHT_ONES, lifetime: LIFETIME, now })
    this.recent = new TtlLruMap({ capacity: RECENT_ONES, lifetime: RECENT, now })
    this.#wrong = new TtlLruMap({ capacity: WRONG_ONES, lifetime: LIFETIME, now })
    for (const { password } of list.users.values()) {
      if (!this.#costliest || password.cost > this.#costliest.cost) this.#costliest = password
    }
  }

  /** Gives the user whose name and password these are. */
  async identify(credentials: Credentials, origin: string): Promise<User | undefined> {
    const key = this.#keyOf(credentials)
    const known = this.#right.get(key)
    if (known || this.#wrong.get(key)) return known
    const costliest = this.#costliest
    if (!costliest) return undefined

    const { name, password } = credentials
    const user = this.list.users.get(name)
    const verifier = user?.password ?? costliest
    if (verifier.cost === 0 && (await verifier.matches(name, password))) {
      if (user) this.#right.set(key, user)
      return user
    }
    if (costliest.cost === 0) return undefined
    const checked = verifier.cost > 0 ? verifier : costliest
    const matches = await this.#matchesCostly(checked, key, credentials, origin)
    if (matches && user?.password === checked) this.#right.set(key, user)
    else this.#wrong.set(key, true)
    return this.#right.get(key)
  }

  #keyOf({ name, password }: Credentials): string {
    // Names have no colon, so this is unambiguous.
    return createHmac('sha256', this.#key).update(`${name}:${password}`).digest('base64')
  }

  /**
   * Within one list, a pair of name and password is always checked against the
   * same costly entry, so the pair alone is the key of what is being checked.
   */
  #matchesCostly(
    verifier: Verifier,
    key: string,
    { name, password }: Credentials,
    origin: string,
  ): Promise<boolean> {
    const inFlight = this.#inFlight.get(key)
    if (inFlight) return inFlight
    const outcome = this.#queue
      .run(origin, async () => verifier.matches(name, password))
      .finally(() => this.#inFlight.delete(key))
    this.#inFlight.set(key, outcome)
    return outcome
  }
}
