import t from 'tap'
import { type AuthorizerOptions, createAuthorizer as createRealAuthorizer } from '../../lib/auth/authorize.ts'
import type { Right } from '../../lib/auth/rights.ts'
import type { Verifier } from '../../lib/auth/schemes.ts'
import { parseUsers, type User, type UserList } from '../../lib/auth/users-file.ts'
import { Failure } from '../../lib/failure.ts'
import { needing } from '../support/needing.ts'

/** An authorizer that is told the rights of which a method needs any one. */
function createAuthorizer(options: AuthorizerOptions) {
  const { authorizeNow, authorize } = createRealAuthorizer(options)
  return {
    authorizeNow: (header: string | undefined, access: readonly Right[]) =>
      authorizeNow(header, needing(access)),
    authorize: (header: string | undefined, access: readonly Right[], origin?: string) =>
      authorize(header, needing(access), origin),
  }
}
type Authorizer = ReturnType<typeof createAuthorizer>

const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`

const UNAUTHENTICATED = { kind: 'unauthenticated' }
const MALFORMED = { kind: 'malformed', message: 'Basic authentication requires credentials' }

const LIST = parseUsers(`
writer writer-pw write
reader reader-pw read
plain plain-pw
both both-pw read,write
clear {cleartext}clear:pw write
hashed {HA1}5ad81097ffcd62ee8c02190841fad72f write
jürgen pässwört read
a:b pw write
`)

t.test('who may do what', async (t) => {
  const { authorize } = createAuthorizer({ users: () => LIST, requireAuthentication: false })
  const granted = (user: string, by?: Right) => ({ kind: 'granted', user, ...(by && { by }) })
  const forbidden = (user: string) => ({ kind: 'forbidden', user })
  const cases: readonly [header: string | undefined, access: readonly Right[], verdict: object][] = [
    [undefined, [], { kind: 'granted' }],
    [undefined, ['read'], UNAUTHENTICATED],
    [undefined, ['write'], UNAUTHENTICATED],
    [undefined, ['read', 'write'], UNAUTHENTICATED],
    [basic('writer:writer-pw'), [], granted('writer')],
    [basic('writer:writer-pw'), ['write'], granted('writer', 'write')],
    [basic('writer:writer-pw'), ['read'], forbidden('writer')],
    [basic('writer:writer-pw'), ['read', 'write'], granted('writer', 'write')],
    [basic('reader:reader-pw'), ['read'], granted('reader', 'read')],
    [basic('reader:reader-pw'), ['write'], forbidden('reader')],
    [basic('reader:reader-pw'), ['read', 'write'], granted('reader', 'read')],
    [basic('plain:plain-pw'), [], granted('plain')],
    [basic('plain:plain-pw'), ['read'], forbidden('plain')],
    [basic('plain:plain-pw'), ['read', 'write'], forbidden('plain')],
    [basic('both:both-pw'), ['read'], granted('both', 'read')],
    [basic('both:both-pw'), ['write'], granted('both', 'write')],
    [basic('clear:clear:pw'), ['write'], granted('clear', 'write')],
    [basic('hashed:hashed-pw'), ['write'], granted('hashed', 'write')],
    [basic('jürgen:pässwört'), ['read'], granted('jürgen', 'read')],
    [basic('writer:bad'), [], UNAUTHENTICATED],
    [basic('writer:bad'), ['write'], UNAUTHENTICATED],
    [basic('writer:'), ['write'], UNAUTHENTICATED],
    [basic('writer:reader-pw'), ['write'], UNAUTHENTICATED],
    [basic('plain:bad'), ['write'], UNAUTHENTICATED],
    [basic('hashed:bad'), ['write'], UNAUTHENTICATED],
    [basic('Writer:writer-pw'), ['write'], UNAUTHENTICATED],
    [basic('ghost:x'), [], UNAUTHENTICATED],
    [basic('ghost:writer-pw'), ['write'], UNAUTHENTICATED],
    [basic('__proto__:x'), [], UNAUTHENTICATED],
    [basic(':'), [], UNAUTHENTICATED],
    [basic(':writer-pw'), [], UNAUTHENTICATED],
    [basic('a:b:pw'), ['write'], UNAUTHENTICATED],
  ]
  for (const [header, access, verdict] of cases) {
    const shown = header && Buffer.from(header.slice(6), 'base64').toString()
    t.same(
      await authorize(header, access),
      verdict,
      `${shown ?? 'nobody'} where [${access.join()}] is asked for`,
    )
  }
})

t.test('what counts as credentials, on open resources and others alike', async (t) => {
  const { authorize } = createAuthorizer({ users: () => LIST, requireAuthentication: false })
  const granted = { kind: 'granted', user: 'writer' }
  const right = 'd3JpdGVyOndyaXRlci1wdw=='
  const cases: readonly [header: string, verdict: object][] = [
    [`Basic ${right}`, granted],
    [`basic ${right}`, granted],
    [`BASIC ${right}`, granted],
    [`Basic  ${right}`, granted],
    [`Basic\t${right} `, granted],
    ['Basic', MALFORMED],
    ['basic', MALFORMED],
    ['Basic ', MALFORMED],
    ['', UNAUTHENTICATED],
    [' ', UNAUTHENTICATED],
    ['Bearer abc', UNAUTHENTICATED],
    ['Bearer', UNAUTHENTICATED],
    ['Digest username="writer"', UNAUTHENTICATED],
    [right, UNAUTHENTICATED],
    [`Basic${right}`, UNAUTHENTICATED],
    [`Basic: ${right}`, UNAUTHENTICATED],
    [`Basics ${right}`, UNAUTHENTICATED],
    [`Basic ${right}, Basic ${right}`, UNAUTHENTICATED],
    [`Basic ${right.slice(0, 8)} ${right.slice(8)}`, UNAUTHENTICATED],
    [`Basic ${right.slice(0, -1)}`, UNAUTHENTICATED],
    [`Basic ${right.slice(0, -2)}`, UNAUTHENTICATED],
    [`Basic ${right}====`, UNAUTHENTICATED],
    ['Basic !!!', UNAUTHENTICATED],
    ['Basic ====', UNAUTHENTICATED],
    ['Basic YQ', UNAUTHENTICATED],
    ['Basic YQ==', UNAUTHENTICATED],
    ['Basic d3JpdGVy', UNAUTHENTICATED],
    ['Basic d3JpAHRlcjp4', UNAUTHENTICATED],
    ['Basic d3LpOng=', UNAUTHENTICATED],
    [`Basic ${Buffer.from('jürgen:pässwört', 'latin1').toString('base64')}`, UNAUTHENTICATED],
    [`Basic ${Buffer.from('\uFEFFwriter:writer-pw').toString('base64')}`, UNAUTHENTICATED],
  ]
  for (const [header, verdict] of cases) {
    for (const access of [[], ['write']] as const) {
      const by = verdict === granted && access.length > 0 ? { by: 'write' } : {}
      t.same(
        await authorize(header, access),
        { ...verdict, ...by },
        `${encodeURI(header)} where [${access.join()}] is asked for`,
      )
    }
  }
})

t.test('with --require-authentication, every resource needs a user and an open one any user', async (t) => {
  const { authorize } = createAuthorizer({ users: () => LIST, requireAuthentication: true })
  t.same(await authorize(undefined, []), UNAUTHENTICATED)
  t.same(await authorize(undefined, ['read']), UNAUTHENTICATED)
  t.same(await authorize(basic('plain:plain-pw'), []), { kind: 'granted', user: 'plain' })
  t.same(await authorize(basic('plain:plain-pw'), ['read']), { kind: 'forbidden', user: 'plain' })
  t.same(await authorize(basic('plain:bad'), []), UNAUTHENTICATED)
})

t.test('without users, nobody authenticates and open resources stay open', async (t) => {
  const { authorize } = createAuthorizer({ users: () => parseUsers(''), requireAuthentication: false })
  t.same(await authorize(undefined, []), { kind: 'granted' })
  t.same(await authorize(basic('writer:writer-pw'), []), UNAUTHENTICATED)
})

/** A password of a given cost that counts how often it is compared, and answers when told to. */
function slowPassword(expected: string, cost: number) {
  const compared: string[] = []
  const pending: (() => void)[] = []
  let held = false
  const verifier: Verifier = {
    cost,
    matches(user, password) {
      compared.push(`${user}:${password}`)
      if (!held) return password === expected
      return new Promise((resolve) => pending.push(() => resolve(password === expected)))
    },
  }
  return {
    verifier,
    compared,
    hold() {
      held = true
    },
    release() {
      held = false
      for (const answer of pending.splice(0)) answer()
    },
  }
}

function listOf(passwords: { readonly [name: string]: Verifier }): UserList {
  const users = Object.entries(passwords).map(([name, password]): [string, User] => [
    name,
    { name, password, grants: { kind: 'rights', rights: new Set(['write']) } },
  ])
  return { users: new Map(users), warnings: [] }
}

const authorizer = (list: UserList, now = () => 0): Authorizer['authorize'] =>
  createAuthorizer({ users: () => list, requireAuthentication: false, now }).authorize

const idle = () => new Promise(setImmediate)

t.test('authorizeNow and authorize agree, and authorizeNow needs no password', async (t) => {
  for (const requireAuthentication of [false, true]) {
    const { authorizeNow, authorize } = createAuthorizer({ users: () => LIST, requireAuthentication })
    for (const access of [[], ['read'], ['write', 'read']] as const) {
      const now = authorizeNow(undefined, access)
      t.ok(now)
      t.same(now, await authorize(undefined, access))
      t.equal(authorizeNow(basic('writer:writer-pw'), access), undefined)
      t.equal(authorizeNow('', access), undefined)
    }
  }
})

t.test('every failed attempt costs one comparison with the costliest entry', async (t) => {
  const costly = slowPassword('costly-pw', 2)
  const cheaper = slowPassword('cheaper-pw', 1)
  const cheap = slowPassword('cheap-pw', 0)
  const authorize = authorizer(
    listOf({ cheap: cheap.verifier, cheaper: cheaper.verifier, costly: costly.verifier }),
  )

  t.same(await authorize(basic('ghost:bad'), []), UNAUTHENTICATED)
  t.same(costly.compared, ['ghost:bad'], 'an unknown user')
  t.same(await authorize(basic('cheap:bad'), []), UNAUTHENTICATED)
  t.same(costly.compared, ['ghost:bad', 'cheap:bad'], 'a user whose own entry is cheap')
  t.same(await authorize(basic('costly:bad'), []), UNAUTHENTICATED)
  t.same(costly.compared, ['ghost:bad', 'cheap:bad', 'costly:bad'], 'a user whose own entry it is')
  t.same(cheap.compared, ['cheap:bad'])
  t.same(cheaper.compared, [])
})

t.test("the costliest entry's password opens no other account", async (t) => {
  const costly = slowPassword('costly-pw', 2)
  const authorize = authorizer(listOf({ cheap: slowPassword('x', 0).verifier, costly: costly.verifier }))
  for (const name of ['ghost', 'cheap']) {
    for (const time of ['first', 'second']) {
      t.same(await authorize(basic(`${name}:costly-pw`), []), UNAUTHENTICATED, `${name}, the ${time} time`)
    }
  }
})

t.test('a right password of a cheap entry does not wait for costly ones', async (t) => {
  const costly = slowPassword('costly-pw', 2)
  const authorize = authorizer(listOf({ cheap: slowPassword('x', 0).verifier, costly: costly.verifier }))
  t.same(await authorize(basic('cheap:x'), ['write']), { kind: 'granted', user: 'cheap', by: 'write' })
  t.same(costly.compared, [])
})

t.test('a result is cached for five minutes after its last use', async (t) => {
  for (const [password, kind] of [
    ['right', 'granted'],
    ['wrong', 'unauthenticated'],
  ]) {
    const joe = slowPassword('right', 1)
    let now = 0
    const authorize = authorizer(listOf({ joe: joe.verifier }), () => now)
    const ask = async () => (await authorize(basic(`joe:${password}`), [])).kind
    for (; now < 600_000; now += 60_000) t.equal(await ask(), kind)
    t.equal(joe.compared.length, 1, `${password}: a client that polls costs one comparison`)
    now += 300_000
    t.equal(await ask(), kind)
    t.equal(joe.compared.length, 2, `${password}: and another one after a pause`)
  }
})

t.test('wrong passwords never evict the right one from the cache', async (t) => {
  const joe = slowPassword('right', 1)
  const authorize = authorizer(listOf({ joe: joe.verifier }))
  await authorize(basic('joe:right'), [])
  for (let count = 0; count < 5000; count++) await authorize(basic(`joe:wrong${count}`), [])
  const before = joe.compared.length
  await authorize(basic('joe:right'), [])
  t.equal(joe.compared.length, before)
})

t.test('results are cached by name and password', async (t) => {
  const authorize = authorizer(
    listOf({ joe: slowPassword('pw', 1).verifier, ann: slowPassword('x', 1).verifier }),
  )
  t.equal((await authorize(basic('joe:pw'), [])).kind, 'granted')
  t.equal((await authorize(basic('ann:pw'), [])).kind, 'unauthenticated')
  t.equal((await authorize(basic('joe:x'), [])).kind, 'unauthenticated')
  t.equal((await authorize(basic('ann:x'), [])).kind, 'granted')
})

t.test('reloading the users file drops all cached results', async (t) => {
  const before = slowPassword('old', 1)
  const after = slowPassword('new', 1)
  let list = listOf({ joe: before.verifier })
  const { authorize } = createAuthorizer({ users: () => list, requireAuthentication: false })
  t.equal((await authorize(basic('joe:old'), [])).kind, 'granted')
  t.equal((await authorize(basic('joe:new'), [])).kind, 'unauthenticated')
  list = listOf({ joe: after.verifier })
  t.equal((await authorize(basic('joe:old'), [])).kind, 'unauthenticated')
  t.equal((await authorize(basic('joe:new'), [])).kind, 'granted')
})

t.test('a check that ends after a reload of the users file is not cached', async (t) => {
  const before = slowPassword('old', 1)
  before.hold()
  let list = listOf({ joe: before.verifier })
  const { authorize } = createAuthorizer({ users: () => list, requireAuthentication: false })
  const late = authorize(basic('joe:old'), [])
  list = listOf({ joe: slowPassword('new', 1).verifier })
  t.equal((await authorize(basic('joe:old'), [])).kind, 'unauthenticated')
  before.release()
  await late
  t.equal((await authorize(basic('joe:old'), [])).kind, 'unauthenticated')
})

t.test('concurrent equal attempts share one comparison', async (t) => {
  const joe = slowPassword('pw', 1)
  joe.hold()
  const authorize = authorizer(listOf({ joe: joe.verifier }))
  const attempts = Array.from({ length: 100 }, (_, index) => authorize(basic('joe:pw'), [], `host${index}`))
  await idle()
  t.equal(joe.compared.length, 1)
  joe.release()
  for (const verdict of await Promise.all(attempts)) t.equal(verdict.kind, 'granted')
})

t.test('in a flood of wrong passwords', async (t) => {
  const joe = slowPassword('pw', 1)
  const cheap = slowPassword('cheap', 0)
  const authorize = authorizer(listOf({ joe: joe.verifier, cheap: cheap.verifier }))
  await authorize(basic('joe:pw'), [])
  joe.hold()
  joe.compared.length = 0
  const flood = Array.from({ length: 100 }, (_, index) =>
    authorize(basic(`ghost${index}:x`), [], 'attacker').catch((error: unknown) => error),
  )
  await idle()
  t.equal(joe.compared.length, 2, 'two are checked at once')
  t.equal((await authorize(basic('joe:pw'), [], 'client')).kind, 'granted', 'who is known is not held up')
  t.equal((await authorize(basic('cheap:cheap'), [], 'client')).kind, 'granted', 'nor who needs no time')

  const other = authorize(basic('joe:mistyped'), [], 'client')
  joe.release()
  t.same(await other, UNAUTHENTICATED, 'others get their turn')
  t.equal(joe.compared[3], 'joe:mistyped', 'and get it soon')

  const outcomes = await Promise.all(flood)
  const refused = outcomes.filter((outcome) => outcome instanceof Failure)
  t.equal(refused.length, 100 - 2 - 32 + 1, 'two run, 32 wait, and one of these made room')
  for (const failure of refused) t.equal(failure.code, 'unavailable')
})

t.test('without an origin, waiting checks take turns by user name', async (t) => {
  const joe = slowPassword('pw', 1)
  joe.hold()
  const authorize = authorizer(listOf({ joe: joe.verifier }))
  const attempts = [1, 2, 3, 4, 5].map((number) => authorize(basic(`joe:${number}`), []))
  attempts.push(authorize(basic('ann:1'), []))
  await idle()
  joe.release()
  await Promise.all(attempts)
  t.same(joe.compared, ['joe:1', 'joe:2', 'joe:3', 'ann:1', 'joe:4', 'joe:5'])
})

t.test('a comparison that fails is neither a right nor a wrong password', async (t) => {
  let broken = true
  const verifier: Verifier = {
    cost: 1,
    async matches() {
      if (broken) throw new Failure('unavailable', 'no memory')
      return true
    },
  }
  const authorize = authorizer(listOf({ joe: verifier }))
  await t.rejects(authorize(basic('joe:pw'), []), { code: 'unavailable', message: 'no memory' })
  broken = false
  t.equal((await authorize(basic('joe:pw'), [])).kind, 'granted')
})

t.test('an {ARGON2} entry works from file to verdict', async (t) => {
  const list = parseUsers(
    'joe {ARGON2}$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4 write',
  )
  const { authorize } = createAuthorizer({ users: () => list, requireAuthentication: false })
  t.same(await authorize(basic('joe:password'), ['write']), { kind: 'granted', user: 'joe', by: 'write' })
  t.same(
    await authorize(basic('joe:password'), ['write']),
    { kind: 'granted', user: 'joe', by: 'write' },
    'from memory',
  )
  t.same(await authorize(basic('joe:passwort'), ['write']), UNAUTHENTICATED)
  t.same(await authorize(basic('ghost:password'), ['write']), UNAUTHENTICATED)
})
