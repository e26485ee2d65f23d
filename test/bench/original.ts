/**
 * Beside the original, on the master node of the real cluster that
 * test/ganeti/cluster starts, with the daemons that test/ganeti/serve starts:
 * ours over LUXI, and over a copy of the cluster's config.data. Clients of the
 * master daemon itself show what it can do at best.
 */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Backend } from '../../lib/backend/backend.ts'
import { Connection } from '../../lib/backend/luxi/connection.ts'
import { type Json, stringifyJson } from '../../lib/json/json.ts'
import { QueryString } from '../../lib/resources/query-string.ts'
import { resources } from '../../lib/resources/table.ts'
import { ORIGINAL, OURS } from '../ganeti/sides.ts'
import { outcome } from '../support/daemon-root.ts'
import { byWrk, type Contender, contest, type Settings } from './contest.ts'
import { bareNode } from './opponents.ts'
import { READER, residentSize, startOurs } from './our-daemon.ts'
import { quantile, type Report } from './report.ts'
import type { Served } from './wrk.ts'

const LUXI_SOCKET = '/run/ganeti/socket/ganeti-query'
const THEIRS = 'the original'
const FILE = 'ours, file'
const LUXI = 'ours, LUXI'
const MASTER = 'a bare LUXI client'

interface Case {
  readonly target: string
  readonly headers?: { readonly [name: string]: string }
  /** Times the original that ours should come to, from the file and over LUXI, with 16 clients over plain HTTP. */
  readonly file?: number
  readonly luxi?: number
  /** Seconds it takes to tell those that ask the nodes from one that stands still. */
  readonly seconds?: number
}

const CASES: readonly Case[] = [
  { target: '/version' },
  { target: '/2/info', file: 60, luxi: 20 },
  { target: '/2/instances?bulk=1', file: 1000, luxi: 10, seconds: 15 },
  { target: '/2/query/instance?fields=name,status', headers: READER, seconds: 10 },
]

const url = (port: number, secure = false) => `${secure ? 'https' : 'http'}://127.0.0.1:${port}`

export async function original(report: Report, settings: Settings): Promise<void> {
  const { folder, cluster } = settings
  if (cluster === undefined) throw new Error('this part is for the master node of a real cluster')
  report.part('original', 'beside the original, on a real cluster of three nodes')
  const configData = readFileSync(join(cluster, 'config.data'), 'utf8')
  const pids = {
    [THEIRS]: pidIn('/run/original-plain/ganeti-rapi.pid'),
    [LUXI]: pidIn('/run/ours-plain/var/run/ganeti/ganeti-rapi.pid'),
  }
  await memory(report, 'idle', pids)
  const file = await startOurs(folder, 'file', { configData }, { args: ['--no-ssl'] })
  try {
    for (const one of CASES) {
      await beside(report, settings, one, file.origin, 16)
      if (one.target !== '/2/info') continue
      await beside(report, settings, one, file.origin, 1)
      await beside(report, settings, one, file.origin, 256)
    }
    for (const { target, headers = {}, seconds } of CASES) {
      const what = { clients: 16, close: true, headers }
      const figure = await contest(
        report,
        `${target}, TLS, a connection each, 16 clients`,
        [
          byWrk(THEIRS, { ...what, url: url(ORIGINAL.tls, true) + target }, seconds),
          byWrk(LUXI, { ...what, url: url(OURS.tls, true) + target }, seconds),
        ],
        settings,
      )
      report.goal('LUXI / the original', figure(LUXI).median / figure(THEIRS).median)
      report.goal('p99, LUXI / the original', ratioOfP99(figure(LUXI), figure(THEIRS)), { below: 1 })
    }
    await handshakes(report, settings, join(cluster, 'rapi.pem'))
    await memory(report, 'after all that', { ...pids, [FILE]: file.pid })
    await memoryUnderLoad(report, pids)
  } finally {
    await file.stop()
  }
}

