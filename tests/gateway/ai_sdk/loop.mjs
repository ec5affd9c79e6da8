// Runs loops of tool calls by the Vercel AI SDK, whole and streamed, and asks one plain question; writes what came as JSON.
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai';
import { createOpenAI } from '@ai-sdk/openai';

const [baseURL, prompt, text, degrees] = process.argv.slice(2);
const openai = createOpenAI({ baseURL, apiKey: 'any' });
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const unstored = { openai: { store: false, include: ['reasoning.encrypted_content'] } };
const said = {};
for (const [name, model, providerOptions] of [
  ['chat', openai.chat('gpt-5'), {}],
  ['responses', openai.responses('gpt-5'), {}],
  ['responses, not stored', openai.responses('gpt-5'), unstored],
]) {
  let calls = 0;
  const execute = async () => { calls += 1; return degrees; };
  const tools = { temperature_in: tool({ description: 'Return it.', inputSchema: jsonSchema(schema), execute }) };
  const common = { model, maxRetries: 0, providerOptions };
  const loop = { ...common, prompt, tools, stopWhen: stepCountIs(4) };
  const whole = await generateText(loop);
  const stream = streamText(loop);
  let streamed = '';
  for await (const part of stream.textStream) streamed += part;
  const plain = await generateText({ ...common, prompt: text });
  said[name] = { whole: whole.text, streamed, calls, plain: plain.text };
}
console.log(JSON.stringify(said));
