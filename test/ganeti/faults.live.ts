/**
 * What goes wrong on a real cluster: the master daemon stopped, frozen, out of
 * reach or drained; clients that leave, and very many that wait; and in the
 * place of the master daemon something that answers garbage, half a message, or
 * nothing. Each time the rest goes on, and afterwards all is as before.
 */
import { chmodSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Json } from '../../lib/json/json.ts'
import { ask, daemon, ended, must, ORIGINAL, OURS, run } from './sides.ts'

t.setTimeout(600_000)

const SOCKET = '/run/ganeti/socket/ganeti-query'
const writer = { user: 'writer' }

/** Status, and the message of an error. */
async function told(target: string, asking: Parameters<typeof ask>[2] = {}) {
  const { status, body } = await ask(OURS, target, asking)
  return [status, (body as { message?: string } | null)?.message]
}

const putTag = { ...writer, method: 'PUT' }

async function wellAgain(t: Test) {
  while ((await told('/2/info'))[0] !== 200) await delay(100)
  t.same((await ask(OURS, '/2/tags')).body, (await ask(ORIGINAL, '/2/tags')).body, 'all is well again')
}

t.test('the master daemon is stopped and started', async (t) => {
  await daemon('stop', 'ganeti-luxid')
  const nobody = [502, 'Can&#x27;t connect to the master daemon: nobody listens']
  // The original tries for ten seconds.
  let theirs = 0
  const asked = ask(ORIGINAL, '/2/info').then(({ status }) => {
    theirs = status
  })
  t.same(await told('/2/info'), nobody)
  t.same(await told('/2/tags?tag=x', putTag), nobody)
  t.same(await told('/2/jobs/1/wait', { ...writer, body: { fields: ['id'] } }), nobody)
  t.same(await told('/2/os'), nobody)
  t.equal(theirs, 0, 'which is told at once')
  t.same((await told('/version'))[0], 200, 'what does not need it is answered')
  t.same((await told('/2/tags?tag=x', { method: 'PUT' }))[0], 401, 'and so is who has no right')
  await asked
  t.equal(theirs, 504, 'the original has tried all the while')
  await daemon('start', 'ganeti-luxid')
  await wellAgain(t)
})

t.test('the socket gives no permission', async (t) => {
  const refused = [500, 'Internal error: no permission to connect to the master daemon']
  chmodSync(SOCKET, 0o600)
  try {
    // Connections that stand from before would still do.
    await delay(0)
    t.same(await told('/2/tags?tag=x', putTag), refused)
    const original = await ask(ORIGINAL, '/2/tags?tag=x', putTag)
    t.same([original.status, (original.body as { message: string }).message], refused)
  } finally {
    chmodSync(SOCKET, 0o660)
  }
  await wellAgain(t)
})

t.test('the configuration daemon is stopped', async (t) => {
  await daemon('stop', 'ganeti-wconfd')
  t.same((await told('/2/info'))[0], 200, 'readings go on')
  const submitted = await ask(OURS, '/2/redistribute-config', putTag)
  t.equal(submitted.status, 200, 'and jobs are taken')
  await daemon('start', 'ganeti-wconfd')
  t.match((await ended(submitted.body)).status, /success|error/)
  await wellAgain(t)
})

t.test('the job queue is drained', async (t) => {
  await must('gnt-cluster', 'queue', 'drain')
  try {
    t.same(await told('/2/tags?tag=x', putTag), [503, 'Queue drained'])
    t.same(await told('/2/os'), [503, 'Queue drained'])
    t.same((await told('/2/info'))[0], 200)
    t.equal((await ask(ORIGINAL, '/2/os')).status, 500, 'the original fails')
  } finally {
    await must('gnt-cluster', 'queue', 'undrain')
  }
  await wellAgain(t)
})

/** A job that runs for some seconds on a node that others leave alone. */
async function longJob(seconds: number): Promise<string> {
  const delaying = ['delay', '--submit', '--no-master', '-n', 'node3.example.com', String(seconds)]
  const { stdout, stderr } = await run('gnt-debug', ...delaying)
  const [id = ''] = /\d+/.exec(stdout + stderr) ?? []
  for (;;) {
    const { body } = await ask(ORIGINAL, `/2/jobs/${id}`)
    if ((body as { status: string }).status === 'running') return id
    await delay(100)
  }
}

const waitFor = (job: string, signal?: AbortSignal) =>
  ask(OURS, `/2/jobs/${job}/wait`, {
    ...writer,
    body: { fields: ['status'], previous_job_info: ['running'], previous_log_serial: null },
    ...(signal && { signal }),
  })

/** How many files and sockets our daemon has open. */
function openFiles(): number {
  const pid = readFileSync('/run/ours-plain/var/run/ganeti/ganeti-rapi.pid', 'utf8').trim()
  return readdirSync(`/proc/${pid}/fd`).length
}

