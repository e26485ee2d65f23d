/**
 * Where one request ends and the next begins, and how a connection ends: bytes
 * as a client may send them, and the statuses of the answers they get. Each is
 * sent in one piece, in two, and byte by byte. Behind each comes a request that nobody
 * asks for by accident: it is answered where the connection stays open.
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { converse, isAnswerToSentinel, readAnswers, sentinel } from '../fuzz/conversation.ts'
import { DaemonRoot, fixture } from '../support/daemon-root.ts'
import { WatchedDaemon } from '../support/watched-daemon.ts'

const root = new DaemonRoot(t.testdir())
root.fill('writer pw write\n', { clusterYaml: readFileSync(fixture('cluster.yaml'), 'utf8') })
const daemon = await WatchedDaemon.start(root, { args: ['--no-ssl'] })
t.teardown(() => daemon.kill())

const HEAD = 'Host: localhost\r\nUser-Agent: framing/1.0\r\n'
const WRITER = `Authorization: Basic ${Buffer.from('writer:pw').toString('base64')}\r\n`
const JSON_TYPE = 'Content-Type: application/json\r\n'
const GET = `GET /version HTTP/1.1\r\n${HEAD}`
const VERSION = `${GET}\r\n`
const PUT = `PUT /2/instances/web.example.com/tags?tag=x&dry-run=1 HTTP/1.1\r\n${HEAD}${WRITER}${JSON_TYPE}`
const CHUNKED = 'Transfer-Encoding: chunked\r\n'

/** What each of the right outcomes looks like: statuses, then whether the connection stays open or is closed. */
type Case = readonly [claim: string, bytes: string, ...outcomes: string[]]

