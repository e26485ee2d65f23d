/** What the page weighs, and that its first file names the others. */
import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'

const FOLDER = new URL('../../ui/', import.meta.url)
const NAMES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter(
  (name) => extname(name) !== '',
)

const MOST_BYTES = 150 * 1024
const MOST_COMPRESSED = 50 * 1024

t.test('the files are small', async (t) => {
  const files = NAMES.map((name) => readFileSync(new URL(name, FOLDER)))
  const sum = (sizes: readonly number[]) => sizes.reduce((all, size) => all + size, 0)
  t.ok(sum(files.map(({ length }) => length)) <= MOST_BYTES, 'as they are')
  t.ok(sum(files.map((file) => gzipSync(file, { level: 9 }).length)) <= MOST_COMPRESSED, 'compressed')
})

t.test('only what the page needs is there', async (t) => {
  t.strictSame([...new Set(NAMES.map((name) => extname(name)))].sort(), ['.css', '.html', '.js', '.svg'])
})

t.test('the first file names every module, and nothing from elsewhere', async (t) => {
  const first = readFileSync(new URL('index.html', FOLDER), 'utf8')
  const named = [...first.matchAll(/<link rel="modulepreload" href="([^"]+)">/g)].map(([, name]) => name)
  t.strictSame(named.sort(), NAMES.filter((name) => name.endsWith('.js')).sort())
  for (const [, target = ''] of first.matchAll(/(?:href|src)="([^"]+)"/g))
    t.notMatch(target, /^(\w+:|\/\/)/, target)
})
