import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { createAuthorizer } from '../../lib/auth/authorize.ts'
import { parseUsers, readUsers, type UserList } from '../../lib/auth/users-file.ts'
import { reloadable } from '../../lib/daemon/reloadable.ts'
import { MemoryLog } from '../support/memory-log.ts'
import { needing } from '../support/needing.ts'
import { rewrite } from '../support/rewriting.ts'

/** Who is in a list, as `name:right,right`, or with the number of permissions. */
function summary({ users }: UserList): string[] {
  return [...users.values()].map(({ name, grants }) => {
    const granted = grants.kind === 'rights' ? [...grants.rights].join() : `${grants.words.size} permissions`
    return `${name}:${granted}`
  })
}

t.test('parseUsers takes names, passwords and rights as Ganeti does', async (t) => {
  const cases: readonly [claim: string, text: string, users: readonly string[]][] = [
    ['an empty file', '', []],
    ['comments and blank lines', '# one\n\n  # two\n \t \n#joe pw write\n', []],
    [
      'the example of the manual page',
      'rclient   secret    write\nguest     testpw\n',
      ['rclient:write', 'guest:'],
    ],
    ['no line end at the end', 'joe pw read', ['joe:read']],
    ['several rights', 'joe pw write,read\n', ['joe:write,read']],
    ['spaces around a comma', 'joe pw write, read\n', ['joe:write,read']],
    ['needless commas', 'joe pw ,write,,\n', ['joe:write']],
    ['a right said twice', 'joe pw read,read\n', ['joe:read']],
    ['tabs and spaces around', '\t joe\t \tpw\twrite \t\n', ['joe:write']],
    ['lines that end as on Windows', 'joe pw write\r\njim pw\r\n', ['joe:write', 'jim:']],
    ['lines that end as on an old Mac', 'joe pw write\rjim pw read\r', ['joe:write', 'jim:read']],
    ['a byte order mark', '\uFEFFjoe pw write\n', ['joe:write']],
    ['a byte order mark before a comment', '\uFEFF# users\njoe pw write\n', ['joe:write']],
    ['names of objects', '__proto__ pw write\nconstructor pw\n', ['__proto__:write', 'constructor:']],
    ['names outside ASCII', 'jürgen pä$$ write\n', ['jürgen:write']],
    ['a hash sign within a field', 'joe #pw write\n', ['joe:write']],
    ['a scheme', 'joe {cleartext}{pw write\n', ['joe:write']],
  ]
  for (const [claim, text, users] of cases) {
    const list = parseUsers(text)
    t.same(summary(list), users, claim)
    t.same(list.warnings, [], `${claim}: no warnings`)
  }
})

t.test('parseUsers keeps the password', async (t) => {
  const list = parseUsers('\uFEFFjürgen pä$$ write\r\njoe {HA1}00000000000000000000000000000000\r\n')
  t.equal(await list.users.get('jürgen')?.password.matches('jürgen', 'pä$$'), true)
  t.equal(await list.users.get('joe')?.password.matches('joe', ''), false)
})

t.test('what is wrong with a line is a warning with its number and nothing of its password', async (t) => {
  const cases: readonly [text: string, users: readonly string[], warnings: readonly RegExp[]][] = [
    [
      '# users\ns3cret\njoe pw\n',
      ['joe:'],
      [/^line 2: no password after the user name; the line is ignored$/],
    ],
    ['joe {md5}s3cret write\n', [], [/^line 1: user "joe" cannot log in: .*unknown scheme/]],
    ['joe s3cret Write\n', ['joe:'], [/^line 1: option 1 is not known and is ignored \(meant: write\?\)$/]],
    ['joe pw read,s3cret,write\n', ['joe:read,write'], [/^line 1: option 2 is not known and is ignored$/]],
    [
      'joe pw s3cret write\n',
      ['joe:'],
      [/^line 1: option 1 contains a space .*comment needs a line of its own/],
    ],
    ['joe pw write # s3cret\n', ['joe:'], [/^line 1: option 1 contains a space/]],
    ['joe pw @admn\n', ['joe:0 permissions'], [/^line 1: option "@admn" is not known .*@admin/]],
    ['joe pw write,-s3cret\n', ['joe:0 permissions'], [/^line 1: option 2 is not known .*may do nothing/]],
    ['joe pw -s3cret,write\n', ['joe:0 permissions'], [/^line 1: option 1 is not known .*may do nothing/]],
    ['joe pw read\u2028\n', ['joe:read'], []],
    ['joe s3cret\u2028\uFFFD\n', ['joe:0 permissions'], [/^line 1: option 1 is not known/]],
    ['joe s3cret\uFFFD\n', [], [/^line 1: user "joe" cannot log in: the line is not UTF-8$/]],
    ['j\0e\u001b s3cret oops\n', ['j\0e\u001b:'], [/^line 1: option 1/]],
    ['a:b s3cret write\n', ['a:b:write'], [/^line 1: user "a:b" can never log in: .*colon$/]],
    [
      'joe s3cret write\n\njoe pw\n',
      ['joe:'],
      [/^line 3: user "joe" stands on line 1 too; the later line counts$/],
    ],
    [
      'joe s3cret write\nann pw\njoe {md5}s3cret write\n',
      ['ann:'],
      [/^line 3: user "joe" stands on line 1 too/, /^line 3: user "joe" cannot log in: .*unknown scheme/],
    ],
    ['joe s3cret write\njoe\n', ['joe:write'], [/^line 2: no password/]],
  ]
  for (const [text, users, warnings] of cases) {
    const list = parseUsers(text)
    const claim = encodeURI(text)
    t.same(summary(list), users, claim)
    t.equal(list.warnings.length, warnings.length, `${claim}: ${warnings.length} warnings`)
    for (const [index, warning] of warnings.entries()) t.match(list.warnings[index], warning, claim)
    t.notMatch(list.warnings.join('\n'), /s3cret/, `${claim}: no secret`)
  }
})