t.test('a client that hangs up in a wait frees what it held', async (t) => {
  const job = await longJob(20)
  await ask(OURS, '/2/info')
  // By then whoever was answered before is gone.
  await delay(1000)
  const alone = openFiles()
  let stays: number | undefined
  const other = waitFor(job).then(({ status }) => {
    stays = status
  })
  // Who waits has a connection to us, and none of ours to the master daemon.
  while (openFiles() < alone + 1) await delay(20)
  const before = openFiles()
  const clients = Array.from({ length: 10 }, () => new AbortController())
  const waits = clients.map(({ signal }) => waitFor(job, signal).catch((error) => error.name))
  while (openFiles() < before + clients.length) await delay(20)
  for (const client of clients) client.abort()
  t.same(new Set(await Promise.all(waits)), new Set(['AbortError']))
  while (openFiles() > before) await delay(20)
  t.equal(stays, undefined, 'at once, not when the wait would have ended')
  await other
  await ended(job)
})

t.test('two hundred clients wait, and nobody else has to', async (t) => {
  const job = await longJob(15)
  const before = openFiles()
  let answered = 0
  const wait = async () => {
    const answer = await waitFor(job)
    answered++
    return answer
  }
  const waits = Array.from({ length: 200 }, wait)
  while (openFiles() < before + 200) await delay(20)
  for (let count = 0; count < 5; count++) t.equal((await ask(OURS, '/2/instances')).status, 200)
  t.equal(answered, 0, 'others are answered before any of them')
  t.equal((await ask(OURS, '/2/os')).status, 200, 'also by a job')
  t.equal((await ask(ORIGINAL, '/2/groups')).status, 200, 'and so are other daemons')
  const answers = await Promise.all(waits)
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
  const states = new Set(
    answers.map(({ body }) => JSON.stringify((body as { job_info: Json } | null)?.job_info)),
  )
  t.same(states, new Set([undefined]), 'all of them could wait until their time was over')
  await ended(job)
})

t.test('the master daemon freezes', async (t) => {
  const pid = Number(readFileSync('/run/ganeti/ganeti-luxid.pid', 'utf8'))
  process.kill(pid, 'SIGSTOP')
  try {
    const begun = performance.now()
    const late = [504, 'Gateway Timeout']
    const asked = [told('/2/info'), told('/2/tags?tag=frozen', putTag)]
    t.equal((await told('/version'))[0], 200, 'what does not need it is answered')
    for (const answer of await Promise.all(asked)) t.same(answer, late)
    const seconds = Math.round((performance.now() - begun) / 1000)
    t.ok(seconds >= 60, 'not before the time that Ganeti gives an answer')
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  // What it was asked while it froze it carries out now, though nobody waits for it any more.
  const tags = async () => (await ask(ORIGINAL, '/2/tags')).body as string[]
  while (!(await tags()).includes('frozen')) await delay(100)
  await wellAgain(t)
})

/** Puts something else in the place of the master daemon's socket. */
async function inItsPlace(
  onConnection: (socket: Socket) => void,
  action: () => Promise<void>,
): Promise<void> {
  renameSync(SOCKET, `${SOCKET}.real`)
  const server = createServer((socket) => {
    socket.on('error', () => {})
    onConnection(socket)
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(SOCKET, resolve))
  chmodSync(SOCKET, 0o666)
  try {
    await action()
  } finally {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
    rmSync(SOCKET, { force: true })
    renameSync(`${SOCKET}.real`, SOCKET)
  }
}

t.test('something else than the master daemon answers', async (t) => {
  // Our daemon keeps connections to the real one; a new one has none.
  await daemon('stop', 'ganeti-luxid')
  await daemon('start', 'ganeti-luxid')
  while ((await ask(ORIGINAL, '/2/info')).status !== 200) await delay(200)
  await wellAgain(t)
  const cases: [what: string, play: (socket: Socket) => void, message: RegExp][] = [
    ['garbage', (socket) => socket.on('data', () => socket.write('garbage\x03')), /cannot be understood/],
    [
      'half a message',
      (socket) => socket.on('data', () => socket.end('{"success": tr')),
      /without a whole answer/,
    ],
    ['nothing', (socket) => socket.on('data', () => socket.end()), /without a whole answer/],
    ['a good-bye', (socket) => socket.destroy(), /without a whole answer/],
  ]
  for (const [what, play, message] of cases) {
    let calls = 0
    const counted = (socket: Socket) => {
      calls++
      play(socket)
    }
    await inItsPlace(counted, async () => {
      const [status, text] = await told('/2/tags?tag=x', putTag)
      t.equal(status, 502, what)
      t.match(text, message, what)
      t.equal(calls, 1, `${what}: a change is sent once`)
      t.equal((await told('/version'))[0], 200)
    })
  }
  await wellAgain(t)
})
