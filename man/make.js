/**
 * Makes the manual page: fills synopsis and options, as lib/options.ts has them,
 * into ganeti-rapi.8.in. Needs dist/ (npm run build).
 *
 *     node man/make.js            writes man/ganeti-rapi.8
 *     node man/make.js --print    prints it instead
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { FLAGS, optionEntries } from '../dist/lib/options.js'

/**
 * Makes plain text into lines of text: each sentence begins a line, as roff wants
 * it, none is longer than 80 characters, and none can be taken for a request.
 */
function prose(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll(/(?<![\w-])--?(?=\w)/g, (dashes) => '\\-'.repeat(dashes.length))
    .split(/(?<=\.) (?=[A-Z])/)
    .flatMap((sentence) => sentence.match(/\S.{0,77}\S(?=\s|$)|\S+/g))
    .map((line) => line.replace(/^(?=[.'])/, '\\&'))
}

/** `-f` as mdoc's Fl has it: without the first dash, which Fl adds. */
const flag = (name) => `Fl ${name.slice(1)}`

function withValue(name, metavar) {
  if (metavar === undefined) return flag(name)
  return `${flag(name)} ${name.startsWith('--') ? 'Ns = Ns Ar' : 'Ar'} ${metavar}`
}

function synopsis() {
  const flags = Object.values(FLAGS)
  const spelled = ({ short, long, metavar }) => withValue(short ? `-${short}` : `--${long}`, metavar)
  return [
    '.Nm',
    ...flags.filter(({ kind }) => kind !== 'action').map((one) => `.Op ${spelled(one)}`),
    ...flags.filter(({ kind }) => kind === 'action').flatMap((one) => ['.Nm', `.${flag(`--${one.long}`)}`]),
  ]
}

function options() {
  const items = optionEntries().flatMap(({ names, metavar, doc, default: otherwise }) => [
    `.It ${names.map((name) => withValue(name, metavar)).join(' , ')}`,
    ...prose(doc),
    ...(otherwise === undefined ? [] : prose(`Default: ${otherwise}.`)),
  ])
  return ['.Bl -tag -width Ds', ...items, '.El']
}

const template = readFileSync(new URL('ganeti-rapi.8.in', import.meta.url), 'utf8')
const page = template
  // The notes at the top are for whoever edits the template.
  .replace(/^(\.\\".*\n)+/, '.\\" Made by man/make.js from man/ganeti-rapi.8.in and lib/options.ts.\n')
  .replace('@SYNOPSIS@', () => synopsis().join('\n'))
  .replace('@OPTIONS@', () => options().join('\n'))

if (process.argv.includes('--print')) process.stdout.write(page)
else writeFileSync(new URL('ganeti-rapi.8', import.meta.url), page)
