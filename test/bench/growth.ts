/** What grows with the cluster, and what must not: the cost of an answer, the start, memory. */
import { readFileSync, statSync } from 'node:fs'
import { fixture } from '../support/daemon-root.ts'
import { generateConfig } from '../support/generate-config.ts'
import { byWrk, contest, type Settings } from './contest.ts'
import { fetchOnce, type OurDaemon, READER, residentSize, startOurs } from './our-daemon.ts'
import type { Report } from './report.ts'

const SIZES = [100, 1_000, 10_000, 20_000]
const INSTANCES_ON_A_NODE = 20
const MIB = 2 ** 20

const name = (size: number) => `${size.toLocaleString('en')} instances`

/** What a client asks for; the same bytes, or nearly, of a cluster of any size. */
const CASES = [
  { name: '/2/info', target: '/2/info' },
  { name: 'one instance', target: '/2/instances/inst42.example.com' },
  {
    name: 'a query with a filter for one name',
    target: '/2/query/instance?fields=name,status',
    method: 'PUT',
    body: '{"qfilter": ["=", "name", "inst42.example.com"]}',
    headers: { ...READER, 'Content-Type': 'application/json' },
  },
] as const

export async function growth(report: Report, settings: Settings): Promise<void> {
  report.part('growth', 'clusters of different sizes')
  const { folder, rounds } = settings
  await idle(report, settings)

  const daemons: { readonly size: number; readonly daemon: OurDaemon }[] = []
  try {
    for (const size of SIZES) {
      const configData = JSON.stringify(
        generateConfig({ instances: size, nodes: Math.max(2, size / INSTANCES_ON_A_NODE) }),
      )
      report.case(`${name(size)}: start, until the first answer`)
      const starts: number[] = []
      for (let round = 0; ; round++) {
        const daemon = await startOurs(
          folder,
          `growth-${size}-${round}`,
          { configData },
          { args: ['--no-ssl'] },
        )
        starts.push(daemon.started)
        if (starts.length === rounds) {
          daemons.push({ size, daemon })
          break
        }
        await daemon.stop()
      }
      const start = report.figure(
        'ours',
        'ms',
        starts.map((value) => ({ value })),
      )
      if (size === SIZES.at(-1)) report.goal('milliseconds', start.median, { below: 2000 })
    }

    for (const { size, daemon } of daemons) {
      const file = statSync(daemon.root.configData).size / MIB
      report.case(`${name(size)}: memory`)
      report.figure('config.data', 'MiB', [{ value: file }])
      const loaded = report.figure('loaded', 'MiB', [{ value: residentSize(daemon.pid) }])
      report.goal('loaded / config.data', loaded.median / file, size < 10_000 ? undefined : { below: 8 })
    }

    for (const { name: what, ...asking } of CASES) {
      const contenders = daemons.map(({ size, daemon: { origin } }) =>
        byWrk(name(size), { ...asking, url: origin + asking.target, clients: 16 }),
      )
      const figure = await contest(report, what, contenders, settings)
      const [least = 0, most = 0] = [SIZES[0], SIZES.at(-1)].map((size) => figure(name(size ?? 0)).median)
      report.goal('the largest / the least', most / least, { atLeast: 0.9 })
    }

    for (const { size, daemon } of daemons) {
      for (const headers of [{}, { 'Accept-Encoding': 'gzip' }]) {
        for (let count = 0; count < 5; count++)
          await fetchOnce(`${daemon.origin}/2/instances?bulk=1`, headers)
      }
      report.case(`${name(size)}: memory after all that, and ten bulk answers`)
      report.figure('ours', 'MiB', [{ value: residentSize(daemon.pid) }])
    }
  } finally {
    for (const { daemon } of daemons) await daemon.stop()
  }
}

async function idle(report: Report, { folder }: Settings): Promise<void> {
  const clusterYaml = readFileSync(fixture('cluster.yaml'), 'utf8')
  const daemon = await startOurs(folder, 'idle', { clusterYaml })
  report.case('the sample cluster: memory, idle')
  const figure = report.figure('ours', 'MiB', [{ value: residentSize(daemon.pid) }])
  report.goal('MiB', figure.median, { below: 60 })
  await daemon.stop()
}
