import t from 'tap'
import { readAnswer } from '../../../lib/backend/luxi/answer.ts'
import type { FailureCode } from '../../../lib/failure.ts'

const read = (text: string) => readAnswer(Buffer.from(text))

t.test('a success is its result, long integers exactly', async (t) => {
  t.same(await read('{"success":true,"result":[["a",1.5],[null]]}'), [['a', 1.5], [null]])
  t.equal(await read('{"success":true,"result":null}'), null)
  t.equal(await read('{"success":true,"result":1795324262246252033}'), 1795324262246252033n)
})

t.test('an error is a Failure of the kind that its class or code stands for', async (t) => {
  const cases: [result: unknown, code: FailureCode, message: string][] = [
    [['OpPrereqError', ['Node name n9 not found', 'unknown_entity']], 'not-found', 'Node name n9 not found'],
    [
      ['OpPrereqError', ['Sync queries are not allowed', 'wrong_input']],
      'invalid',
      'Sync queries are not allowed',
    ],
    [['OpPrereqError', ['It is there', 'already_exists']], 'invalid', 'It is there'],
    [['OpPrereqError', ['It runs', 'wrong_state']], 'unavailable', 'It runs'],
    [['OpPrereqError', ['No memory', 'insufficient_resources']], 'unavailable', 'No memory'],
    [['OpPrereqError', ['Odd', 'environment_error']], 'internal', 'Odd'],
    [['OpPrereqError', ['Odd', 'constructor']], 'internal', 'Odd'],
    [['OpPrereqError', ['Odd']], 'internal', 'Odd'],
    [['JobLost', ["Can't load job file"]], 'not-found', "Can't load job file"],
    [['JobQueueFull', ['Queue is full']], 'unavailable', 'Queue is full'],
    [['JobQueueDrainError', ['Drained']], 'unavailable', 'Drained'],
    [['GenericError', ['Queue drained']], 'unavailable', 'Queue drained'],
    [
      ['GenericError', ['Filter rule with UUID 57e6-2bd7 does not exist']],
      'not-found',
      'Filter rule with UUID 57e6-2bd7 does not exist',
    ],
    [['GenericError', ['Out of luck']], 'internal', 'Out of luck'],
    [['ParameterError', ["Can't find field named 'x'"]], 'invalid', "Can't find field named 'x'"],
    [['toString', ['Out of luck']], 'internal', 'Out of luck'],
    [['OpExecError', []], 'internal', 'OpExecError'],
    [
      'Failed to parse request: Cannot convert value \'["node", ["name"], ["nope"]]\', error: Unknown filter operand \'nope\'',
      'invalid',
      "Unknown filter operand 'nope'",
    ],
    [
      'Failed to parse request: Parsing WaitForJobChange message: Unable to read list',
      'invalid',
      'Parsing WaitForJobChange message: Unable to read list',
    ],
    ['What is this?', 'bad-answer', 'What is this?'],
  ]
  for (const [result, code, message] of cases) {
    const text = JSON.stringify({ success: false, result })
    await t.rejects(read(text), { code, message }, text)
  }
})

t.test('what is no answer is told as such', async (t) => {
  const texts = [
    '',
    'garbage',
    '{"success":tru',
    '[]',
    '5',
    'null',
    '{}',
    '{"success":true}',
    '{"success":1,"result":[]}',
    '{"result":[]}',
    '{"success":false,"result":{}}',
    '{"success":false,"result":[]}',
    '{"success":false,"result":["",[[5]]]}',
    '{"success":false,"result":[5,["text"]]}',
  ]
  for (const text of texts) {
    await t.rejects(
      read(text),
      { code: 'bad-answer', message: "The master daemon's answer cannot be understood" },
      text,
    )
  }
})

t.test('an answer that nests without end is told as such, and a long one is read whole', async (t) => {
  const nested = (levels: number) => `${'['.repeat(levels)}1795324262246252033${']'.repeat(levels)}`
  for (const levels of [1001, 50_000]) {
    await t.rejects(read(`{"success":true,"result":${nested(levels)}}`), { code: 'bad-answer' })
  }
  const long = Array.from({ length: 20_000 }, (_, n) => [n, `instance${n}`, '\ufffd'])
  t.same(await read(JSON.stringify({ success: true, result: long })), long)
})
