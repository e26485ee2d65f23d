/** Line and column of a syntax error. V8's own message quotes the file, secrets included, and is not passed on. */
export function jsonErrorPosition(text: string): string {
  const message = syntaxErrorOf(text)
  const offset = Number(/at position (\d+)/.exec(message)?.[1] ?? offsetOfQuote(message, text))
  if (message.includes('end of JSON') || offset >= text.trimEnd().length) return ': it ends too early'
  const before = text.slice(0, offset).split('\n')
  return ` at line ${before.length}, column ${(before.at(-1) as string).length + 1}`
}

function syntaxErrorOf(text: string): string {
  try {
    JSON.parse(text)
    return ''
  } catch (error) {
    return (error as SyntaxError).message
  }
}

/** V8 names no position for an unexpected character, but quotes what stands around it, ten characters to each side. */
function offsetOfQuote(message: string, text: string): number {
  const [, character = '', cut, quote = ''] =
    /^Unexpected token '(.)', (\.\.\.)?"([\s\S]*)"(?:\.\.\.)? is/.exec(message) ?? []
  const start = text.indexOf(quote) + (cut === undefined ? 0 : 10)
  return Math.max(text.indexOf(character, start), 0)
}
