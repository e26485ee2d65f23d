/**
 * How the processor's time grows that is taken for what others send: twice as
 * long an input may take twice as long, and no more. Ratios are compared,
 * never seconds, and the best of several times, so that a busy machine fails
 * nothing.
 */
import t, { type Test } from 'tap'
import { createAuthorizer } from '../lib/auth/authorize.ts'
import { parseUsers } from '../lib/auth/users-file.ts'
import { repeated } from '../lib/backend/config-file/operations/instance/repeated.ts'
import { parseCpuMask } from '../lib/backend/config-file/operations/shared/cpu-mask.ts'
import { readAnswer, refusal } from '../lib/backend/luxi/answer.ts'
import { MessageReader } from '../lib/backend/luxi/framing.ts'
import { escapeForLog } from '../lib/daemon/log.ts'
import { readJsonBody } from '../lib/http/body.ts'
import { encode } from '../lib/http/encode.ts'
import { asRequestLine, readAgain, requestLineOf } from '../lib/http/rejected-request.ts'
import { acceptsGzip, Representation } from '../lib/http/representation.ts'
import { createRouter } from '../lib/http/router.ts'
import { errorResponse } from '../lib/http/status.ts'
import { parseJson, stringifyJson } from '../lib/json/json.ts'
import { ipv4Network, ipv6Network } from '../lib/model/check.ts'
import { compareNicely } from '../lib/model/nice-sort.ts'
import { parsePythonInteger, QueryString } from '../lib/resources/query-string.ts'
import { resources } from '../lib/resources/table.ts'
import { needing } from './support/needing.ts'

const KIB = 1024
/** Less is not measured well. */
const MEASURABLE_MS = 1
const DOUBLINGS = 5
/** Linear functions stay near 2, those that sort below 2.3; quadratic ones come to 4. */
const MOST_PER_DOUBLING = 3.2

type Work = (text: string) => unknown

/** What an input consists of: a beginning, a part that is repeated, and an end. */
const shapes: readonly (readonly [begin: string, part: string, end: string])[] = [
  ...[
    ' ',
    '\t',
    '\r',
    '\n',
    '0',
    '1',
    'a',
    'ä',
    '\u{202e}',
    '%',
    '%41',
    '%e4',
    '+',
    '-',
    '_',
    '.',
    '/',
    '\\',
  ].flatMap((part) => [['', part, ''] as const, ['', part, '!'] as const, ['x', part, 'x'] as const]),
  ...[
    '1_',
    'a1',
    '00a',
    '&a=',
    '&a=b',
    '=',
    ':',
    ': ',
    ',',
    ' ,',
    'W/',
    'gzip;',
    ';q=0',
    '"',
    "'",
    '<',
    '*,',
  ].map((part) => ['', part, ''] as const),
  ['[1111111111111111111,"', '\\"', ''],
  ['[1111111111111111111,"', '\\\\', ''],
  ['[1111111111111111111,"', '\\\\', '"]'],
  ['["[1111111111111111111]"', ',1111111111111111111', ']'],
  ['["[1111111111111111111]"', ',1', ''],
  ['["[1111111111111111111]",', '1', ']'],
  ['["[1111111111111111111]",', '"', ']'],
  ['["', '[1111111111111111111],', '"]'],
  ['["', '\\u0041', '"]'],
  ['["', '\\n', ''],
  ['[', '1', ']'],
  ['[1', '1', ' x'],
  ['[1', ' ', '1]'],
  ['[1111111111111111111', ' ', 'x'],
  ['[', '0,', '0]'],
  ['[', '"",', '0]'],
  ['[', '[],', '0]'],
  ['', '[', ''],
  ['', '{"":', ''],
  ['[', '{"a":[0]},', '0]'],
  ['[', ',', ']'],
  ['Failed to parse request: Cannot convert value ', "', error:", ''],
  ['Filter rule with UUID ', 'a', ' does not exist '],
  ['Basic ', 'A', '='],
  ['Basic', ' ', 'x'],
  ['GET ', 'a', ' HTTP/1'],
  ['1.1.1.1/', '0', '1'],
  ['', '0-9999,', '0'],
  ['', '0-9999:', '0'],
  ['', '::', ''],
  ['', '1.', '1'],
]

function made([begin, part, end]: (typeof shapes)[number], length: number): string {
  return begin + part.repeat(Math.ceil(length / part.length)) + end
}

async function bestTime(work: Work, text: string, times: number): Promise<number> {
  let best = Infinity
  for (let time = 0; time < times; time++) {
    const begun = process.cpuUsage()
    try {
      await work(text)
    } catch {
      // To refuse it is an answer, too.
    }
    const { user, system } = process.cpuUsage(begun)
    best = Math.min(best, (user + system) / 1000)
  }
  return best
}

