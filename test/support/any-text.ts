/** Texts that are more likely than others to be taken for something else on their way through YAML and JavaScript. */
import { numbers } from './live-cluster.ts'

const KNOWN = [
  ...['<<', '=', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', '', ' ', '  x', 'x  '],
  ...['yes', 'No', 'on', 'OFF', 'y', 'N', 'true', 'FALSE', 'null', 'Null', 'NULL', '~', 'none'],
  ...[
    '0',
    '7',
    '-1',
    '+1',
    '007',
    '012',
    '08',
    '0o7',
    '0x1F',
    '0b11',
    '1_000',
    '1e3',
    '1.0',
    '.5',
    '1.',
    '-.5',
  ],
  ...['.inf', '-.INF', '.nan', '1e+21', '12e03', '190:20:30', '1:30.5', '52:54:00:12:34:56', '6.02E23', '0.'],
  ...['2001-12-14', '2001-12-14t21:59:43.10-05:00', '2001-12-14 21:59:43', '12345678901234567890'],
  ...[
    '- x',
    '-',
    '--',
    '---',
    '...',
    '? x',
    '?',
    ': x',
    ':',
    'a: b',
    'a:b',
    'a:',
    ':a',
    'a?b',
    'a #b',
    '#b',
    'a#b',
  ],
  ...[
    '{',
    '}',
    '[',
    ']',
    '{a}',
    '[a]',
    ',',
    'a,b',
    '&a',
    '*a',
    '!a',
    '|',
    '>',
    '%a',
    '@a',
    '`a',
    '"',
    "'",
    '"a"',
  ],
  ...["it's", '\\', '\\n', 'a\\', '\n', 'a\nb', '\na', 'a\n', '\r', '\r\n', '\t', 'a\tb', '\ta', 'a\t'],
  ...['\0', '\x01', '\x1b[31m', '\x7f', '\x80', '\x85', '\x9f', '\xa0', '\xad', '\u2028', '\u2029', '\ufeff'],
  ...[
    '\ufffd',
    '\ufffe',
    '\uffff',
    '\u{1f600}',
    '\ud800',
    '\udc00x',
    'é',
    'e\u0301',
    '日本',
    'עברית',
    '/',
    'a/b',
    '%YAML 1.1',
  ],
  ...['x'.repeat(1100), `${'"'.repeat(700)}`, 'word '.repeat(300), 'instances', 'cluster', 'default'],
]

const LETTERS = [...'ab01 .:-_+~=<>?!&*#%@|"\'`{}[],\\/\n\t\r\0\x7f\x85\u2028é😀\ud83d']

/** How many are made at random. */
const MADE = 25

/** Those that are known, and some that are made at random from a seed. */
export function anyTexts(seed: number): readonly string[] {
  const random = numbers(seed)
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T
  const made = Array.from({ length: MADE }, () =>
    Array.from({ length: 1 + Math.floor(random() * 8) }, () =>
      random() < 0.15 ? pick(KNOWN.slice(0, 60)) : pick(LETTERS),
    ).join(''),
  )
  return [...KNOWN, ...made]
}
