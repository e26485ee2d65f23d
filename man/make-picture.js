/**
 * Makes the picture in README: the page on the sample cluster, on a wide screen
 * and on a phone. Needs dist/ (npm run build), and Debian's chromium.
 *
 *     node man/make-picture.js
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DaemonRoot, eventually, fixture } from '../dist/test/support/daemon-root.js'
import { launchChromium } from '../dist/test/ui/browser.js'

const PICTURE = fileURLToPath(new URL('page.png', import.meta.url))
const USER = { name: 'alice', password: 'pw' }

const folder = mkdtempSync(join(tmpdir(), 'ganeti-rapi-picture-'))
execFileSync('chmod', ['755', folder])
const root = new DaemonRoot(folder)
const browser = await launchChromium()

/** Makes a change, and waits until its job is over. */
async function change(method, target, body) {
  const credentials = `${USER.name}:${USER.password}`
  const { body: id } = await root.ask(method, target, { credentials, body: body && JSON.stringify(body) })
  await eventually(async () => {
    const job = JSON.parse((await root.get(`/2/jobs/${id.trim()}`)).body)
    if (!['success', 'error'].includes(job.status)) throw new Error('not over')
  })
}

async function shot(place, viewport, colorScheme) {
  const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: 1, ignoreHTTPSErrors: true })
  const page = await context.newPage()
  await page.goto(`${root.origin}/ui/${place}`)
  await page.click('header >> text=Log in')
  await page.fill('dialog >> [name=name]', USER.name)
  await page.fill('dialog >> [name=password]', USER.password)
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Log out' }).waitFor()
  await page.waitForSelector('main .card, main tbody tr td')
  await page.waitForSelector('.loading', { state: 'detached' })
  await page.waitForSelector('header >> text=Live')
  const bytes = await page.screenshot({ animations: 'disabled' })
  await context.close()
  return `data:image/png;base64,${bytes.toString('base64')}`
}

try {
  root.fill(`${USER.name} ${USER.password} write\n`, { clusterYaml: readFileSync(fixture('cluster.yaml'), 'utf8') })
  const { status, stderr } = await root.start('--no-ssl', '-b', '127.0.0.1', '-p', '0')
  if (status !== 0) throw new Error(stderr)
  await change('POST', '/2/instances/mail.example.com/reboot?type=hard')
  await change('PUT', '/2/instances/ghost.example.com/startup')
  await change('PUT', '/2/instances/web.example.com/migrate', { mode: 'live' })
  await change('PUT', '/2/instances/windows.example.com/startup')

  const wide = await shot('#/', { width: 1280, height: 830 }, 'light')
  const phone = await shot('#/instances', { width: 360, height: 640 }, 'dark')
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.setContent(`
    <style>
      body { margin: 0; position: relative; height: 900px; background: #dde5e2 }
      img { position: absolute; border-radius: 12px; box-shadow: 0 2px 12px rgb(0 30 20 / 18%) }
    </style>
    <img src="${wide}" style="left: 36px; top: 34px"><img src="${phone}" style="right: 36px; bottom: 34px; border-radius: 22px">`)
  await page.screenshot({ path: PICTURE })
} finally {
  await browser.close()
  await root.end()
  rmSync(folder, { recursive: true })
}
