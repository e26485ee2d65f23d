/** Every view of the page on the sample cluster, on a phone and on a wide screen, light and dark. */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { DaemonRoot, fixture } from '../support/daemon-root.ts'
import { startChromium, Visit, withChromium } from './browser.ts'

const USERS = `
writer pw write
few    pw cluster.info,instances.list,instances.query
team   pw @readonly,instances.shutdown!tag=tag1,instances.reboot!group=other
`
const SAMPLE = readFileSync(fixture('cluster.yaml'), 'utf8')

/** Places, with something that is to be seen there. */
const PLACES: readonly (readonly [place: string, shown: string])[] = [
  ['#/', 'Needs attention'],
  ['#/instances', 'mail.example.com'],
  ['#/instances?find=tag1', 'web.example.com'],
  ['#/instances/web.example.com', '01:23:45:67:89:01'],
  ['#/nodes', 'node4.example.com'],
  ['#/nodes/node1.example.com', 'windows.example.com'],
  ['#/jobs', 'Instance shutdown'],
  ['#/jobs/1', 'Parameters'],
  ['#/groups', 'Last resort'],
  ['#/groups/default', 'node3.example.com'],
  ['#/networks', '198.51.100.0/24'],
  ['#/networks/front', '198.51.100.240 to 198.51.100.250'],
  ['#/api', '/2/instances/{instance_name}/migrate'],
  ['#/api/MigrateInstance', 'allow_runtime_changes'],
]

async function daemon(t: Test, ...options: string[]): Promise<DaemonRoot> {
  const root = new DaemonRoot(t.testdir())
  t.teardown(() => root.end())
  root.fill(USERS, { clusterYaml: SAMPLE })
  const { status, stderr } = await root.start('-b', '127.0.0.1', '-p', '0', ...options)
  if (status !== 0) throw new Error(stderr)
  return root
}

t.test('every view shows what it is for, and nothing keeps people out', withChromium, async (t) => {
  const root = await daemon(t)
  await root.ask('PUT', '/2/instances/db.example.com/shutdown', { credentials: 'writer:pw' })
  const browser = await startChromium(t)
  for (const [width, colorScheme] of [
    [1400, 'light'],
    [1400, 'dark'],
    [360, 'light'],
    [360, 'dark'],
  ] as const) {
    const visit = await Visit.begin(browser, { width, colorScheme })
    const { page } = visit
    await page.goto(`${root.origin}/`)
    t.equal(page.url(), `${root.origin}/ui/`, 'a browser is sent to the page')
    await visit.logIn('writer', 'pw')
    await page.getByRole('button', { name: 'Log out' }).waitFor()
    for (const [place, shown] of PLACES) {
      const name = `${place} at ${width} pixels, ${colorScheme}`
      await visit.go(place)
      await page.getByText(shown).first().waitFor({ state: 'attached' })
      t.equal(
        await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
        true,
        `${name}: as wide as the screen`,
      )
      t.strictSame(await visit.barriers(), [], `${name}: no barriers`)
      t.match(await page.title(), /example\.com/, `${name}: a title`)
    }
    t.strictSame(visit.faults, [])
    await visit.end()
  }
})

t.test('what a user may not do is not there', withChromium, async (t) => {
  const root = await daemon(t, '--anonymous-reads=no')
  const browser = await startChromium(t)
  const visit = await Visit.begin(browser)
  const { page } = visit
  await page.goto(`${root.origin}/ui/`)
  await page.waitForSelector('text=This cluster shows nothing to strangers.')
  await visit.logIn('few', 'pw')
  await page.waitForSelector('nav >> text=Instances')
  t.strictSame(
    await page
      .locator('nav a')
      .allInnerTexts()
      .then((texts) => texts.map((text) => text.trim().split('\n')[0])),
    ['Overview', 'Instances', 'API'],
  )
  for (const [place] of PLACES) await visit.go(place)
  await visit.go('#/instances/web.example.com')
  await page.waitForSelector('text=01:23:45:67:89:01')
  t.equal(await page.locator('[aria-label=Actions] button').count(), 0)
  t.strictSame(visit.faults, [], 'nothing was asked for that is refused')
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.waitForSelector('text=This cluster shows nothing to strangers.')
  await visit.logIn('writer', 'pw')
  await page.waitForSelector('[aria-label=Actions] >> text=Stop')
  t.strictSame(visit.faults, [])
})

t.test('what a user may do with some instances alone is there for those', withChromium, async (t) => {
  const root = await daemon(t)
  const visit = await Visit.begin(await startChromium(t))
  const { page } = visit
  await page.goto(`${root.origin}/ui/#/instances/web.example.com`)
  await visit.logIn('team', 'pw')
  const actions = page.locator('[aria-label=Actions] button')
  await actions.getByText('Stop').waitFor()
  t.equal(await actions.count(), 1)
  await visit.go('#/instances/db.example.com')
  await page.getByText('01:23:45:67:89:01').waitFor({ state: 'detached' })
  await page.getByText('aa:bb:cc:00:00:30').waitFor()
  t.equal(await actions.count(), 0)
  t.strictSame(visit.faults, [])
})

t.test('without a user nothing can be read, and no dialog of the browser opens', withChromium, async (t) => {
  const root = await daemon(t, '--require-authentication')
  const browser = await startChromium(t)
  const visit = await Visit.begin(browser, {}, [401])
  const { page } = visit
  await page.goto(`${root.origin}/ui/`)
  await page.waitForSelector('text=This cluster shows nothing to strangers.')
  await visit.logIn('writer', 'wrong')
  await page.waitForSelector('text=Name or password is wrong.')
  await page.fill('dialog >> [name=password]', 'pw')
  await page.keyboard.press('Enter')
  await page.waitForSelector('text=Needs attention')
  await page.reload()
  await page.waitForSelector('text=This cluster shows nothing to strangers.')
  t.strictSame(visit.faults, [], 'the password was forgotten')
})

t.test('with --no-ui there is no page', async (t) => {
  const root = await daemon(t, '--no-ui')
  t.equal((await root.get('/ui/')).status, 404)
  const { status, body } = await root.ask('GET', '/', { headers: { Accept: 'text/html' } })
  t.equal(status, 200)
  t.match(JSON.parse(body), [{ uri: '/2' }])
})
