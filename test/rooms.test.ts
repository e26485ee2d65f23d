/** The tree as CONTRIBUTING shows it: who may import whom. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Rooms from the ground up: folders, and files that are a room of their own. */
const ROOMS = roomsOf(readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8'))

function roomsOf(text: string): readonly string[] {
  const [, block = ''] = /## The rooms\n[\s\S]*?\n\n((?: {4}.*\n)+)/.exec(text) ?? []
  return [...block.matchAll(/^ {4}(\S+)/gm)].map(([, room = '']) => room.replace(/\/$/, ''))
}

/** By file: what it imports, types included. */
const IMPORTS = new Map(
  readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const file = join('lib', name)
      const text = readFileSync(join(ROOT, file), 'utf8')
      const names = [...text.matchAll(/(?:\bfrom |\bimport |\bimport\()'(\.[^']+)'/g)]
      return [file, names.map(([, path = '']) => normalize(join(dirname(file), path)))]
    }),
)

function roomOf(file: string): string {
  return ROOMS.includes(file) ? file : dirname(file)
}

t.test('every file stands in a room that CONTRIBUTING shows, and every room is there', async (t) => {
  const rooms = new Set([...IMPORTS.keys()].map(roomOf))
  t.strictSame([...rooms].sort(), [...ROOMS].sort())
})

t.test('no room imports from one above it', async (t) => {
  const wrong = [...IMPORTS].flatMap(([file, others]) =>
    others
      .filter((other) => ROOMS.indexOf(roomOf(other)) > ROOMS.indexOf(roomOf(file)))
      .map((other) => `${file} imports ${other}`),
  )
  t.strictSame(wrong, [])
})

t.test('no file comes back to itself by way of what it imports', async (t) => {
  const known = new Set<string>()
  const circles: string[] = []
  const walk = (file: string, path: readonly string[]) => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' > '))
    if (path.includes(file) || known.has(file)) return
    for (const other of IMPORTS.get(file) ?? []) walk(other, [...path, file])
    known.add(file)
  }
  for (const file of IMPORTS.keys()) walk(file, [])
  t.strictSame(circles, [])
})
