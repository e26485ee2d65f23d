/**
 * One address with any number of connections leaves room for others, through
 * TLS and with default settings; and at the same address, those that ask
 * nothing make room for who asks.
 */
import { readFileSync } from 'node:fs'
import { hash } from 'argon2'
import t, { type Test } from 'tap'
import { DaemonRoot, fixture } from '../support/daemon-root.ts'
import { WatchedDaemon } from '../support/watched-daemon.ts'
import { Attack, type AttackOptions, clientHello } from './attack.ts'
import { askOrdinarily, type OrdinaryRequest } from './ordinary-client.ts'

const ATTACKERS = '127.0.0.2'
const ELSEWHERE = '127.0.0.3'

const HASH = await hash('right', { memoryCost: 16 * 1024, timeCost: 2, parallelism: 1 })
const USERS = `writer pw write\nguarded {ARGON2}${HASH} write\n`
/** Jobs take longer than this test. */
const CLUSTER = readFileSync(fixture('cluster.yaml'), 'utf8').replace(
  'cluster:\n',
  'cluster:\n  job_time: {default: 0, OP_NODE_MIGRATE: 600, OP_TEST_DELAY: 600, OP_INSTANCE_REBOOT: 600}\n',
)
const WRITER = `Authorization: Basic ${Buffer.from('writer:pw').toString('base64')}\r\n`
const HEAD = 'Host: localhost\r\nUser-Agent: attack/1.0\r\n'

const root = new DaemonRoot(t.testdir())
root.fill(USERS, { clusterYaml: CLUSTER })
const daemon = await WatchedDaemon.start(root)
t.teardown(() => daemon.kill())
const ca = readFileSync(root.pem)
const service = { port: daemon.port, ca }

/** Looks that ordinary clients are served while an attack goes on. */
async function servedBeside(t: Test, attack: Attack, ...requests: (OrdinaryRequest & { status?: number })[]) {
  const holding = attack.holds
  for (const { status = 200, ...request } of requests) {
    const answer = await askOrdinarily(service, request)
    const what = `${request.request ?? 'GET /version'} from ${request.from}`
    t.equal(
      answer.status,
      status,
      `${what}, after ${Math.round(answer.took)} ms: ${answer.body.slice(0, 100)}`,
    )
  }
  t.comment(`attackers: ${holding}, then ${attack.holds}`)
  t.equal(daemon.ended, undefined, 'the daemon lives')
}

async function attacked(t: Test, options: Omit<AttackOptions, 'port' | 'from'>): Promise<Attack> {
  const attack = await Attack.begin({ ...options, port: daemon.port, from: ATTACKERS })
  t.teardown(() => attack.end())
  return attack
}

const both = [{ from: ELSEWHERE }, { from: ATTACKERS }, { from: ELSEWHERE }]

for (const connections of [20, 600]) {
  t.test(`${connections} silent connections`, async (t) => {
    await servedBeside(t, await attacked(t, { connections }), ...both)
  })
}

t.test('silent connections that come back whenever they are closed', async (t) => {
  await servedBeside(t, await attacked(t, { connections: 200, comesBack: true }), ...both)
})

t.test('600 heads that come a byte a second', async (t) => {
  const attack = await attacked(t, {
    connections: 600,
    tls: true,
    behaviour: (socket) => socket.write(`GET /version HTTP/1.1\r\n${HEAD}X-Slow: `),
  })
  attack.every(1000, (socket) => socket.write('x'))
  await servedBeside(t, attack, ...both)
})

for (const connections of [120, 600]) {
  t.test(`${connections} TLS handshakes that stop amid their first message`, async (t) => {
    const hello = await clientHello()
    const behaviour = (socket: { write(bytes: Buffer): unknown }) => socket.write(hello.subarray(0, 60))
    await servedBeside(t, await attacked(t, { connections, behaviour }), ...both)
  })

  t.test(`${connections} TLS handshakes that stop after their first message`, async (t) => {
    const hello = await clientHello()
    await servedBeside(
      t,
      await attacked(t, { connections, behaviour: (socket) => socket.write(hello) }),
      ...both,
    )
  })
}

t.test('handshakes that are begun again whenever they are given up', async (t) => {
  const hello = await clientHello()
  const attack = await attacked(t, {
    connections: 200,
    comesBack: true,
    behaviour: (socket) => socket.write(hello),
  })
  await servedBeside(t, attack, ...both)
})

t.test('40 bodies of a user that come a byte a second', async (t) => {
  const attack = await attacked(t, {
    connections: 40,
    tls: true,
    behaviour: (socket) =>
      socket.write(
        `PUT /2/instances/web/modify HTTP/1.1\r\n${HEAD}${WRITER}Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{`,
      ),
  })
  attack.every(1000, (socket) => socket.write(' '))
  await servedBeside(
    t,
    attack,
    { from: ELSEWHERE },
    { from: ATTACKERS },
    {
      from: ELSEWHERE,
      request: 'PUT /2/instances/mail.example.com/tags?tag=beside-bodies',
      user: 'writer:pw',
    },
  )
})

t.test('40 waits of one user for a job that takes long', async (t) => {
  const reboot = await askOrdinarily(service, {
    from: ELSEWHERE,
    request: 'POST /2/instances/web.example.com/reboot',
    user: 'writer:pw',
  })
  t.equal(reboot.status, 200, reboot.body)
  const id = Number(reboot.body)
  const body = JSON.stringify({
    fields: ['status'],
    previous_job_info: ['running'],
    previous_log_serial: null,
  })
  const attack = await attacked(t, {
    connections: 40,
    tls: true,
    behaviour: (socket) =>
      socket.write(
        `GET /2/jobs/${id}/wait HTTP/1.1\r\n${HEAD}${WRITER}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      ),
  })
  await servedBeside(
    t,
    attack,
    { from: ELSEWHERE },
    {
      from: ELSEWHERE,
      request: 'PUT /2/instances/mail.example.com/tags?tag=beside-waits',
      user: 'writer:pw',
    },
    { from: ATTACKERS },
    { from: ATTACKERS, request: 'PUT /2/instances/mail.example.com/tags?tag=also', user: 'writer:pw' },
  )
})

t.test('wrong passwords of one address, while another has the right one', async (t) => {
  const wrong = (socket: { write(text: string): unknown }) => {
    const credentials = Buffer.from(`guarded:${Math.random()}`).toString('base64')
    socket.write(
      `GET /2/query/node?fields=name HTTP/1.1\r\n${HEAD}Authorization: Basic ${credentials}\r\n\r\n`,
    )
  }
  const attack = await attacked(t, {
    connections: 60,
    tls: true,
    comesBack: true,
    behaviour: (socket) => {
      wrong(socket)
      socket.on('data', () => wrong(socket))
    },
  })
  const guarded = { from: ELSEWHERE, request: 'GET /2/query/node?fields=name' }
  await servedBeside(
    t,
    attack,
    { ...guarded, user: 'guarded:right' },
    { ...guarded, user: 'guarded:wrong', status: 401 },
    { from: ELSEWHERE },
  )
})
