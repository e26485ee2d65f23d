import { execFileSync } from 'node:child_process'
import { execPath, platform } from 'node:process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const MODULE = fileURLToPath(new URL('../../lib/daemon/pool-priority.cjs', import.meta.url))

/** What a program prints that says, for each thread of its own, whether it is the main one, and its nice value. */
const TELL = `
  const { readdirSync, readFileSync } = require('node:fs')
  const { pbkdf2 } = require('node:crypto')
  const tell = () => readdirSync('/proc/self/task').map((thread) => {
    const [, fields] = readFileSync('/proc/self/task/' + thread + '/stat', 'utf8').split(') ')
    return [thread === String(process.pid), Number(fields.split(' ')[16])]
  })
  pbkdf2('a', 'b', 1000, 32, 'sha256', () => console.log(JSON.stringify(tell())))`

function threads(program: string): readonly (readonly [isMain: boolean, nice: number])[] {
  // Without what the test runner adds to every Node, which needs the pool.
  return JSON.parse(execFileSync('env', ['-i', execPath, '-e', program], { encoding: 'utf8' }))
}

t.test(
  'the four threads of the pool step back, and no other does',
  { skip: platform !== 'linux' },
  async (t) => {
    const usual = threads(TELL)
    const lowered = threads(`require(${JSON.stringify(MODULE)})(); ${TELL}`)
    const [nice = 0] = usual.filter(([isMain]) => isMain).map(([, nice]) => nice)
    t.strictSame(
      lowered.filter(([, value]) => value !== nice),
      Array.from({ length: 4 }, () => [false, 10]),
    )
    t.equal(lowered.length, usual.length)
  },
)
