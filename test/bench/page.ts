/** How soon the page shows something in a browser, and its list of many instances, and how it scrolls. */
import { generateConfig } from '../support/generate-config.ts'
import { launchChromium } from '../ui/browser.ts'
import type { Settings } from './contest.ts'
import { startOurs } from './our-daemon.ts'
import type { Report } from './report.ts'

const INSTANCES = 20_000
const NODES = 1000
/** Frames of scrolling, by more than a window at a time. */
const FRAMES = 200

const FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
const SCROLL = `(async () => {
  const times = []
  let last = performance.now()
  for (let frame = 0; frame < ${FRAMES}; frame++) {
    scrollBy(0, 1777)
    await new Promise(requestAnimationFrame)
    times.push(performance.now() - last)
    last = performance.now()
  }
  return times.sort((one, other) => one - other)[${Math.floor(FRAMES * 0.95)}]
})()`

export async function page(report: Report, { folder, rounds }: Settings): Promise<void> {
  report.part('page', `the page of a cluster of ${INSTANCES.toLocaleString('en')} instances, for strangers`)
  const configData = JSON.stringify(generateConfig({ instances: INSTANCES, nodes: NODES }))
  const daemon = await startOurs(folder, 'page', { configData })
  const browser = await launchChromium()
  const [paints, rows, frames]: [number[], number[], number[]] = [[], [], []]
  try {
    for (let round = 0; round < rounds; round++) {
      // Nothing is in the browser's cache.
      const context = await browser.newContext({ ignoreHTTPSErrors: true })
      const view = await context.newPage()
      const begun = performance.now()
      await view.goto(`${daemon.origin}/ui/#/instances`)
      await view.waitForSelector('td a')
      rows.push(performance.now() - begun)
      paints.push(Number(await view.evaluate(FIRST_PAINT)))
      frames.push(Number(await view.evaluate(SCROLL)))
      await context.close()
    }
  } finally {
    await browser.close()
    await daemon.stop()
  }
  const figure = (name: string, values: readonly number[]) => {
    report.case(name)
    return report.figure(
      'ours',
      'ms',
      values.map((value) => ({ value })),
    )
  }
  report.goal('milliseconds', figure('until something is shown', paints).median, { below: 1000 })
  figure('until the list is shown', rows)
  figure('scrolling: 95 of 100 frames take at most', frames)
}