const CASES: readonly Case[] = [
  ['a request', VERSION, '200 open'],
  ['two requests', VERSION + VERSION, '200 200 open'],
  ['empty lines before a request', `\r\n\r\n${VERSION}`, '200 open'],
  [
    'a request for what is not there, and another',
    `GET /nope HTTP/1.1\r\n${HEAD}\r\n${VERSION}`,
    '404 200 open',
  ],

  // The last request of a connection.
  ['a request that closes', `${GET}Connection: close\r\n\r\n`, '200 closed'],
  ['another behind one that closes', `${GET}Connection: close\r\n\r\n${VERSION}`, '200 closed'],
  ['garbage behind one that closes', `${GET}Connection: close\r\n\r\n\0\xff garbage\r\n\r\n`, '200 closed'],
  ['half a request behind one that closes', `${GET}Connection: close\r\n\r\nGET /ver`, '200 closed'],
  ['one that closes and keeps alive', `${GET}Connection: keep-alive, close\r\n\r\n${VERSION}`, '200 closed'],
  ['HTTP/1.0', 'GET /version HTTP/1.0\r\n\r\n', '200 closed'],
  ['another behind HTTP/1.0', `GET /version HTTP/1.0\r\n\r\n${VERSION}`, '200 closed'],
  ['HTTP/0.9', `GET /version\r\n\r\n${VERSION}`, '400 closed', '505 closed'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '505 closed', '400 closed'],
  ['a CONNECT', `CONNECT x:1 HTTP/1.1\r\n${HEAD}\r\n`, '404 closed', '501 closed', '400 closed'],
  [
    'bytes behind a CONNECT',
    `CONNECT x:1 HTTP/1.1\r\n${HEAD}\r\n${VERSION}`,
    '404 closed',
    '501 closed',
    '400 closed',
  ],
  [
    'an unknown method',
    `FROB /version HTTP/1.1\r\n${HEAD}\r\n${VERSION}`,
    '501 closed',
    '501 200 open',
    '400 closed',
  ],
  ['a good request, then garbage', `${VERSION}\0\x01\x02\r\n\r\n`, '200 400 closed'],
  ['a good request, then a header without a colon', `${VERSION}${GET}nonsense\r\n\r\n`, '200 400 closed'],
  [
    'a large answer, then garbage',
    `GET /2/instances?bulk=1 HTTP/1.1\r\n${HEAD}\r\nnonsense\r\n\r\n`,
    '200 400 closed',
  ],
  ['a good one, a broken one, a good one', `${VERSION}${GET}a b: c\r\n\r\n${VERSION}`, '200 400 closed'],

  // Upgrades that are not offered.
  ['an upgrade', `${GET}Connection: upgrade\r\nUpgrade: h2c\r\n\r\n`, '200 open', '200 closed'],
  [
    'a request behind an upgrade',
    `${GET}Connection: upgrade\r\nUpgrade: h2c\r\n\r\n${VERSION}`,
    '200 200 open',
    '200 closed',
  ],
  [
    'an upgrade with a body',
    `${PUT}Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\n{}`,
    '200 open',
    '200 closed',
    '400 open',
  ],

  // Bodies.
  ['a body with a length', `${PUT}Content-Length: 2\r\n\r\n{}${VERSION}`, '200 200 open'],
  ['a body in chunks', `${PUT}${CHUNKED}\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n${VERSION}`, '200 200 open'],
  [
    'chunks with extensions',
    `${PUT}${CHUNKED}\r\n2;a=b;c="d"\r\n{}\r\n0;e\r\n\r\n${VERSION}`,
    '200 200 open',
  ],
  ['a trailer', `${PUT}${CHUNKED}\r\n2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n${VERSION}`, '200 200 open'],
  [
    'a body on GET that is no JSON',
    `${GET}Content-Length: 2\r\n\r\nxx${VERSION}`,
    '415 200 open',
    '415 closed',
  ],
  ['a body on GET that is broken', `${GET}${JSON_TYPE}Content-Length: 2\r\n\r\n{]${VERSION}`, '400 200 open'],
  [
    'a body that nobody reads, in chunks',
    `PATCH /2/os HTTP/1.1\r\n${HEAD}${CHUNKED}\r\n2\r\n{}\r\n0\r\n\r\n${PUT}\r\n`,
    '501 200 open',
    '501 closed',
  ],
  [
    'a body that nobody reads, with a length',
    `PATCH /2/os HTTP/1.1\r\n${HEAD}Content-Length: 2\r\n\r\n{}${PUT}\r\n`,
    '501 200 open',
    '501 closed',
  ],
  [
    'a body of a user who may not',
    `PUT /2/tags?tag=x HTTP/1.1\r\n${HEAD}${JSON_TYPE}Content-Length: 2\r\n\r\n{}${VERSION}`,
    '401 200 open',
    '401 closed',
  ],
  [
    '100-continue, and the body at once',
    `${PUT}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}${VERSION}`,
    '200 200 open',
    '200 closed',
  ],
  [
    '100-continue without a body',
    `${GET}Expect: 100-continue\r\n\r\n${VERSION}`,
    '200 200 open',
    '200 closed',
  ],
  [
    '100-continue for what is not there',
    `PUT /nope HTTP/1.1\r\n${HEAD}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}${PUT}\r\n`,
    '404 200 open',
    '404 closed',
  ],
  [
    '100-continue, nothing to continue, and garbage',
    `${GET}Expect: 100-continue\r\n\r\n\0\r\n\r\n`,
    '200 400 closed',
    '200 closed',
  ],

  // Lengths that are not beyond doubt.
  ['two lengths', `${PUT}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`, '400 closed'],
  ['two different lengths', `${PUT}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, '400 closed'],
  ['a list of lengths', `${PUT}Content-Length: 2, 2\r\n\r\n{}`, '400 closed'],
  ['a length with a sign', `${PUT}Content-Length: +2\r\n\r\n{}`, '400 closed'],
  ['a negative length', `${PUT}Content-Length: -2\r\n\r\n{}`, '400 closed'],
  ['a hexadecimal length', `${PUT}Content-Length: 0x2\r\n\r\n{}`, '400 closed'],
  ['an empty length', `${PUT}Content-Length:\r\n\r\n{}`, '400 closed'],
  [
    'a length beyond all numbers',
    `${PUT}Content-Length: 99999999999999999999999\r\n\r\n{}`,
    '400 closed',
    '413 closed',
  ],
  ['a length and chunks', `${PUT}Content-Length: 2\r\n${CHUNKED}\r\n2\r\n{}\r\n0\r\n\r\n`, '400 closed'],
  ['chunks and a length', `${PUT}${CHUNKED}Content-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, '400 closed'],
  ['chunks twice', `${PUT}${CHUNKED}${CHUNKED}\r\n2\r\n{}\r\n0\r\n\r\n`, '400 closed', '501 closed'],
  [
    'an encoding before chunks',
    `${PUT}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    '400 closed',
    '501 closed',
  ],
  [
    'an encoding behind chunks',
    `${PUT}Transfer-Encoding: chunked, gzip\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    '400 closed',
    '501 closed',
  ],
  ['no encoding at all', `${PUT}Transfer-Encoding: identity\r\n\r\n{}`, '400 closed', '501 closed'],
  [
    'an encoding with a vertical tab',
    `${PUT}Transfer-Encoding: \x0bchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    '400 closed',
    '501 closed',
  ],
  [
    'chunks in HTTP/1.0',
    `PUT /2/tags?tag=x&dry-run=1 HTTP/1.0\r\n${WRITER}${JSON_TYPE}${CHUNKED}\r\n2\r\n{}\r\n0\r\n\r\n`,
    '400 closed',
  ],
  ['a chunk with a negative size', `${PUT}${CHUNKED}\r\n-1\r\n{}\r\n0\r\n\r\n`, '400 closed'],
  [
    'a chunk with a size beyond all numbers',
    `${PUT}${CHUNKED}\r\nffffffffffffffffff\r\n{}\r\n`,
    '400 closed',
    '413 closed',
  ],
  ['a chunk that is longer than it says', `${PUT}${CHUNKED}\r\n1\r\n{}\r\n0\r\n\r\n`, '400 closed'],
  [
    'a chunk size that is followed by a bare line feed',
    `${PUT}${CHUNKED}\r\n2\n{}\r\n0\r\n\r\n`,
    '400 closed',
  ],
  ['a chunk that ends in a bare line feed', `${PUT}${CHUNKED}\r\n2\r\n{}\n0\r\n\r\n`, '400 closed'],
  ['a good request before a broken chunk', `${VERSION}${PUT}${CHUNKED}\r\nxyz\r\n`, '200 400 closed'],

  // Heads that are not beyond doubt.
  ['no host', 'GET /version HTTP/1.1\r\nUser-Agent: x\r\n\r\n', '400 open', '400 closed'],
  ['two hosts', `${GET}Host: other\r\n\r\n`, '400 closed', '400 open'],
  ['the same host twice', `${GET}Host: localhost\r\n\r\n`, '400 closed', '400 open'],
  ['a folded header', `${GET}X: a\r\n b\r\n\r\n`, '400 closed', '200 open', '200 closed'],
  ['a folded first header', `GET /version HTTP/1.1\r\n Host: x\r\n\r\n`, '400 closed'],
  ['a space before the colon', `${GET}X : a\r\n\r\n`, '400 closed'],
  ['a space before the colon of a length', `${PUT}Content-Length : 2\r\n\r\n{}`, '400 closed'],
  ['a header without a name', `${GET}: a\r\n\r\n`, '400 closed'],
  ['a header with a null byte', `${GET}X: a\0b\r\n\r\n`, '400 closed'],
  ['a header with a bare carriage return', `${GET}X: a\rContent-Length: 2\r\n\r\n`, '400 closed'],
  // Some clients end a line of a head so; where it is taken for what is meant, nothing may follow it.
  ['a header that ends in a bare line feed', `${GET}X: a\n\r\n${VERSION}`, '400 closed', '200 closed'],
  [
    'a head of bare line feeds',
    `GET /version HTTP/1.1\nHost: localhost\n\n${VERSION}`,
    '400 closed',
    '200 closed',
  ],
  ['a target with a space', `GET /ver sion HTTP/1.1\r\n${HEAD}\r\n${VERSION}`, '400 closed'],
  [
    'a request line that begins with a space',
    ` GET /version HTTP/1.1\r\n${HEAD}\r\n${VERSION}`,
    '400 closed',
  ],
  ['a method in lower case', `get /version HTTP/1.1\r\n${HEAD}\r\n`, '200 closed', '200 open', '400 closed'],
  ['a target that is too long', `GET /${'x'.repeat(9000)} HTTP/1.1\r\n${HEAD}\r\n`, '414 open', '414 closed'],
  ['a head that is too long', `${GET}X: ${'x'.repeat(20_000)}\r\n\r\n`, '431 closed'],
  [
    'very many headers',
    `${GET}${'a:b\r\n'.repeat(1500)}\r\n`,
    '200 open',
    '200 closed',
    '431 closed',
    '400 closed',
  ],
]

/** Long ones byte by byte would take too long. */
const SHORT = 1000
let conversations = 0

/** @param apart whether the sentinel comes in a piece of its own */
async function outcomeOf(
  pieces: readonly Buffer[],
  apart: boolean,
): Promise<{ outcome: string; logged: string }> {
  const id = `sentinel${++conversations}`
  // What is complete only with what comes behind it is none of these cases.
  const last = sentinel(id)
  const isAll = (received: Buffer) => received.includes(`/2/instances/${id}/reboot`)
  const { peer, received, end } = await converse(
    daemon.port,
    apart ? [...pieces, last] : together(pieces, last),
    isAll,
  )
  const lines = await daemon.requestsLogged(peer, 1)
  const answers = readAnswers(received, lines)
  if (typeof answers === 'string') return { outcome: answers, logged: '' }
  const requests = await daemon.requestsLogged(peer, answers.length)
  daemon.forgetRequests(peer)
  const final = answers.at(-1)
  const open = final !== undefined && isAnswerToSentinel(final, id)
  const statuses = answers.slice(0, open ? -1 : undefined).map(({ status }) => status)
  // Whoever goes on sending behind the last answer may hear that it is not read; all that is promised is the answer.
  const closed = end === 'reset' && statuses.length > 0 && pieces.length > 2 ? 'closed' : end
  const outcome = [...statuses, open ? 'open' : closed].join(' ')
  const told = requests.map(({ status }) => status ?? '-')
  const sent = answers.map(({ status }) => status)
  return {
    outcome,
    logged: String(told) === String(sent) ? '' : `sent ${sent}, logged ${told}`,
  }
}

function together(pieces: readonly Buffer[], last: Buffer): Buffer[] {
  return [...pieces.slice(0, -1), Buffer.concat([pieces.at(-1) ?? Buffer.alloc(0), last])]
}

for (const [claim, text, ...outcomes] of CASES) {
  t.test(`${claim}: ${outcomes.join(', or ')}`, async (t) => {
    const bytes = Buffer.from(text, 'latin1')
    const middle = Math.floor(bytes.length / 2)
    const ways: [way: string, pieces: Buffer[], apart: boolean][] = [
      ['in one piece', [bytes], false],
      ['in one piece, and the next in another', [bytes], true],
      ['in two pieces', [bytes.subarray(0, middle), bytes.subarray(middle)], false],
    ]
    if (bytes.length < SHORT) {
      ways.push(['byte by byte', Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)), true])
    }
    for (const [way, pieces, apart] of ways) {
      const { outcome, logged } = await outcomeOf(pieces, apart)
      t.ok(outcomes.includes(outcome), `${way}: ${outcome}`)
      t.equal(logged, '', `${way}: a line in the log for each answer`)
    }
  })
}
t.jobs = 8
