import t from 'tap'
import { ARGON2_LIMITS, parsePassword } from '../../lib/auth/schemes.ts'

// The argon2 values are test vectors of the reference implementation (src/test.c), for "password" and "somesalt".
const ARGON2ID = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'
const ARGON2I = '$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8'
const ARGON2I_OLD = '$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY'

t.test('each scheme accepts its password and no other', async (t) => {
  const jack = '54c12257ee9be413f2f3182435514aae'
  const cases: readonly [field: string, user: string, right: string, wrong: readonly string[]][] = [
    ['secret', 'jack', 'secret', ['', 'Secret', 'secret ', 'secre', 'secrets', '{cleartext}secret']],
    ['se{cret}', 'jack', 'se{cret}', ['se']],
    ['pässwört', 'jack', 'pässwört', ['passwort', 'pässwort']],
    ['{cleartext}secret', 'jack', 'secret', ['{cleartext}secret', '']],
    ['{ClearText}{HA1}', 'jack', '{HA1}', ['', '{ClearText}{HA1}']],
    [`{HA1}${jack}`, 'jack', 'abc123', ['', 'abc124', jack]],
    [`{ha1}${jack.toUpperCase()}`, 'jack', 'abc123', ['abc124']],
    [`{ARGON2}${ARGON2ID}`, 'jack', 'password', ['', 'Password', ARGON2ID]],
    [`{argon2}${ARGON2I}`, 'jack', 'password', ['passwords']],
    [`{Argon2}${ARGON2I_OLD}`, 'jack', 'password', ['passwords']],
    [`{ARGON2}${ARGON2ID.replace('m=256,t=2,p=1', 'm=256,p=1,t=2')}`, 'jack', 'password', ['x']],
  ]
  for (const [field, user, right, wrong] of cases) {
    const verifier = parsePassword(field)
    t.equal(await verifier.matches(user, right), true, `${field} matches ${right}`)
    for (const password of wrong) {
      t.equal(await verifier.matches(user, password), false, `${field} does not match ${password}`)
    }
  }
})

t.test('an {HA1} value belongs to one user name', async (t) => {
  const verifier = parsePassword('{HA1}54c12257ee9be413f2f3182435514aae')
  t.equal(await verifier.matches('jill', 'abc123'), false)
})

t.test('the cost of a scheme is the memory that a comparison fills', async (t) => {
  t.equal(parsePassword('secret').cost, 0)
  t.equal(parsePassword('{HA1}54c12257ee9be413f2f3182435514aae').cost, 0)
  t.equal(parsePassword(`{ARGON2}${ARGON2ID}`).cost, 512)
})

t.test('a password field that cannot be used is refused without being quoted', async (t) => {
  const argon2 = (params: string) => `{ARGON2}${ARGON2ID.replace('m=256,t=2,p=1', params)}`
  const shape = /is not of the form \$argon2id\$/
  const cases: readonly [field: string, reason: RegExp][] = [
    ['{}secret', /unknown scheme/],
    ['{secret', /unknown scheme/],
    ['{MD5}secret', /unknown scheme/],
    ['{__proto__}secret', /unknown scheme/],
    ['{constructor}secret', /unknown scheme/],
    ['{cleartext}', /is empty/],
    ['{HA1}', /not 32 hexadecimal digits/],
    ['{HA1}54c12257ee9be413f2f3182435514aa', /not 32 hexadecimal digits/],
    ['{HA1}54c12257ee9be413f2f3182435514aaeff', /not 32 hexadecimal digits/],
    ['{HA1}54c12257ee9be413f2f3182435514aag', /not 32 hexadecimal digits/],
    ['{ARGON2}', shape],
    ['{ARGON2}secret', shape],
    [`{ARGON2}${ARGON2ID}$`, shape],
    [`{ARGON2}${ARGON2ID}=`, shape],
    ['{ARGON2}$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ', shape],
    [argon2('m=-1,t=2,p=1'), shape],
    [argon2('m=99999999999,t=2,p=1'), shape],
    [`{ARGON2}${ARGON2ID.replace('argon2id', 'argon2d')}`, /only argon2id and argon2i/],
    [`{ARGON2}${ARGON2ID.replace('v=19', 'v=20')}`, /unknown version/],
    [argon2('m=256,t=2'), /exactly the parameters m, t and p/],
    [argon2('m=256,t=2,p=1,keyid=7'), /exactly the parameters m, t and p/],
    [argon2('m=256,m=256,t=2'), /exactly the parameters m, t and p/],
    [argon2('m=256,t=2,x=1'), /exactly the parameters m, t and p/],
    [argon2('m=67108864,t=2,p=1'), /m \(memory in KiB\) is 67108864, not 8 to 262144/],
    [argon2('m=262145,t=2,p=1'), /m \(memory in KiB\) is 262145/],
    [argon2('m=31,t=2,p=4'), /m \(memory in KiB\) is 31, not 32 to/],
    [argon2('m=256,t=0,p=1'), /t \(passes\) is 0, not 1 to 16/],
    [argon2('m=256,t=17,p=1'), /t \(passes\) is 17/],
    [argon2('m=256,t=2,p=0'), /p \(threads\) is 0, not 1 to 16/],
    [argon2('m=256,t=2,p=17'), /p \(threads\) is 17/],
    [`{ARGON2}${ARGON2ID.replace('c29tZXNhbHQ', 'c29tZXN')}`, /salt length in bytes is 5, not 8 to 64/],
    [`{ARGON2}${ARGON2ID.replace('c29tZXNhbHQ', 'c29tZXNhbHQxy')}`, /salt length in bytes is 0/],
    [`{ARGON2}${ARGON2ID.slice(0, -30)}`, /hash length in bytes is 0, not 16 to 64/],
    [`{ARGON2}${ARGON2ID.slice(0, -25)}`, /hash length in bytes is 13, not 16 to 64/],
  ]
  for (const [field, reason] of cases) {
    t.throws(() => parsePassword(field), { name: 'Failure', code: 'configuration', message: reason }, field)
    try {
      parsePassword(field)
    } catch (error) {
      t.notMatch((error as Error).message, /secret|54c12257|c29tZXN/i, `${field} is not quoted`)
    }
  }
})

t.test('the largest parameters within bounds are accepted', async (t) => {
  const { memory, passes, lanes } = ARGON2_LIMITS
  const field = `{ARGON2}${ARGON2ID.replace('m=256,t=2,p=1', `m=${memory},t=${passes},p=${lanes}`)}`
  t.equal(parsePassword(field).cost, memory * passes)
})
