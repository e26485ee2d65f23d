/** What happens on the page while the cluster changes, the daemon goes away, and strangers write what they like. */
import { readFileSync } from 'node:fs'
import type { Page, Request } from 'playwright-core'
import t, { type Test } from 'tap'
import { DaemonRoot, eventually, fixture, signal } from '../support/daemon-root.ts'
import { freePort } from '../support/free-port.ts'
import { startChromium, Visit, withChromium } from './browser.ts'

const SAMPLE = readFileSync(fixture('cluster.yaml'), 'utf8')
const SLOW = SAMPLE.replace('\ncluster:\n', '\ncluster:\n  job_time: 2\n')
const HERE = ['-b', '127.0.0.1']

async function daemon(t: Test, clusterYaml: string, port = '0'): Promise<DaemonRoot> {
  const root = new DaemonRoot(t.testdir())
  t.teardown(() => root.end())
  root.fill('writer pw write\n', { clusterYaml })
  const { status, stderr } = await root.start(...HERE, '-p', port)
  if (status !== 0) throw new Error(stderr)
  return root
}

/** The row of a table that has a link of this name. */
const rowOf = (page: Page, name: string) =>
  page.locator('tbody tr', { has: page.getByRole('link', { name, exact: true }) })

t.test(
  'a job is started, seen to run and to end, and the row of its instance changes',
  withChromium,
  async (t) => {
    const root = await daemon(t, SLOW)
    const browser = await startChromium(t)
    const [visit, other] = [await Visit.begin(browser), await Visit.begin(browser)]
    const { page } = visit
    await page.goto(`${root.origin}/ui/#/instances/web.example.com`)
    await other.page.goto(`${root.origin}/ui/#/instances`)
    await rowOf(other.page, 'web.example.com').getByText('Running').waitFor()
    await visit.logIn('writer', 'pw')
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByLabel('Reason').fill("a new kernel; it's time")
    await page.getByLabel('Seconds until it is switched off').fill('30')
    t.equal(
      await page.getByLabel('The request').innerText(),
      'PUT /2/instances/web.example.com/shutdown?reason=a%20new%20kernel%3B%20it\'s%20time\n{\n  "timeout": 30\n}',
      'what will be sent is shown',
    )
    await page.locator('dialog button.primary').click()
    const card = page.getByRole('region', { name: 'Job 1' })
    await card.getByText('Running').waitFor()
    await card.getByText('Done').waitFor()
    await page.locator('.heading').getByText('Stopped').waitFor()
    await page.getByRole('button', { name: 'Start' }).waitFor()
    t.equal(await page.getByRole('button', { name: 'Stop' }).count(), 0)
    await rowOf(other.page, 'web.example.com').getByText('Stopped').waitFor()
    const { ops } = JSON.parse((await root.get('/2/jobs/1')).body)
    t.match(ops, [{ OP_ID: 'OP_INSTANCE_SHUTDOWN', timeout: 30 }])
    t.match(JSON.stringify(ops[0].reason), "a new kernel; it's time")
    t.strictSame([...visit.faults, ...other.faults], [])
  },
)

t.test('a job that waits can be canceled', withChromium, async (t) => {
  const root = await daemon(t, SLOW)
  const visit = await Visit.begin(await startChromium(t))
  const { page } = visit
  const shutdown = () =>
    root.ask('PUT', '/2/instances/web.example.com/shutdown', { credentials: 'writer:pw' })
  await page.goto(`${root.origin}/ui/#/jobs`)
  await visit.logIn('writer', 'pw')
  for (let job = 1; job <= 4; job++) await shutdown()
  await rowOf(page, '4').getByText('Waiting for locks').waitFor()
  await rowOf(page, '4').click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.locator('.heading').getByText('Canceled').waitFor()
  t.equal(JSON.parse((await root.get('/2/jobs/4')).body).status, 'canceled')
  t.equal(await page.getByRole('button', { name: 'Cancel' }).count(), 0)
  t.strictSame(visit.faults, [])
})

t.test('why a job has failed is told where it was started', withChromium, async (t) => {
  const root = await daemon(t, SAMPLE)
  const visit = await Visit.begin(await startChromium(t))
  const { page } = visit
  await page.goto(`${root.origin}/ui/#/instances/ghost.example.com`)
  await visit.logIn('writer', 'pw')
  await page.getByRole('button', { name: 'Start' }).click()
  await page.locator('dialog button.primary').click()
  const card = page.getByRole('region', { name: 'Job 1' })
  await card.getByText('Failed').waitFor()
  await card.getByText(/offline node: node5.example.com/).waitFor()
  await visit.go('#/')
  await page.getByText('Job 1 failed').waitFor()
  t.strictSame(visit.faults, [])
})

