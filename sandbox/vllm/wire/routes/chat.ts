import { answerChat } from '../answers/chat/answer.ts'
import { answerBatchChat } from '../answers/chat/batch.ts'
import { batchChatRequest } from '../protocol/batch-chat.ts'
import { chatRequest } from '../protocol/chat.ts'
import { parseBody } from '../protocol/parse-body.ts'
import type { Route } from '../router/route.ts'

// follows vllm/entrypoints/openai/chat_completion/api_router.py
export const chatRoutes: readonly Route[] = [
  {
    path: '/v1/chat/completions',
    methods: ['POST'],
    counted: true,
    handler: (serving) => (request, reply) => answerChat(parseBody(request, chatRequest), request, reply, serving),
  },
  {
    path: '/v1/chat/completions/batch',
    methods: ['POST'],
    counted: true,
    handler: (serving) => (request, reply) =>
      answerBatchChat(parseBody(request, batchChatRequest), request, reply, serving),
  },
]
