/**
 * Beside the limits: a bare Node server and nginx send the very bytes that our
 * daemon answers from a large cluster. On the way, what does not follow from
 * the bytes sent: one client or many, and a connection for each request.
 */
import { generateConfig } from '../support/generate-config.ts'
import { byWrk, contest, type Settings } from './contest.ts'
import { bareNode, nginx, type Opponent, tagAt } from './opponents.ts'
import { fetchOnce, READER, startOurs } from './our-daemon.ts'
import type { Report } from './report.ts'

export const INSTANCES = 10_000
const NODES = 500

interface Case {
  readonly name: string
  readonly target: string
  readonly headers?: { readonly [name: string]: string }
  /** A question that is answered anew each time, so that the goal for what is kept is none for it. */
  readonly question?: string
  /** Whether the client has the answer already. */
  readonly known?: boolean
  /** Of nginx's requests per second that ours should come to, over plain HTTP. */
  readonly ofNginx?: number
}

const GZIP = { 'Accept-Encoding': 'gzip' }
const CASES: readonly Case[] = [
  { name: '/version', target: '/version' },
  { name: '/info', target: '/info' },
  { name: '/2/info', target: '/2/info' },
  { name: '/2/instances', target: '/2/instances' },
  { name: '/2/instances, gzip', target: '/2/instances', headers: GZIP },
  { name: '/instances?bulk=1', target: '/instances?bulk=1' },
  { name: '/2/instances?bulk=1', target: '/2/instances?bulk=1', ofNginx: 0.5 },
  { name: '/2/instances?bulk=1, gzip', target: '/2/instances?bulk=1', headers: GZIP },
  { name: '/2/instances?bulk=1, 304', target: '/2/instances?bulk=1', known: true },
  {
    name: '/2/query/instance?fields=name,status',
    target: '/2/query/instance?fields=name,status',
    headers: READER,
  },
  {
    name: '/2/query/instance?fields=name,status with a filter',
    target: '/2/query/instance?fields=name,status',
    headers: { ...READER, 'Content-Type': 'application/json' },
    question: '{"qfilter": ["=", "name", "inst42.example.com"]}',
  },
]

/** How clients come: those that all cases are tried with, and those that one is. */
const WAYS: readonly { readonly clients: number; readonly close: boolean; readonly only?: string }[] = [
  { clients: 16, close: false },
  { clients: 16, close: true },
  { clients: 1, close: false, only: '/2/info' },
  { clients: 256, close: false, only: '/2/info' },
  { clients: 256, close: true, only: '/2/info' },
]

export async function limit(report: Report, settings: Settings): Promise<void> {
  report.part('limit', `beside bare Node and nginx, ${INSTANCES} instances on ${NODES} nodes`)
  const { folder } = settings
  const configData = JSON.stringify(generateConfig({ instances: INSTANCES, nodes: NODES }))
  const plain = await startOurs(folder, 'limit', { configData }, { args: ['--no-ssl'] })
  const tls = await startOurs(folder, 'limit-tls', { configData })
  const bare = await bareNode(folder, tls.root.pem)
  const web = await nginx(folder, tls.root.pem)
  try {
    for (const one of CASES) {
      const { target, headers = {}, question, known = false } = one
      const asked = question === undefined ? {} : { method: 'PUT', body: question }
      const answer = await fetchOnce(plain.origin + target, headers, asked)
      await Promise.all([bare.serve(answer), web.serve(answer)])
      const tags = {
        ours: tagIn(answer.headers),
        [BARE]: '',
        [NGINX]: known ? await tagAt(`${web.plain}/`) : '',
      }
      if (known)
        await bare.serve({
          ...(await fetchOnce(plain.origin + target, knowing(tags.ours))),
          body: Buffer.alloc(0),
        })
      for (const secure of [false, true]) {
        const origins = {
          ours: secure ? tls.origin : plain.origin,
          [BARE]: originOf(bare, secure),
          // It lets nobody put anything.
          ...(question === undefined && { [NGINX]: originOf(web, secure) }),
        }
        for (const { clients, close, only } of WAYS) {
          if (only !== undefined && only !== one.name) continue
          const contenders = Object.entries(origins).map(([name, origin]) => {
            const tag = tags[name as keyof typeof tags]
            const sent = { ...headers, ...(known && tag !== '' && knowing(tag)) }
            return byWrk(name, { url: origin + target, clients, close, headers: sent, ...asked })
          })
          const way = `${secure ? 'TLS' : 'plain'}, ${close ? 'a connection each' : 'kept connections'}, ${clients} clients`
          const figure = await contest(report, `${one.name}, ${way}`, contenders, settings)
          const ratio = (rival: string) => figure('ours').median / figure(rival).median
          report.goal(`ours / ${BARE}`, ratio(BARE), question === undefined ? { atLeast: 0.9 } : undefined)
          if (question !== undefined) continue
          const { ofNginx } = one
          const wanted = ofNginx !== undefined && !secure && !close ? { atLeast: ofNginx } : undefined
          report.goal(`ours / ${NGINX}`, ratio(NGINX), wanted)
        }
      }
    }
  } finally {
    for (const server of [plain, tls, bare, web]) await server.stop()
  }
}

const BARE = 'bare Node'
const NGINX = 'nginx'

const originOf = ({ plain, tls }: Opponent, secure: boolean) => (secure ? tls : plain)
const knowing = (tag: string) => ({ 'If-None-Match': tag })

function tagIn(headers: readonly string[]): string {
  return headers[headers.findIndex((header) => header.toLowerCase() === 'etag') + 1] ?? ''
}