t.test('the page recovers once the daemon is back', withChromium, async (t) => {
  const port = String(await freePort())
  const root = await daemon(t, SAMPLE, port)
  const visit = await Visit.begin(await startChromium(t), {}, [0])
  const { page } = visit
  await page.goto(`${root.origin}/ui/#/instances`)
  await rowOf(page, 'web.example.com').getByText('Running').waitFor()
  signal(root.pid as number, 'SIGKILL')
  await page.getByText('Reconnecting').waitFor()
  await rowOf(page, 'web.example.com').getByText('Running').waitFor()
  await eventually(async () => {
    const { status } = await root.start(...HERE, '-p', port)
    if (status !== 0) throw new Error('its port is still in use')
  })
  await page.getByText('Reconnecting').waitFor({ state: 'detached' })
  await root.ask('PUT', '/2/instances/web.example.com/shutdown', { credentials: 'writer:pw' })
  await rowOf(page, 'web.example.com').getByText('Stopped').waitFor()
  t.strictSame(visit.faults, [])
})

/** What must stay a text wherever it is shown. */
const HOSTILE = '<img src=x onerror="window.hit=1">'

/** An answer with that at the end of each text. */
function hostile(value: unknown): unknown {
  if (typeof value === 'string') return value + HOSTILE
  if (Array.isArray(value)) return value.map(hostile)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, hostile(one)]))
}

t.test('texts of strangers stay texts, wherever they are shown', withChromium, async (t) => {
  const root = await daemon(t, SAMPLE)
  await root.ask('PUT', '/2/instances/ghost.example.com/startup', { credentials: 'writer:pw' })
  const visit = await Visit.begin(await startChromium(t), {}, [404])
  const { page } = visit
  await page.route(/\/2\/(?!events|whoami)/, async (route) => {
    const url = new URL(route.request().url())
    url.pathname = decodeURIComponent(url.pathname).replaceAll(HOSTILE, '')
    const response = await route.fetch({ url: url.href })
    const body: unknown = response.status() === 304 ? null : await response.json()
    const isDescription = url.pathname.endsWith('/openapi.json')
    await route.fulfill(
      response.status() === 304 || isDescription ? { response } : { response, json: hostile(body) },
    )
  })
  await page.goto(`${root.origin}/ui/`)
  await visit.logIn('writer', 'pw')
  const hostileName = (name: string) => encodeURIComponent(name + HOSTILE)
  for (const place of [
    '#/',
    '#/instances',
    `#/instances/${hostileName('web.example.com')}`,
    '#/nodes',
    `#/nodes/${hostileName('node1.example.com')}`,
    '#/jobs',
    '#/jobs/1',
    '#/groups',
    `#/groups/${hostileName('default')}`,
    '#/networks',
    `#/networks/${hostileName('front')}`,
    `#/api/${hostileName('GetInfo')}`,
  ]) {
    await visit.go(place)
    await page.locator('main').getByText(HOSTILE).first().waitFor({ state: 'attached' })
    t.equal(await page.locator('img').count(), 1, `${place}: no picture but ours`)
  }
  t.equal(await page.evaluate('window.hit'), undefined)
  await page.unrouteAll({ behavior: 'wait' })
  t.strictSame(visit.faults, [])
})

t.test('the keyboard alone is enough', withChromium, async (t) => {
  const root = await daemon(t, SAMPLE)
  const visit = await Visit.begin(await startChromium(t))
  const { page } = visit
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key)
  }
  /** Moves on until an element with this text has the focus. */
  const reach = async (text: string) => {
    for (let pressed = 0; pressed < 60; pressed++) {
      await press('Tab')
      if (
        String(await page.evaluate('document.activeElement.innerText'))
          .trim()
          .startsWith(text)
      )
        return
    }
    throw new Error(`${text} cannot be reached`)
  }
  await page.goto(`${root.origin}/ui/`)
  await page.getByText('Needs attention').waitFor()
  await reach('Log in')
  await press('Enter')
  await page.keyboard.type('writer')
  await press('Tab')
  await page.keyboard.type('pw')
  await press('Enter')
  await page.getByRole('button', { name: 'Log out' }).waitFor()
  await reach('Instances')
  await press('Enter')
  await page.getByRole('heading', { name: 'Instances' }).waitFor()
  t.equal(await page.evaluate('document.activeElement.id'), 'main', 'the view has the focus once it is shown')
  await press('Tab')
  await page.keyboard.type('tag1')
  await page.getByText('1 of 8 shown').waitFor({ state: 'attached' })
  await reach('web.example.com')
  await press('Enter')
  await page.getByRole('button', { name: 'Migrate' }).waitFor()
  await reach('Migrate')
  await press('Enter')
  await page.getByRole('dialog').waitFor()
  await press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  const focused = String(await page.evaluate('document.activeElement.innerText'))
  t.equal(focused.trim(), 'Migrate', 'the focus is where it was')
  t.strictSame(visit.faults, [])
})

