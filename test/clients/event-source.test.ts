/**
 * Events as EventSource has them, of a browser and of npm's `eventsource`: neither
 * is told anything but a URL, and each goes on by itself after the daemon was
 * killed, with the id of the last event.
 */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { DaemonRoot, fixture, signal } from '../support/daemon-root.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'
import { startChromium, withChromium } from '../ui/browser.ts'

const SLOW = readFileSync(fixture('cluster.yaml'), 'utf8').replace(
  '\ncluster:\n',
  '\ncluster:\n  job_time: 0.2\n',
)

interface Told {
  readonly type: string
  readonly id: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever was told
  readonly data: any
}

async function daemon(t: Test) {
  const root = new DaemonRoot(t.testdir())
  t.teardown(() => root.end())
  root.fill('w pw write\n', { clusterYaml: SLOW })
  const port = String(await freePort())
  const start = async () => t.equal((await root.start('--no-ssl', '-b', '127.0.0.1', '-p', port)).status, 0)
  await start()
  return { root, start }
}

/** What any EventSource must do. @param told what it was told so far */
async function follows(
  t: Test,
  { root, start }: Awaited<ReturnType<typeof daemon>>,
  told: () => Promise<readonly Told[]>,
): Promise<void> {
  let known: readonly Told[] = []
  const untilTold = async (holds: (event: Told) => boolean) => {
    while (!known.some(holds)) known = await told()
  }
  const submit = async () =>
    Number((await root.ask('POST', '/2/instances/web.example.com/reboot', { credentials: 'w:pw' })).body)
  await untilTold(({ type }) => type === 'ready')
  const first = await submit()
  await untilTold(({ data }) => data.id === first && data.status === 'success')
  const second = await submit()
  signal(root.pid as number, 'SIGKILL')
  await until(() => {
    try {
      process.kill(root.pid as number, 0)
      return false
    } catch {
      return true
    }
  })
  await start()
  await untilTold(({ data }) => data.id === second && /success|error/.test(data.status))
  const resets = known.filter(({ type }) => type === 'reset')
  t.strictSame(
    resets.map(({ data }) => data.reason),
    ['restarted'],
    'it came again with an id',
  )
  const statuses = known.filter(({ data }) => data.id === first).map(({ data }) => data.status)
  t.strictSame(statuses.slice(0, 4), ['queued', 'waiting', 'running', 'success'])
  t.ok(known.filter(({ type }) => type === 'job').at(0)?.id, 'events have ids')
}

const TYPES = ['hello', 'reset', 'ready', 'job', 'end']

t.test('the EventSource of Chromium', withChromium, async (t) => {
  const running = await daemon(t)
  const browser = await startChromium(t)
  const page = await (await browser.newContext()).newPage()
  await page.goto(`${running.root.origin}/version`)
  await page.evaluate(`
    window.told = []
    const source = new EventSource('/2/events?types=job')
    for (const type of ${JSON.stringify(TYPES)})
      source.addEventListener(type, ({ lastEventId: id, data }) => told.push({ type, id, data: JSON.parse(data) }))
  `)
  await follows(t, running, async () => (await page.evaluate('told')) as Told[])
})

t.test("npm's eventsource", async (t) => {
  const { EventSource } = await import('eventsource')
  const running = await daemon(t)
  const told: Told[] = []
  const source = new EventSource(`${running.root.origin}/2/events?types=job`)
  t.teardown(() => source.close())
  for (const type of TYPES) {
    source.addEventListener(type, ({ lastEventId: id, data }) =>
      told.push({ type, id, data: JSON.parse(data) }),
    )
  }
  await follows(t, running, async () => {
    await new Promise(setImmediate)
    return told
  })
})
