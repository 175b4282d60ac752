// Runs llama.cpp on GGUF files.
//
// usage: node run.mjs JOBS RESULTS
// JOBS: [{"model": FILE, "adapter": FILE (optional), "ids": [token], "texts": [text], "generate": count}]
// RESULTS: for each job {"logits": [for each of ids: [for each token: logit]], "tokens": [for each text: [token]], "text": what
// greedily follows ids, up to the end or to `generate` tokens, "following": its tokens, "ends": [token at which texts end]}.
import {readFile, writeFile} from "node:fs/promises";
import {getLlama} from "node-llama-cpp";

const [jobs, results] = process.argv.slice(2);
const llama = await getLlama({gpu: false, build: "never", logLevel: "error"});
console.log(`llama.cpp ${llama.llamaCppRelease.release}`);

async function run({model: modelPath, adapter, ids, texts, generate}) {
    const model = await llama.loadModel({modelPath});
    const context = await model.createContext({
        contextSize: 256,
        flashAttention: false,
        swaFullCache: true,
        experimentalKvCacheKeyType: "F32",
        experimentalKvCacheValueType: "F32",
        lora: adapter
    });
    const generateNext = {logits: true, options: {temperature: 0}};
    const sequence = context.getSequence();
    const evaluated = await sequence.controlledEvaluate(ids.map((id) => [id, {generateNext}]));
    const logits = evaluated.map(({next}) => {
        const row = new Array(next.logits.size);
        for (const [token, logit] of next.logits)
            row[token] = logit;
        return row;
    });
    const tokens = texts.map((text) => model.tokenize(text, true));
    const following = [];
    if (generate > 0) {
        await sequence.clearHistory();
        for await (const token of sequence.evaluate(ids, {temperature: 0})) { // stops at the end of the text
            following.push(token);
            if (following.length === generate)
                break;
        }
    }
    const text = model.detokenize(following);
    const ends = [...model.iterateAllTokens()].filter((token) => model.isEogToken(token));
    await context.dispose();
    await model.dispose();
    return {logits, tokens, text, following, ends};
}

const all = [];
for (const job of JSON.parse(await readFile(jobs, "utf8")))
    all.push(await run(job));
await writeFile(results, JSON.stringify(all));
await llama.dispose();
