import t from 'tap'
import { fits, fitsHost, parseSelector } from '../../lib/auth/selectors.ts'

t.test('a selector has a kind and a value', async (t) => {
  t.strictSame(parseSelector('tag=team:web'), { kind: 'tag', value: 'team:web' })
  t.strictSame(parseSelector('group=Default'), { kind: 'group', value: 'Default' })
  t.strictSame(parseSelector('node=Node1.Example.com'), { kind: 'node', value: 'node1.example.com' })
  for (const text of ['', '=', 'tag', 'tag=', 'Tag=x', 'tags=x', 'tag=a b', 'tag=a!b', 'tag=a=b', 'tag=ä'])
    t.type(parseSelector(text), 'string', text)
})

t.test('a star stands for any characters, and nothing else for more than itself', async (t) => {
  const random = (letters: string, length: number) =>
    Array.from({ length }, () => letters[Math.floor(Math.random() * letters.length)]).join('')
  for (let count = 0; count < 20_000; count++) {
    const value = random('ab.*', Math.floor(Math.random() * 7))
    const text = random('ab.', Math.floor(Math.random() * 9))
    const expected = new RegExp(`^${value.replaceAll('.', '[.]').replaceAll('*', '.*')}$`).test(text)
    if (fits(value, text) !== expected) t.fail(`${value} and ${text}`)
  }
  t.ok(fits('*', ''))
  t.notOk(fits('', 'a'))
  t.ok(fits(`${'a*'.repeat(40)}b`, `${'a'.repeat(5000)}b`), 'many stars take no exponential time')
  t.notOk(fits(`${'*a'.repeat(40)}c`, 'a'.repeat(5000)))
})

t.test('the name of a host may end before a dot', async (t) => {
  for (const [value, name, does] of [
    ['web', 'web', true],
    ['web', 'web.example.com', true],
    ['web.example', 'web.example.com', true],
    ['web', 'web2.example.com', false],
    ['web*', 'web2.example.com', true],
    ['w*.example.com', 'web.example.com', true],
    ['w*.example.com', 'web.example.org', false],
    ['w*.example', 'web.example.com', true],
    ['eb', 'web', false],
    ['web.', 'web', false],
  ] as const)
    t.equal(fitsHost(value, name), does, `${value} ${name}`)
})
