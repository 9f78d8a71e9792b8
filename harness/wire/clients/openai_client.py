"""Asks a server by the openai package; prints what it got as JSON. usage: openai_client.py BASE_URL"""

import json
import sys

from openai import BadRequestError, NotFoundError, OpenAI

client = OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
messages = [{"role": "user", "content": "Hello world, how are you today?"}]
about = {"model": "tiny-llama", "messages": messages, "max_tokens": 6}

answer = client.chat.completions.create(**about, logprobs=True, top_logprobs=2)
stream = list(client.chat.completions.create(**about, stream=True, stream_options={"include_usage": True}))
completion = client.completions.create(model="tiny-llama", prompt=["a", "b"], max_tokens=3, echo=True)
errors = []
for wrong in [{"model": "nope"}, {"temperature": -1}, {"n": 0}]:
    try:
        client.chat.completions.create(**{**about, **wrong})
    except (BadRequestError, NotFoundError) as error:
        errors.append([type(error).__name__, error.status_code, error.body["param"]])

print(
    json.dumps(
        {
            "models": [model.id for model in client.models.list()],
            "usage": [answer.usage.prompt_tokens, answer.usage.completion_tokens],
            "logprobs": [len(token.top_logprobs) for token in answer.choices[0].logprobs.content],
            "streamed": {
                "first": stream[0].choices[0].delta.role,
                "finish": [chunk.choices[0].finish_reason for chunk in stream if chunk.choices][-1],
                "usage": stream[-1].usage.completion_tokens,
            },
            "completion": [choice.text[0] for choice in completion.choices],
            "errors": errors,
        }
    )
)
