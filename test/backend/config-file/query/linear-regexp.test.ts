import t from 'tap'
import { linearRegExp } from '../../../../lib/backend/config-file/query/linear-regexp.ts'

t.test('matches anywhere in the text', async (t) => {
  const cases: [pattern: string, text: string, matches: boolean][] = [
    ['^node[12]', 'node1.example.com', true],
    ['^node[12]', 'node3.example.com', false],
    ['example', 'node1.example.com', true],
    ['1\\.example\\.com$', 'node1.example.com', true],
    ['1\\.example\\.com$', 'node1-example-com', false],
    ['', 'anything', true],
    ['^(web|db)-\\d{2,3}$', 'db-17', true],
    ['^(web|db)-\\d{2,3}$', 'db-1', false],
    ['\\bprod\\b', 'a prod b', true],
    ['a\\-b', 'a-b', true],
    ['\\x41', 'A', true],
    ['[^.]+?\\.', 'ab.', true],
    ['ä', 'bär', true],
  ]
  for (const [pattern, text, matches] of cases)
    t.equal(linearRegExp(pattern).test(text), matches, `${pattern} ${text}`)
})

t.test('patterns that would take others for ever are matched', async (t) => {
  const text = `${'a'.repeat(1000)}!`
  for (const pattern of ['^(a+)+$', '^(a|aa)+$', '^(a*)*$', '(.*a){10}$']) {
    const { test } = linearRegExp(pattern)
    t.equal(test(text), false, pattern)
  }
})

t.test('what is broken, too large or not linear is invalid', async (t) => {
  const cases: [pattern: string, message: RegExp][] = [
    ['((', /^Invalid regular expression '\(\(': Unterminated group$/],
    ['*', /Nothing to repeat$/],
    ['[a', /Unterminated character class$/],
    ['(?=a)', /Cannot be executed in linear time$/],
    ['a{17}', /Cannot be executed in linear time$/],
    ['(a{4}){5}', /Cannot be executed in linear time$/],
    ['(?i)a', /Invalid group$/],
    ['(a)\\1', /'\\1' is not supported$/],
    ['\\Aa', /'\\A' is not supported$/],
    ['a\\z', /'\\z' is not supported$/],
    ['\\Qa', /'\\Q' is not supported$/],
    ['a\\', /'\\' is not supported$/],
    ['\\\\\\p', /'\\p' is not supported$/],
    ['[[:alpha:]]', /'\[:' is not supported$/],
    ['[]a]', /'\[\]' is not supported$/],
    ['[^]', /'\[\^\]' is not supported$/],
    ['a'.repeat(513), /longer than 512 characters$/],
  ]
  for (const [pattern, message] of cases) {
    t.throws(() => linearRegExp(pattern), { code: 'invalid', message }, pattern.slice(0, 20))
  }
})

t.test('a text that is too long for the pattern is invalid', async (t) => {
  const { test } = linearRegExp('a'.repeat(500))
  t.equal(test('b'.repeat(300)), false)
  t.throws(() => test('b'.repeat(500)), {
    code: 'invalid',
    message: /too large for a value of 500 characters/,
  })
})
