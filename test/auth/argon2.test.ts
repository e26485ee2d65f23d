import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, getPriority } from 'node:os'
import t from 'tap'
import { verifyArgon2 } from '../../lib/auth/argon2.ts'

/** For "password": a test vector of the reference implementation (src/test.c). */
const LIGHT = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'
/** Takes a second or so. */
const HEAVY = LIGHT.replace('m=256,t=2', 'm=262144,t=8')

function helper(): number {
  return Number(
    execFileSync('pgrep', ['-P', String(process.pid), '-f', 'argon2-process'], { encoding: 'utf8' }),
  )
}

function processorsOf(pid: number | 'self'): string | undefined {
  return /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
}

t.test('several are checked at a time, in one process', async (t) => {
  const passwords = ['password', 'Password', '', 'password', 'p\u00e4ss \u{1f511}']
  const outcomes = await Promise.all(passwords.map((password) => verifyArgon2(LIGHT, password)))
  t.strictSame(outcomes, [true, false, false, true, false])
  t.ok(helper())
})

t.test('one processor is left for serving requests', async (t) => {
  await verifyArgon2(LIGHT, 'password')
  const pid = helper()
  t.equal(getPriority(pid), Math.min(getPriority() + 10, 19))
  if (availableParallelism() > 1) t.not(processorsOf(pid), processorsOf('self'))
})

t.test('a check that cannot be computed is an error, neither right nor wrong', async (t) => {
  await t.rejects(verifyArgon2(LIGHT.replace('$m=256', '$m=1'), 'password'), {
    code: 'unavailable',
    message: 'The password cannot be checked now',
    cause: Error,
  })
  t.equal(await verifyArgon2(LIGHT, 'password'), true)
})

t.test('when the process ends, its checks fail, and the next check starts another process', async (t) => {
  await verifyArgon2(LIGHT, 'password')
  const pid = helper()
  const lost = t.rejects(verifyArgon2(HEAVY, 'password'), {
    code: 'unavailable',
    cause: { message: 'the process that checks passwords ended (SIGKILL)' },
  })
  process.kill(pid, 'SIGKILL')
  await lost
  t.equal(await verifyArgon2(LIGHT, 'password'), true)
  t.not(helper(), pid)
})