t.test('of repeated lines for a name, the last one counts', async (t) => {
  const list = parseUsers('joe old write\njoe new read\n')
  t.same(summary(list), ['joe:read'])
  t.equal(await list.users.get('joe')?.password.matches('joe', 'old'), false)
  t.equal(await list.users.get('joe')?.password.matches('joe', 'new'), true)
})

t.test('a file that is not a users file gives a limited number of short warnings', async (t) => {
  const { warnings } = parseUsers('word\n'.repeat(1000) + `${'x'.repeat(100000)} {md5}pw\n`.repeat(2))
  t.equal(warnings.length, 21)
  t.equal(warnings[20], '983 more lines are at fault')
  t.ok(parseUsers(`${'x'.repeat(100000)} {md5}pw\n`).warnings.join().length < 300)
})

t.test('readUsers reads a file', async (t) => {
  const path = join(t.testdir({ users: 'joe secret write\njoe2\n' }), 'users')
  chmodSync(path, 0o640)
  const list = await readUsers(path)
  t.same(summary(list), ['joe:write'])
  t.same(list.warnings, [`${path}: line 2: no password after the user name; the line is ignored`])
})

t.test('readUsers takes bytes that are not UTF-8 for one bad line', async (t) => {
  const path = join(t.testdir({}), 'users')
  writeFileSync(path, Buffer.from('joe s\xe9cret write\nann pw read\n', 'latin1'), { mode: 0o600 })
  const list = await readUsers(path)
  t.same(summary(list), ['ann:read'])
  t.match(list.warnings, [/line 1: user "joe" cannot log in: the line is not UTF-8$/])
})

t.test('a missing users file means no users, and a warning', async (t) => {
  const path = join(t.testdir({}), 'users')
  const list = await readUsers(path)
  t.equal(list.users.size, 0)
  t.same(list.warnings, [
    `no users file at ${path}, so nobody can change anything; ganeti-rapi(8) describes one`,
  ])
})

t.test('a users file that cannot be read is a failure, so that an older list stays', async (t) => {
  const dir = t.testdir({ file: '' })
  const path = (name: string) => join(dir, name)
  mkdirSync(path('folder'))
  symlinkSync('loop', path('loop'))
  writeFileSync(path('large'), 'x'.repeat(1024 * 1024 + 1))
  execFileSync('mkfifo', [path('pipe')])
  const cases: readonly [name: string, cause: RegExp][] = [
    ['folder', /not a regular file/],
    ['pipe', /not a regular file/],
    ['large', /larger than 1024 KiB/],
    ['loop', /ELOOP/],
    ['file/users', /ENOTDIR/],
  ]
  for (const [name, cause] of cases) {
    const failure = {
      name: 'Failure',
      code: 'configuration',
      message: `cannot read users file ${path(name)}`,
    }
    const error = await t.rejects(readUsers(path(name)), failure, name)
    t.match((error as unknown as Error | undefined)?.cause, { message: cause }, `${name}: why`)
  }
})

t.test('a users file written in place ten times a second is always usable', async (t) => {
  const path = join(t.testdir({ users: 'joe secret write\n' }), 'users')
  const log = new MemoryLog()
  const users = await reloadable({
    name: 'the users file',
    load: () => readUsers(path),
    watch: [path],
    log,
  })
  t.teardown(() => users.close())
  const { authorize } = createAuthorizer({ users: () => users.current, requireAuthentication: true })
  const writer = rewrite(path, (time) => `# ${time}\njoe secret write\n`, {
    empty: 30,
    whole: 70,
    longest: 2000,
  })
  let loads = 0
  users.onChange(() => {
    loads++
    writer.wasRead()
  })
  const refusals: unknown[] = []
  for (let asked = 0; loads < 10; asked++) {
    // At times told to read it, besides noticing by itself.
    if (asked % 5 === 0) void users.reload()
    const verdict = await authorize('Basic am9lOnNlY3JldA==', needing(['write']), '192.0.2.1')
    if (verdict.kind !== 'granted') refusals.push(verdict)
    // A pause, so that he asks in every state of the file.
    await delay(5)
  }
  await writer.stop()
  t.strictSame(refusals, [])
  t.strictSame(log.lines, [])
})

t.test('users are removed when their file stays empty', async (t) => {
  const path = join(t.testdir({ users: 'joe secret write\n' }), 'users')
  truncateSync(path)
  t.equal((await readUsers(path)).users.size, 0)
})

t.test('the largest allowed users file is read', async (t) => {
  const path = join(t.testdir({}), 'users')
  writeFileSync(path, `joe pw write\n#${'x'.repeat(1024 * 1024 - 14)}`, { mode: 0o600 })
  t.same(summary(await readUsers(path)), ['joe:write'])
})

t.test('a users file open to everyone is warned of, and one as Ganeti makes it is not', async (t) => {
  const path = join(t.testdir({ users: '' }), 'users')
  const cases: readonly [mode: number, warning: RegExp | undefined][] = [
    [0o600, undefined],
    [0o640, undefined],
    [0o440, undefined],
    [0o644, /can be read by everyone on this machine \(mode 0644\)$/],
    [0o604, /can be read by everyone/],
    [0o660, /can be written by others than its owner \(mode 0660\)$/],
    [0o602, /can be written by others/],
  ]
  for (const [mode, warning] of cases) {
    chmodSync(path, mode)
    const { warnings } = await readUsers(path)
    t.match(warnings, warning ? [warning] : [], mode.toString(8))
    t.equal(warnings.length, warning ? 1 : 0, mode.toString(8))
  }
})
