// Runs llama.cpp on GGUF files.
//
// usage: node run.mjs JOBS RESULTS
// JOBS: [{"model": FILE, "adapter": FILE or null, "ids": [token], "texts": [text]}]
// RESULTS: for each job {"logits": [for each of ids: [for each token: logit]], "tokens": [for each text: [token]],
// "bos": the token that a prompt begins with, or null}.
import {readFile, writeFile} from "node:fs/promises";
import {getLlama} from "node-llama-cpp";

const [jobs, results] = process.argv.slice(2);
const llama = await getLlama({gpu: false, build: "never", logLevel: "error"});
console.log(`llama.cpp ${llama.llamaCppRelease.release}`);

async function run({model: modelPath, adapter, ids, texts}) {
    const model = await llama.loadModel({modelPath});
    const context = await model.createContext({
        contextSize: 256,
        flashAttention: false,
        swaFullCache: true,
        experimentalKvCacheKeyType: "F32",
        experimentalKvCacheValueType: "F32",
        ...(adapter == null ? {} : {lora: adapter})
    });
    const generateNext = {logits: true, options: {temperature: 0}};
    const evaluated = await context.getSequence().controlledEvaluate(ids.map((id) => [id, {generateNext}]));
    const logits = evaluated.map(({next}) => {
        const row = new Array(next.logits.size);
        for (const [token, logit] of next.logits)
            row[token] = logit;
        return row;
    });
    const tokens = texts.map((text) => model.tokenize(text, true));
    const bos = model.tokens.shouldPrependBosToken ? model.tokens.bos : null;
    await context.dispose();
    await model.dispose();
    return {logits, tokens, bos};
}

const all = [];
for (const job of JSON.parse(await readFile(jobs, "utf8")))
    all.push(await run(job));
await writeFile(results, JSON.stringify(all));
await llama.dispose();
