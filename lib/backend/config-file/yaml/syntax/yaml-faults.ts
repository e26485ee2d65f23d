/**
 * What is wrong with YAML as such, in words for who wrote it, and where that
 * began: the parser notices a quote that is not closed where the file ends, and
 * speaks of tokens and implicit keys.
 */
import {
  type CST,
  type Document,
  isCollection,
  isScalar,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml'
import { quoted } from '../../records/problems.ts'

export interface YamlFault {
  /** In the text, from 0. */
  readonly offset: number
  readonly message: string
}

/** What the parser says of each kind of fault, in other words. */
const WORDS: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  ALIAS_PROPS: 'an alias (*) has no anchor (&) or tag (!) of its own',
  BAD_ALIAS: 'a name is missing after *, or quotes around text that begins with it',
  BAD_DIRECTIVE: 'a directive (%) that is not known',
  BAD_DQ_ESCAPE: 'a backslash in double quotes, and none of the characters that may follow it: write two',
  BAD_INDENT: 'this is indented otherwise than what it belongs to',
  BLOCK_AS_IMPLICIT_KEY: 'a second colon in the value of a key: put the value in quotes, or in a line below',
  BLOCK_IN_FLOW: 'lines of a list or an object within braces or brackets',
  KEY_OVER_1024_CHARS: 'a key of more than 1024 characters',
  MULTILINE_IMPLICIT_KEY:
    'a colon is missing after this, or it is indented otherwise than what it belongs to',
  MULTIPLE_ANCHORS: 'more than one anchor (&) of one value',
  MULTIPLE_DOCS: 'a second document begins here, and a cluster is one',
  MULTIPLE_TAGS: 'more than one tag (!) of one value',
  TAB_AS_INDENT: 'a tab in the indentation: use spaces',
}

/** The faults of a text that cannot be parsed; what only follows from another is left out. */
export function faultsOf(text: string): YamlFault[] {
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, keepSourceTokens: true })
  const faults: YamlFault[] = []
  for (const error of [...document.errors, ...document.warnings]) {
    const opening = unclosed(document, error)
    if (opening !== undefined) {
      const indented = error.code === 'BAD_INDENT' && error.pos[0] < text.trimEnd().length
      const hint = indented ? ', by a line that is indented further than what it belongs to' : ''
      faults.push({
        offset: opening,
        message: `the ${text[opening]} that opens here is not closed${hint}`,
      })
      // From there on the parser reads the rest of the file wrongly.
      break
    }
    faults.push({ offset: error.pos[0], message: wordsFor(error, text) })
  }
  return faults
}

function wordsFor({ code, message, pos: [offset] }: YAMLError, text: string): string {
  const word = /^\S*/.exec(text.slice(offset, offset + 100))?.[0] as string
  switch (code) {
    case 'BAD_SCALAR_START':
      return `text that begins with ${word[0]} must be in quotes`
    case 'MISSING_CHAR':
      return message.includes(', or :')
        ? `a comma is missing before ${quoted(word)}, or a colon`
        : 'a colon is missing after this'
    case 'TAG_RESOLVE_FAILED':
      return `the tag ${quoted(word)} means nothing here`
    case 'UNEXPECTED_TOKEN':
      return `${quoted(word)} has no place here`
  }
  return WORDS[code] ?? 'this is not YAML'
}

/** Where the quote, brace or bracket is that an error misses the end of. */
function unclosed(document: Document, { code, message, pos: [end] }: YAMLError): number | undefined {
  const isQuote = code === 'MISSING_CHAR' && message.includes('quote')
  const isBrace = /end with a [\]}]/.test(message)
  if (!isQuote && !isBrace) return undefined
  let opening: number | undefined
  // Of those around the place, the last that begins is the innermost.
  visit(document, (_, node) => {
    const [from, to] = (node as Node | null)?.range ?? []
    if (from === undefined || to === undefined || from >= end || to < end) return
    const isOpen = isQuote
      ? isScalar(node) && node.type?.startsWith('QUOTE')
      : isUnclosed(node as Node | null)
    if (isOpen) opening = from
  })
  return opening
}

function isUnclosed(node: Node | null): boolean {
  if (!isCollection(node) || !node.flow) return false
  const { end } = node.srcToken as CST.FlowCollection
  return !end.some(({ type }) => type === 'flow-map-end' || type === 'flow-seq-end')
}
