/**
 * Prints the completion of ganeti-rapi's options for bash, as lib/options.ts has
 * them. Needs dist/ (npm run build).
 *
 *     node completion/make.js >/usr/share/bash-completion/completions/ganeti-rapi
 */
import { FLAGS, PROGRAM } from '../dist/lib/options.js'

const flags = Object.values(FLAGS)
const names = ({ short, long }) => (short ? [`-${short}`, `--${long}`] : [`--${long}`])

/** What completes the values that help texts call by these words; for other values there is nothing to offer. */
const BY_METAVAR = {
  FILE: 'compopt -o filenames && mapfile -t COMPREPLY < <(compgen -f -- "$word")',
  INTERFACE: 'mapfile -t COMPREPLY < <(cd /sys/class/net && compgen -G "$word*")',
}

/** A branch of the `case` over the option that awaits a value; all options with the same completion share one. */
function branches() {
  const byAction = new Map()
  for (const flag of flags.filter(({ metavar }) => metavar !== undefined)) {
    const action = flag.choices ? completeWords(flag.choices) : (BY_METAVAR[flag.metavar] ?? ':')
    byAction.set(action, [...(byAction.get(action) ?? []), ...names(flag)])
  }
  return [...byAction].map(([action, options]) => `    ${options.join(' | ')}) ${action} ;;`)
}

const completeWords = (words) => `mapfile -t COMPREPLY < <(compgen -W '${words.join(' ')}' -- "$word")`

const identifier = `_${PROGRAM.replaceAll('-', '_')}`

process.stdout.write(`# Completion of ${PROGRAM}(8) for bash. Made by completion/make.js from lib/options.ts.
${identifier}() {
  local word=\${COMP_WORDS[COMP_CWORD]} option=\${COMP_WORDS[COMP_CWORD - 1]}
  # In --option=value, bash takes the equals sign for a word of its own.
  if [[ $word == '=' ]]; then
    word=
  elif [[ $option == '=' ]]; then
    option=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
  case $option in
${branches().join('\n')}
    *) ${completeWords(flags.flatMap(names))} ;;
  esac
}
complete -F ${identifier} ${PROGRAM}
`)