/** By how much the time grows where the input doubles; 1 for what is too quick to tell. */
async function growth(
  work: Work,
  shape: (typeof shapes)[number],
  lengths: readonly number[],
): Promise<number> {
  for (const length of lengths) {
    const long = made(shape, length)
    const short = made(shape, length / 2 ** DOUBLINGS)
    if ((await bestTime(work, long, 1)) < MEASURABLE_MS) continue
    const longTime = await bestTime(work, long, 2)
    if (longTime < MEASURABLE_MS) continue
    return (longTime / (await bestTime(work, short, 4))) ** (1 / DOUBLINGS)
  }
  return 1
}

async function isLinear(
  t: Test,
  name: string,
  work: Work,
  inputs = shapes,
  lengths = [64 * KIB, 256 * KIB],
): Promise<void> {
  let steepest = 1
  for (const shape of inputs) {
    let ratio = Infinity
    // What a busy machine did to one measurement it does not do to three.
    for (let attempt = 0; attempt < 3 && ratio > MOST_PER_DOUBLING; attempt++) {
      ratio = Math.min(ratio, await growth(work, shape, lengths))
    }
    if (ratio > MOST_PER_DOUBLING) t.fail(`${name} grows by ${ratio.toFixed(1)}`, { shape })
    steepest = Math.max(steepest, ratio)
  }
  t.pass(`${name}: by ${steepest.toFixed(1)} at most`)
}

t.test('it is noticed where time grows in the square of the input', async (t) => {
  const quadratic = (text: string) => /"(?:[^"\\]|\\.)*"/.exec(text)
  let ratio = 0
  for (let attempt = 0; attempt < 3 && ratio <= MOST_PER_DOUBLING; attempt++) {
    ratio = Math.max(ratio, await growth(quadratic, ['', '"\\', ''], [16 * KIB]))
  }
  t.ok(ratio > MOST_PER_DOUBLING, `by ${ratio.toFixed(1)}`)
})

const NOBODY = new AbortController().signal
const NO_LIMITS = { requestLine: Infinity, headBytes: Infinity }
const { authorize } = createAuthorizer({
  users: () => parseUsers('jane secret write'),
  requireAuthentication: true,
})
const route = createRouter(resources)
const representation = new Representation(
  { body: Buffer.from('{}'), digest: 'digest' },
  { tagged: true, need: needing([]) },
)

const works: Readonly<Record<string, Work>> = {
  'parsing JSON': parseJson,
  'writing JSON': (text) => stringifyJson([text, 1795324427691937001n]),
  'a query string': (text) => {
    const query = new QueryString(text)
    return [query.all('a'), query.flag('a')]
  },
  'a flag': (text) => new QueryString(`a=${text}`).flag('a'),
  'an integer as Python reads it': parsePythonInteger,
  'a request line': (text) => asRequestLine(requestLineOf(Buffer.from(text))),
  'a first line that Node does not parse': (text) => readAgain(Buffer.from(`${text}\r\n\r\n`), NO_LIMITS),
  'a header that Node does not parse': (text) =>
    readAgain(Buffer.from(`get / HTTP/1.0\r\nX:${text}\r\n\r\n`), NO_LIMITS),
  'Accept-Encoding': acceptsGzip,
  'If-None-Match': (text) => representation.respond({ 'if-none-match': text }),
  Authorization: (text) => authorize(text, needing(['write'])),
  'a path': route,
  'a name in a path': (text) => route(`/2/nodes/${text}/role`),
  'an error message': (text) => errorResponse(400, text),
  'a line of the log': escapeForLog,
  'an answer': (text) => encode([text]),
  'an error of the master daemon': (text) => refusal(text),
  'an error of the master daemon with a class': (text) => refusal(['GenericError', [text]]),
  'a message of the master daemon': (text) => new MessageReader().take(Buffer.from(`${text}\x03`)),
  'natural order': (text) => compareNicely(text, `${text}1`),
  'what a list has more than once': (text) => repeated(text.match(/.{1,4}/gs) ?? []),
  'a mask of CPUs': parseCpuMask,
  'a network': (text) => [ipv4Network(text), ipv6Network(text)],
}

for (const [name, work] of Object.entries(works)) {
  t.test(`${name} takes time linear in its length`, (t) => isLinear(t, name, work))
}

const likeJson = shapes.filter(([begin, part]) => /^[[{]/.test(begin + part))

// What is short takes another way, so both lengths are long.
const inSlices: Readonly<Record<string, Work>> = {
  'a body': (text) => readJsonBody(requestWith(text), Infinity),
  'an answer of the master daemon': (text) => readAnswer(Buffer.from(text)),
}

for (const [name, work] of Object.entries(inSlices)) {
  t.test(`${name} takes time linear in its length`, (t) => isLinear(t, name, work, likeJson, [1024 * KIB]))
}

function requestWith(body: string) {
  return {
    method: 'PUT',
    target: '/',
    headers: { 'content-type': 'application/json' },
    network: '192.0.2.1',
    bodyLength: body.length,
    id: 'r1',
    peer: '192.0.2.1:1',
    readBody: async () => Buffer.from(body),
    signal: NOBODY,
    lost: NOBODY,
  }
}
