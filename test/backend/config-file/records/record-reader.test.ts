import t from 'tap'
import { closest } from '../../../../lib/backend/config-file/records/did-you-mean.ts'
import { failureOf, quoted } from '../../../../lib/backend/config-file/records/problems.ts'
import { parseSize } from '../../../../lib/backend/config-file/records/record-reader.ts'

t.test('a size is MiB, or has a unit as the gnt-* tools take it', async (t) => {
  const cases: [text: string, size: number | undefined][] = [
    ['0', 0],
    ['512', 512],
    ['512m', 512],
    ['512M', 512],
    ['512MiB', 512],
    ['4g', 4096],
    ['4 GB', 4096],
    ['1t', 1048576],
    ['1.5g', 1536],
    ['0.1m', 1],
    [' 20G ', 20480],
    ['', undefined],
    ['g', undefined],
    ['4k', undefined],
    ['-1', undefined],
    ['1e3', undefined],
    ['4 g b', undefined],
    ['99999999999999999999', undefined],
  ]
  for (const [text, size] of cases) t.equal(parseSize(text), size, JSON.stringify(text))
})

t.test('a misspelt name is known by what it is nearest to', async (t) => {
  const names = ['vcpus', 'memory', 'disks', 'disk_template', 'nics', 'os']
  const cases: [name: string, meant: string | undefined][] = [
    ['vpcus', 'vcpus'],
    ['vcpu', 'vcpus'],
    ['Memory', 'memory'],
    ['mem', undefined],
    ['disk', 'disks'],
    ['disk-template', 'disk_template'],
    ['oss', 'os'],
    ['colour', undefined],
    ['x'.repeat(1000), undefined],
  ]
  for (const [name, meant] of cases) t.equal(closest(name, names), meant, name.slice(0, 20))
})

t.test('problems that are the same are listed once, and not endlessly', async (t) => {
  t.equal(failureOf('f', ['a', 'b', 'a']).message, 'f: a\nf: b')
  const many = Array.from({ length: 51 }, (_, number) => `problem ${number}`)
  const lines = failureOf('f', many).message.split('\n')
  t.equal(lines.length, 51)
  t.equal(lines.at(-1), 'f: and 1 more problem')
})

t.test('what a file says is quoted so that it cannot disturb a log', async (t) => {
  t.equal(quoted('a\nb"'), '"a\\nb\\""')
  t.equal(quoted('x'.repeat(61)), `"${'x'.repeat(60)}…"`)
})
