import { expect, it } from 'vitest'
import { askedFor } from './request.ts'

it('a request names a pod and a container, with or without a uid between them', () => {
  expect(askedFor('/exec/prod/chat-0/vllm?command=env&command=-0&output=1')).toMatchObject({
    ...{ what: 'exec', key: 'prod/chat-0', name: 'chat-0', container: 'vllm' },
  })
  expect(askedFor('/exec/prod/chat-0/vllm?command=env&command=-0')!.query.getAll('command')).toEqual(['env', '-0'])
  expect(askedFor('/exec/prod/chat-0/5d1f/vllm')).toMatchObject({ container: 'vllm' })
  expect(askedFor('/containerLogs/prod/chat%2D0/vllm')).toMatchObject({ name: 'chat-0' })
  expect(askedFor('/containerLogs/prod/%zz/vllm')).toMatchObject({ name: '%zz' })
  expect(askedFor('/portForward/prod/chat-0')).toMatchObject({ what: 'portForward', container: '' })
  expect([askedFor('/pods'), askedFor('/exec/prod'), askedFor('/')]).toEqual([undefined, undefined, undefined])
})
