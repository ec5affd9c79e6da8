// Asks one question by the Vercel AI SDK, whole and streamed, over both endpoints; writes what came as JSON.
import { generateText, streamText } from 'ai';
import { createOpenAI } from '@ai-sdk/openai';

const [baseURL, prompt] = process.argv.slice(2);
const openai = createOpenAI({ baseURL, apiKey: 'any' });
const said = {};
for (const [name, model] of [['chat', openai.chat('gpt-5')], ['responses', openai.responses('gpt-5')]]) {
  const whole = await generateText({ model, prompt, maxRetries: 0 });
  const stream = streamText({ model, prompt, maxRetries: 0 });
  let text = '';
  for await (const part of stream.textStream) text += part;
  said[name] = { whole: whole.text, streamed: text, finish: await stream.finishReason };
}
console.log(JSON.stringify(said));
