import { readFileSync } from 'node:fs'
import t from 'tap'
import { nameProcess } from '../../lib/daemon/process-name.ts'

const cmdline = () => readFileSync('/proc/self/cmdline', 'utf8')

t.test('the process has the name, and its command line as before', async (t) => {
  const before = cmdline()
  nameProcess('ganeti-rapi')
  t.equal(readFileSync('/proc/self/comm', 'utf8'), 'ganeti-rapi\n')
  t.equal(cmdline(), before)
})

t.test('a name that is too long is cut short', async (t) => {
  nameProcess('sixteen-letters-')
  t.equal(readFileSync('/proc/self/comm', 'utf8'), 'sixteen-letters\n')
})
