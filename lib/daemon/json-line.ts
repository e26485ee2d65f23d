/**
 * Records as JSON, one on each line (JSON Lines). All characters are printable
 * ASCII, so that a client's text can neither end a line nor control a terminal.
 */

const UNUSUAL = /[^\x20-\x7e]/g

/** Gives a record as a line, with its newline. Keys whose value is undefined are left out. */
export function jsonLine(record: object): string {
  return `${JSON.stringify(record).replace(UNUSUAL, escaped)}\n`
}

/** How many bytes a text takes in a record. */
export function lengthInJson(text: string): number {
  return JSON.stringify(text).replace(UNUSUAL, escaped).length - '""'.length
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
