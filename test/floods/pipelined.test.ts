/** Many requests at once on one connection: each is answered, in order, and has its line in the log. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { converse, readAnswers } from '../fuzz/conversation.ts'
import { DaemonRoot, fixture } from '../support/daemon-root.ts'
import { WatchedDaemon } from '../support/watched-daemon.ts'

const root = new DaemonRoot(t.testdir())
root.fill('', { clusterYaml: readFileSync(fixture('cluster.yaml'), 'utf8') })
const daemon = await WatchedDaemon.start(root, { args: ['--no-ssl'] })
t.teardown(() => daemon.kill())

/** Answers to this name the path. */
const path = (index: number) => `/2/instances/i${index}/reboot`
const request = (target: string) =>
  `GET ${target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: pipelined/1.0\r\n\r\n`

t.test('100 requests in one packet are answered in order', async (t) => {
  const targets = Array.from({ length: 100 }, (_, index) =>
    index % 2 ? path(index) : `/2/nodes?bulk=1&z=${index}`,
  )
  const bytes = Buffer.from(targets.map(request).join(''))
  const { peer, received, end } = await converse(daemon.port, [bytes], (all) => all.includes(path(99)))
  const requests = await daemon.requestsLogged(peer, targets.length)
  const answers = readAnswers(received, requests)
  if (typeof answers === 'string') return t.fail(answers)
  t.equal(end, 'closed')
  t.strictSame(
    answers.map(({ status, body }) => [status, /(?<= path )[^"]*/.exec(body)?.[0]]),
    targets.map((target, index) => (index % 2 ? [501, target] : [200, undefined])),
  )
  t.strictSame(
    requests.map(({ line }) => line),
    targets.map((target) => `GET ${target} HTTP/1.1`),
  )
})

t.test(
  'of 1200 requests in one packet, all are answered, or as many as there may be and then no more',
  async (t) => {
    const targets = Array.from({ length: 1200 }, (_, index) => path(index))
    const bytes = Buffer.from(targets.map(request).join(''))
    const { peer, received, end } = await converse(daemon.port, [bytes], (all) => all.includes(path(1199)))
    const requests = await daemon.requestsLogged(peer, 1)
    const answers = readAnswers(received, requests)
    if (typeof answers === 'string') return t.fail(answers)
    t.comment(`${answers.length} answers, then ${end}`)
    t.not(end, 'reset')
    t.ok(answers.length >= 100)
    const inOrder = answers.filter(
      ({ body }, index) => body.includes(`${path(index)}"`) || body.includes(`${path(index)} `),
    )
    // The last one may say why there are no more.
    t.ok(inOrder.length >= answers.length - 1)
    t.equal(
      (await daemon.requestsLogged(peer, answers.length)).length,
      answers.length,
      'a line in the log for each',
    )
  },
)

t.test('clients that come, ask and go by the hundred have a line in the log each', async (t) => {
  const before = daemon.requestCount
  const count = 500
  let next = 0
  const client = async () => {
    while (next < count) {
      const target = path(next++)
      await converse(daemon.port, [Buffer.from(request(target))], (all) => all.includes(target))
    }
  }
  await Promise.all(Array.from({ length: 20 }, client))
  while (daemon.requestCount < before + count) await new Promise((resolve) => setTimeout(resolve, 5))
  t.equal(daemon.requestCount, before + count)
})
