import type { Random } from './random.ts'

/** Words that mean something in bodies of this API, besides the names of parameters. */
export const JSON_TOKENS = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\"',
    '\\u0000',
    '\\ud800',
    '\\udfff',
    '\\u00',
    'null',
    'true',
  ],
  ...['NaN', 'Infinity', '-', '-0', '1e999', '1E-7', '0x10', '01', '.5', '"__proto__":', '"constructor":'],
  ...[
    '\xef\xbb\xbf',
    '\xff',
    '\xed\xa0\x80',
    '\xf4\x90\x80\x80',
    '\xc0\xaf',
    '/**/',
    "'",
    '\u00a0',
    '[[[[[[[[',
  ],
  ...['1111111111111111111', '-9007199254740993', '"\\"\\"\\"\\""', '[1111111111111111111,"\\"'],
]

const ESCAPES = ['\\"', '\\\\', '\\/', '\\n', '\\u0041', '\\u0000', '\\ud83d\\ude00', '\\ud800', '\\udc00']

/**
 * A JSON text, mostly a right one, of names, numbers and structures that are hard on readers.
 * @param names what else may stand as a key or a text
 */
export function jsonText(random: Random, names: readonly string[], depth = 0): string {
  const inner = () => jsonText(random, names, depth + 1)
  const space = random.chance(0.1) ? random.pick([' ', '\n', '\t', '\r\n', '  ']) : ''
  const kind = random.below(depth > 5 ? 6 : 12)
  switch (kind) {
    case 0:
      return random.pick(['null', 'true', 'false'])
    case 1:
      return number(random)
    case 2:
    case 3:
      return string(random, names)
    case 4:
      return deep(random)
    case 5:
      return `"${random.pick(names)}"`
    case 6:
    case 7:
    case 8:
      return `[${space}${random.several(random.below(5), inner).join(`${space},`)}]`
    default:
      return `{${space}${random
        .several(random.below(5), () => `${string(random, names)}${space}:${inner()}`)
        .join(`,${space}`)}}`
  }
}

/** An object of some of the names that are meant to stand in it, with values that may be. */
export function jsonObject(random: Random, keys: readonly string[], names: readonly string[]): string {
  const chosen = keys.length > 4 ? random.several(random.size(1, 4), () => random.pick(keys)) : keys
  const members = chosen.map((key) => {
    if (key === 'fields' && random.chance(0.8)) return '"fields":["name"]'
    return `"${key}":${random.chance(0.2) ? deep(random) : jsonText(random, names, 1)}`
  })
  return `{${members.join()}}`
}

function number(random: Random): string {
  const sign = random.chance(0.3) ? '-' : ''
  switch (random.below(5)) {
    case 0:
      return `${sign}${random.below(100)}`
    case 1:
      return `${sign}1${random.several(random.size(10, 400), () => random.below(10)).join('')}`
    case 2:
      return `${sign}${random.below(10)}.${'3'.repeat(random.size(1, 400))}`
    case 3:
      return `${sign}${random.below(10)}e${random.below(2000) - 1000}`
    default:
      return `${sign}${random.pick(['9007199254740991', '9007199254740992', '9007199254740993', '0', '1.0'])}`
  }
}

function string(random: Random, names: readonly string[]): string {
  switch (random.below(6)) {
    case 0:
      return `"${random.chance(0.95) ? random.several(random.size(1, 40), () => random.pick(ESCAPES)).join('') : random.pick(ESCAPES).repeat(random.size(1, 40_000))}"`
    case 1:
      return `"${random.pick(['\xe9', '\u20ac', '\u{1f600}', '[1111111111111111111,']).repeat(random.size(1, 100))}"`
    case 2:
      return random.pick(['"__proto__"', '"constructor"', '"toString"', '""', '"\\u0000"', '"auto"'])
    default:
      return `"${random.pick(names)}"`
  }
}

/** Something that nests, a few levels or thousands of them. */
function deep(random: Random): string {
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['["&",', ']'],
    ['["!",', ']'],
    ['[[1111111111111111111],', ']'],
  ] as const)
  const levels = random.size(2, random.chance(0.2) ? 60_000 : 500)
  return `${open.repeat(levels)}${random.chance(0.9) ? '1' : ''}${close.repeat(random.chance(0.95) ? levels : levels - 1)}`
}
