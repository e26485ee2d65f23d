/**
 * What passwords cost, and whether those who guess them are in others' way:
 * each guess at an {ARGON2} password is worth a tenth of a second of a
 * processor, or more.
 */
import { createHash, randomBytes } from 'node:crypto'
import { Agent, get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { run } from '../clients/programs.ts'
import { PROGRAM } from '../support/daemon-root.ts'
import { generateConfig } from '../support/generate-config.ts'
import { byWrk, contest, type Settings } from './contest.ts'
import { LightLoad } from './light-load.ts'
import { basic, startOurs } from './our-daemon.ts'
import { quantile, type Report } from './report.ts'

const INSTANCES = 1000
const GUESSERS = 16
/** Milliseconds with guesses, and as many without, in each round. */
const PHASE = 5000

export async function passwords(report: Report, settings: Settings): Promise<void> {
  report.part('passwords', 'users that prove who they are, and some that cannot')
  const ha1 = createHash('md5').update('ha1:Ganeti Remote API:secret').digest('hex')
  const { stdout: argon2 } = await run([PROGRAM, '--hash-password'], { input: 'secret\n' })
  const users = `clear secret read\nha1 {HA1}${ha1} read\nargon2 ${argon2.trim()} read\n`
  const configData = JSON.stringify(generateConfig({ instances: INSTANCES, nodes: INSTANCES / 20 }))
  const daemon = await startOurs(settings.folder, 'passwords', { configData }, { args: ['--no-ssl'], users })
  const port = Number(new URL(daemon.origin).port)
  try {
    const contenders = ['nobody', 'clear', 'ha1', 'argon2'].map((user) =>
      byWrk(user, {
        url: `${daemon.origin}/2/info`,
        clients: 16,
        headers: user === 'nobody' ? {} : basic(user, 'secret'),
      }),
    )
    const what = '/2/info, as users with a password of each kind'
    const asked = await contest(report, what, contenders, settings)
    report.goal('ha1 / nobody', asked('ha1').median / asked('nobody').median, { atLeast: 1 / 1.2 })

    const [before, during, guesses]: [number[], number[], number[]] = [[], [], []]
    for (let round = 0; round < settings.rounds; round++) {
      before.push(await p99(port, () => delay(PHASE)))
      during.push(await p99(port, async () => guesses.push(await guess(port))))
    }
    report.case(`${GUESSERS} clients guess {ARGON2} passwords; open reads meanwhile`)
    const figure = (what: string, unit: 'ms' | '/s', all: readonly number[]) =>
      report.figure(
        what,
        unit,
        all.map((value) => ({ value })),
      )
    figure('guesses answered', '/s', guesses)
    const undisturbed = figure('p99 before', 'ms', before)
    const flooded = figure('p99 then', 'ms', during)
    report.goal('then / before', flooded.median / undisturbed.median, { below: 3 })
  } finally {
    await daemon.stop()
  }
}

/** Of open reads while something happens, in milliseconds. */
async function p99(port: number, action: () => Promise<unknown>): Promise<number> {
  const load = new LightLoad(port, INSTANCES)
  await action()
  return quantile(await load.stop(), 0.99)
}

/** Sends passwords, no two alike, for a while; gives how many were answered in a second. */
async function guess(port: number): Promise<number> {
  const agent = new Agent({ keepAlive: true })
  const end = performance.now() + PHASE
  let answered = 0
  const guesser = async () => {
    while (performance.now() < end) {
      const headers = basic('argon2', randomBytes(12).toString('hex'))
      await new Promise((resolve, reject) => {
        get({ host: '127.0.0.1', port, path: '/2/info', agent, headers }, (response) => {
          if (response.statusCode === 200) reject(new Error('a wrong password was taken'))
          response.resume().on('end', resolve)
        }).on('error', reject)
      })
      answered++
    }
  }
  await Promise.all(Array.from({ length: GUESSERS }, guesser))
  agent.destroy()
  return answered / (PHASE / 1000)
}