async function beside(
  report: Report,
  settings: Settings,
  { target, headers = {}, file, luxi, seconds }: Case,
  fileOrigin: string,
  clients: number,
): Promise<void> {
  const what = { clients, headers }
  const request = await luxiRequest(target)
  const figure = await contest(
    report,
    `${target}, plain, ${clients} clients`,
    [
      byWrk(THEIRS, { ...what, url: url(ORIGINAL.plain) + target }, seconds),
      byWrk(LUXI, { ...what, url: url(OURS.plain) + target }, seconds),
      byWrk(FILE, { ...what, url: fileOrigin + target }),
      // The master daemon drops connections beyond a number.
      ...(request && clients <= 16 ? [luxiClients(request, clients, seconds)] : []),
    ],
    settings,
  )
  const wanted = (number: number | undefined) =>
    number !== undefined && clients === 16 ? { atLeast: number } : undefined
  const ratio = (one: string, other: string) => figure(one).median / figure(other).median
  report.goal('file / the original', ratio(FILE, THEIRS), wanted(file))
  report.goal('LUXI / the original', ratio(LUXI, THEIRS), wanted(luxi))
  for (const ours of [FILE, LUXI]) {
    report.goal(`p99, ${ours} / original`, ratioOfP99(figure(ours), figure(THEIRS)), { below: 1 })
  }
  if (request && clients <= 16) report.goal('LUXI / a bare client', ratio(LUXI, MASTER), { atLeast: 0.9 })
}

function ratioOfP99(ours: { readonly p99?: number }, theirs: { readonly p99?: number }): number {
  return (ours.p99 ?? Number.NaN) / (theirs.p99 ?? Number.NaN)
}

/** What a GET asks the master daemon, as text; undefined for one that does not ask it. */
async function luxiRequest(target: string): Promise<string | undefined> {
  const [path = '', query = ''] = target.split('?')
  let asked: readonly [method: string, args: readonly Json[]] | undefined
  const note =
    (method: string) =>
    async (...args: readonly Json[]) => {
      asked = [method, method === 'QueryInstances' ? [...args, false] : args]
      return []
    }
  const backend: unknown = {
    queryClusterInfo: note('QueryClusterInfo'),
    queryInstances: note('QueryInstances'),
  }
  const handle = resources.find((one) => one.path === path)?.methods.GET?.handle
  const call = {
    params: {},
    query: new QueryString(query),
    body: undefined,
    user: undefined,
    backend: backend as Backend,
    patience: 0,
    signal: new AbortController().signal,
  }
  // Of an answer that is none, not every handler can make something.
  await handle?.(call).catch(() => {})
  return asked && stringifyJson({ method: asked[0], args: asked[1], version: 3000000 })
}

/** Clients of the master daemon, each over a connection of its own. */
function luxiClients(request: string, clients: number, seconds: number | undefined): Contender {
  return {
    name: MASTER,
    ...(seconds !== undefined && { seconds }),
    serve: async (time) => {
      const begun = performance.now()
      const end = begun + time * 1000
      const latencies: number[] = []
      const client = async () => {
        const connection = await Connection.open([LUXI_SOCKET], end)
        while (performance.now() < end) {
          const asked = performance.now()
          await connection.call(request, end + 60_000)
          latencies.push(performance.now() - asked)
        }
        connection.close()
      }
      await Promise.all(Array.from({ length: clients }, client))
      return {
        perSecond: (latencies.length * 1000) / (performance.now() - begun),
        p50: quantile(latencies, 0.5),
        p99: quantile(latencies, 0.99),
      }
    },
  }
}