t.test('of many rows, those in sight exist', withChromium, async (t) => {
  const names = Array.from({ length: 3000 }, (_, at) => `vm${at}.example.com`)
  const lines = names.map((name) => `  ${name}: {os: debian-etch, pnode: n1, memory: 128, tags: [even]}`)
  const head = ['cluster: {name: big.example.com}', 'nodes: {n1: {primary_ip: 192.0.2.1}}', 'instances:']
  const root = await daemon(t, [...head, ...lines, 'os: [debian-etch]', ''].join('\n'))
  const visit = await Visit.begin(await startChromium(t))
  const { page } = visit
  await page.goto(`${root.origin}/ui/#/instances`)
  await rowOf(page, 'vm0.example.com').waitFor()
  const rows = page.locator('tbody tr[aria-rowindex]')
  t.ok((await rows.count()) < 100)
  t.equal(await page.locator('table').getAttribute('aria-rowcount'), '3001')
  for (const at of [1500, 2999, 700]) {
    await page.evaluate(`scrollTo(0, document.documentElement.scrollHeight * ${at} / 3000)`)
    await page.waitForSelector(`tr[aria-rowindex="${at}"]`)
    const indices = await rows.evaluateAll((all) =>
      all.map((row) => Number(row.getAttribute('aria-rowindex'))),
    )
    t.strictSame(
      indices,
      [...indices].sort((one, other) => one - other),
      'in their order',
    )
  }
  await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
  await rowOf(page, 'vm2999.example.com').waitFor()
  t.ok((await rows.count()) < 100)
  await page.getByRole('button', { name: 'Name' }).click()
  await page.getByRole('button', { name: 'Name' }).click()
  await page.evaluate('scrollTo(0, 0)')
  await rowOf(page, 'vm2999.example.com').waitFor()
  t.equal(await page.locator('th').first().getAttribute('aria-sort'), 'descending')
  await page.getByRole('searchbox').fill('vm1234 even')
  await rowOf(page, 'vm1234.example.com').waitFor()
  t.equal(await rows.count(), 1)
  await page.getByRole('searchbox').fill('nothing is called so')
  await page.getByText('No instance is like that.').waitFor()
  t.strictSame(visit.faults, [])
})

t.test('while there are events, nothing is read that has not changed', withChromium, async (t) => {
  const root = await daemon(t, SAMPLE)
  const visit = await Visit.begin(await startChromium(t))
  const { page } = visit
  const pathOf = (request: Request) => new URL(request.url()).pathname
  const asked: string[] = []
  const open = new Set<Request>()
  page.on('request', (request) => {
    if (pathOf(request) === '/2/events') return
    asked.push(pathOf(request))
    open.add(request)
  })
  for (const event of ['requestfinished', 'requestfailed'] as const) {
    page.on(event as 'requestfinished', (request) => void open.delete(request))
  }
  /** Waits until all was read that is to be read. */
  const atRest = async () => {
    for (let seen = -1; seen < asked.length || open.size > 0; ) {
      seen = asked.length
      await page.clock.fastForward(1000)
      await visit.settle()
    }
  }
  await page.clock.install()
  await page.goto(`${root.origin}/ui/#/instances`)
  await page.getByText('Live', { exact: true }).waitFor()
  await rowOf(page, 'web.example.com').getByText('Running').waitFor()
  await atRest()
  asked.length = 0
  await page.clock.fastForward(30_000)
  await atRest()
  t.strictSame(asked, [], 'though half a minute has passed')
  await root.ask('PUT', '/2/instances/web.example.com/shutdown', { credentials: 'writer:pw' })
  while ((await rowOf(page, 'web.example.com').getByText('Stopped').count()) === 0) await atRest()
  await atRest()
  t.strictSame([...new Set(asked)], ['/2/instances'], 'the job came with its event')
  t.strictSame(visit.faults, [])
})
