/**
 * A Chromium, Debian's, with the page of a daemon in it; and what a page must
 * never do, whatever else is tested: fail in its code, run into its own policy,
 * or open a dialog of the browser.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core'
import type { Test } from 'tap'

const CHROMIUM = '/usr/bin/chromium'
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** How long something may take to appear, in milliseconds. */
const PATIENCE = 300_000

/** Resolves once the page was drawn. */
const TWO_FRAMES = 'new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))'

/** What keeps the tests from running, as tap's `skip` option takes it. */
export const withChromium = {
  skip:
    !existsSync(CHROMIUM) &&
    process.env.GANETI_RAPI_TEST_CLIENTS !== 'required' &&
    'chromium is not here (Debian: chromium)',
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    // Its sandbox does not work for root, whom tests run as in containers.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })
}

/** Starts a Chromium that ends with the test. */
export async function startChromium(t: Test): Promise<Browser> {
  const browser = await launchChromium()
  t.teardown(() => browser.close())
  return browser
}

/** A page, and what it should not have done. */
export class Visit {
  readonly page: Page
  readonly #faults: string[] = []
  /** Statuses of requests that are meant to fail: the browser writes them to the console. */
  readonly #expected: ReadonlySet<number>

  private constructor(page: Page, expected: ReadonlySet<number>) {
    this.page = page
    this.#expected = expected
    page.on('pageerror', (error) => this.#faults.push(String(error.stack ?? error)))
    page.on('dialog', (dialog) => {
      this.#faults.push(`a dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('console', (message) => {
      const text = message.text()
      const [, status] = /^Failed to load resource: .* status of (\d+)/.exec(text) ?? []
      const isExpected =
        status === undefined
          ? /net::ERR_/.test(text) && this.#expected.has(0)
          : this.#expected.has(Number(status))
      if (['error', 'warning'].includes(message.type()) && !isExpected) this.#faults.push(text)
    })
  }

  /** @param expected statuses that requests of the page are meant to get beside 2xx and 304; 0 if it gets no answer */
  static async begin(
    browser: Browser,
    { width = 1400, ...options }: { width?: number } & BrowserContextOptions = {},
    expected: readonly number[] = [],
  ): Promise<Visit> {
    const context: BrowserContext = await browser.newContext({
      viewport: { width, height: width > 700 ? 900 : 740 },
      ignoreHTTPSErrors: true,
      ...options,
    })
    // Long, for a machine that is busy: what never comes is ended by this.
    context.setDefaultTimeout(PATIENCE)
    const page = await context.newPage()
    await page.addInitScript(
      "addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))",
    )
    return new Visit(page, new Set(expected))
  }

  /** What it has done so far that it should not. */
  get faults(): readonly string[] {
    return this.#faults
  }

  /** Goes to a place within the page, and waits until it shows something there. */
  async go(place: string): Promise<void> {
    await this.page.evaluate(`location.hash = ${JSON.stringify(place)}`)
    await this.settle()
    await this.page.waitForSelector('.loading', { state: 'detached' })
  }

  /** Waits until the page was drawn. */
  async settle(): Promise<void> {
    await this.page.evaluate(TWO_FRAMES)
  }

  async logIn(name: string, password: string): Promise<void> {
    const { page } = this
    await page.click('header >> text=Log in')
    await page.fill('dialog >> [name=name]', name)
    await page.fill('dialog >> [name=password]', password)
    await page.click('dialog >> button.primary')
  }

  /** What keeps people out, of the impact that matters, one line for each. */
  async barriers(): Promise<readonly string[]> {
    const { page } = this
    // The page's policy lets no script in but its own; the test is not bound by it.
    await page.evaluate(AXE)
    const found = (await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")) as {
      violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[]
    }
    return found.violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
      )
  }

  async end(): Promise<void> {
    await this.page.context().close()
  }
}