/** TLS handshakes of a client that does one after the other, beside a bare Node server with the same certificate. */
async function handshakes(report: Report, settings: Settings, pem: string): Promise<void> {
  const bare = await bareNode(settings.folder, pem)
  const body = Buffer.from('2\n')
  await bare.serve({ status: 200, headers: ['Content-Length', String(body.length)], body })
  const ours = { [LUXI]: OURS.tls, [BARE]: Number(new URL(bare.tls).port) }
  const all = { [THEIRS]: ORIGINAL.tls, ...ours }
  // The original waits ten seconds for more of this program's requests, which have no header lines.
  const kinds = [
    { name: 'TLS handshakes', args: ['-new'], ports: all },
    { name: 'TLS handshakes with a request each', args: ['-new', '-www', '/version'], ports: ours },
    { name: 'TLS sessions resumed with a request each', args: ['-reuse', '-www', '/version'], ports: ours },
  ]
  try {
    for (const { name, args, ports } of kinds) {
      const figure = await contest(
        report,
        name,
        Object.entries(ports).map(([name, port]) => ({
          name,
          serve: (seconds) => timed(port, args, seconds),
        })),
        settings,
      )
      const ratio = (rival: string) => figure(LUXI).median / figure(rival).median
      report.goal(`ours / ${BARE}`, ratio(BARE), { atLeast: 0.95 })
      if (THEIRS in ports) report.goal(`ours / ${THEIRS}`, ratio(THEIRS))
    }
  } finally {
    await bare.stop()
  }
}

const BARE = 'bare Node'

/** Connections per second of `openssl s_time`, which itself counts time in whole seconds. */
async function timed(port: number, args: readonly string[], seconds: number): Promise<Served> {
  const begun = performance.now()
  const child = spawn('openssl', [
    's_time',
    '-connect',
    `127.0.0.1:${port}`,
    ...args,
    '-time',
    String(seconds),
  ])
  const { stdout, stderr } = await outcome(child)
  const time = performance.now() - begun
  const [, count] = /^(\d+) connections in \d+ real seconds/m.exec(stdout) ?? []
  if (count === undefined || count === '0') throw new Error(`openssl s_time: ${stderr}${stdout}`)
  return { perSecond: (Number(count) * 1000) / time }
}

export function pidIn(path: string): number {
  return Number(readFileSync(path, 'utf8'))
}

async function memory(
  report: Report,
  when: string,
  pids: { readonly [name: string]: number },
): Promise<void> {
  report.case(`memory, ${when}`)
  for (const [name, pid] of Object.entries(pids)) {
    report.figure(name, 'MiB', [{ value: residentSize(pid) }])
  }
}

/** The most that daemons take with all that they start, while 16 clients ask for /2/info. */
async function memoryUnderLoad(report: Report, pids: { readonly [name: string]: number }): Promise<void> {
  report.case('memory under load, at most, processes it starts included')
  for (const [name, port] of [
    [THEIRS, ORIGINAL.plain],
    [LUXI, OURS.plain],
  ] as const) {
    let most = 0
    const busy = byWrk(name, { url: `${url(port)}/2/info`, clients: 16 }).serve(4)
    let over = false
    busy.finally(() => {
      over = true
    })
    while (!over) {
      most = Math.max(most, sizeOfFamily(pids[name] ?? 0))
      await delay(100)
    }
    await busy
    report.figure(name, 'MiB', [{ value: most }])
  }
}

/**
 * Memory of a process and its children in MiB, what they share counted once, but
 * for processes that have changed their user: Linux shows what those share to
 * nobody else, so all of their memory is counted.
 */
function sizeOfFamily(pid: number): number {
  let sum = 0
  for (const one of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [, parent] = /\) . (\d+)/.exec(readFileSync(`/proc/${one}/stat`, 'utf8')) ?? []
      if (Number(one) !== pid && Number(parent) !== pid) continue
      sum += proportionalSize(Number(one)) ?? residentSize(Number(one))
    } catch {
      // It has just ended.
    }
  }
  return sum
}

function proportionalSize(pid: number): number | undefined {
  try {
    return Number(/^Pss:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1024
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return undefined
    throw error
  }
}
