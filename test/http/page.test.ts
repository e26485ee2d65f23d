import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import type { RequestHeaders } from '../../lib/http/message.ts'
import { createPage, prefersHtml, readPage } from '../../lib/http/page.ts'
import { HttpMetrics } from '../../lib/metrics/http-metrics.ts'

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8'

const FILES = {
  'index.html': '<!doctype html><title>A page</title>',
  'main.js': `export {}\n${'// long\n'.repeat(200)}`,
  'style.css': 'body { margin: 0 }',
  'icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
}

async function pageOf(t: Test, files: Parameters<typeof t.testdir>[0]) {
  const folder = t.testdir(files)
  const metrics = new HttpMetrics()
  const page = createPage({
    files: await readPage(pathToFileURL(`${folder}/`)),
    metrics,
    certificateEnd: () => 1_900_000_000,
  })
  const ask = (target: string, headers: RequestHeaders = {}, method = 'GET') => {
    const response = page({ method, target, headers })
    if (!response) return undefined
    const named: Record<string, string> = {}
    for (let at = 0; at < response.headers.length; at += 2)
      named[(response.headers[at] as string).toLowerCase()] = response.headers[at + 1] as string
    return { ...response, headers: named, text: response.body.toString() }
  }
  return { folder, ask, metrics }
}

t.test('the files of the page are sent with their types, and nothing else is', async (t) => {
  const { ask } = await pageOf(t, {
    ...FILES,
    'tsconfig.json': '{}',
    '.hidden': 'x',
    views: { 'one.js': '1' },
  })
  t.match(ask('/ui/'), { status: 200, type: 'text/html; charset=utf-8', text: FILES['index.html'] })
  t.match(ask('/ui/?x=y'), { status: 200, text: FILES['index.html'] })
  t.match(ask('/ui/main.js'), { status: 200, type: 'text/javascript; charset=utf-8', text: FILES['main.js'] })
  t.match(ask('/ui/style.css'), { status: 200, type: 'text/css; charset=utf-8' })
  t.match(ask('/ui/views/one.js'), { status: 200, text: '1' })
  t.match(ask('/ui/views'), { status: 404 })
  t.match(ask('/ui/icon.svg'), { status: 200, type: 'image/svg+xml' })
  for (const name of ['tsconfig.json', '.hidden', '../page.js', '%2e%2e/page.js', 'main.js/', '__proto__'])
    t.match(ask(`/ui/${name}`), { status: 404 }, name)
  for (const target of ['/', '/2/info', '/uix', '/ui2/', '/2/ui/', '/UI/'])
    t.equal(ask(target), undefined, target)
})

t.test('a file is read once: what becomes of it later does not matter', async (t) => {
  const { ask, folder } = await pageOf(t, FILES)
  rmSync(`${folder}/main.js`)
  writeFileSync(`${folder}/late.js`, '')
  t.match(ask('/ui/main.js'), { status: 200, text: FILES['main.js'] })
  t.match(ask('/ui/late.js'), { status: 404 })
})

t.test('each answer has the headers that keep the page to itself', async (t) => {
  const { ask } = await pageOf(t, FILES)
  for (const name of Object.keys(FILES)) {
    const { headers } = ask(`/ui/${name}`) as NonNullable<ReturnType<typeof ask>>
    t.match(headers, {
      'content-security-policy':
        /^default-src 'none'; script-src 'self'; style-src 'self'; .*; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-cache',
    })
    t.notMatch(headers['content-security-policy'], /unsafe|http/)
  }
})

t.test('a file can be had compressed, and is not sent again to who has it', async (t) => {
  const { ask } = await pageOf(t, FILES)
  const plain = ask('/ui/main.js')
  const gzipped = ask('/ui/main.js', { 'accept-encoding': 'gzip, br' })
  t.match(gzipped?.headers, { 'content-encoding': 'gzip', vary: 'Accept-Encoding' })
  t.equal(gunzipSync(gzipped?.body as Buffer).toString(), FILES['main.js'])
  t.not(gzipped?.headers.etag, plain?.headers.etag)
  for (const known of [plain?.headers.etag, `W/${gzipped?.headers.etag}, "x"`, '*']) {
    const again = ask('/ui/main.js', { 'if-none-match': known, 'accept-encoding': 'gzip' })
    t.match(again, { status: 304, text: '', headers: { etag: gzipped?.headers.etag } }, `${known}`)
  }
  t.match(ask('/ui/main.js', { 'if-none-match': '"x"' }), { status: 200 })
  t.not(ask('/ui/')?.headers.etag, plain?.headers.etag)
})

t.test('only GET and HEAD, and /ui is sent on to /ui/', async (t) => {
  const { ask, metrics } = await pageOf(t, FILES)
  t.match(ask('/ui/', {}, 'HEAD'), { status: 200 })
  t.match(ask('/ui/', {}, 'POST'), { status: 501 })
  t.match(ask('/ui'), { status: 301, headers: { location: '/ui/' } })
  t.match(ask('/ui', {}, 'PUT'), { status: 404 })
  t.equal(ask('/ui/nothing')?.counts, metrics.route('GET', '/ui/'), 'one route, whatever is asked for')
})

t.test('a browser that asks for / is sent to the page, others are not', async (t) => {
  const { ask } = await pageOf(t, FILES)
  t.match(ask('/', { accept: BROWSER }), {
    status: 302,
    headers: { location: '/ui/', vary: 'Accept', 'cache-control': 'no-store' },
  })
  t.equal(ask('/', { accept: BROWSER }, 'POST'), undefined)
  t.equal(ask('/?x', { accept: BROWSER }), undefined)
  for (const accept of ['*/*', 'application/json', undefined])
    t.equal(ask('/', { accept }), undefined, `${accept}`)
})

t.test('what an Accept header prefers', async (t) => {
  const cases: [string | undefined, boolean][] = [
    [BROWSER, true],
    ['text/html', true],
    ['TEXT/HTML; q=0.9, application/json;q=0.8', true],
    ['text/html;level=1;q=0.5, */*;q=0.4', true],
    [undefined, false],
    ['', false],
    ['*/*', false],
    ['application/json', false],
    ['application/json, text/plain, */*', false],
    ['text/html, */*', false],
    ['text/html;q=0.5, application/*', false],
    ['text/html;q=0, */*;q=0', false],
    ['text/htmlx', false],
  ]
  for (const [accept, expected] of cases) t.equal(prefersHtml(accept), expected, `${accept}`)
})

t.test('the page is told when the certificate ends', async (t) => {
  const { ask } = await pageOf(t, FILES)
  const told = ask('/ui/daemon.json')
  t.match(told, { status: 200, headers: { 'cache-control': 'no-cache' } })
  t.strictSame(JSON.parse(told?.text ?? ''), { certificate_end: 1_900_000_000 })
  t.match(ask('/ui/daemon.json', {}, 'DELETE'), { status: 404 })
})

t.test('of what a browser loads, the log has the first file', async (t) => {
  const { ask } = await pageOf(t, FILES)
  t.notOk(ask('/ui/')?.quiet)
  t.ok(ask('/ui/main.js')?.quiet)
  t.notOk(ask('/ui/nothing')?.quiet)
})

t.test('a folder without the page is a failure', async (t) => {
  const folder = t.testdir({ 'main.js': '' })
  mkdirSync(`${folder}/nested.js`)
  await t.rejects(readPage(pathToFileURL(`${folder}/`)), { code: 'configuration' })
  await t.rejects(readPage(pathToFileURL(`${folder}/nothing/`)), { code: 'configuration' })
})
