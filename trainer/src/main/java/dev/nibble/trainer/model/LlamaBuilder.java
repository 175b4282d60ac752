package dev.nibble.trainer.model;

import dev.nibble.adapters.Parameters;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import java.util.ArrayList;
import java.util.List;

/** Wires a Llama from its parts. */
final class LlamaBuilder {
  private LlamaBuilder() {}

  static Llama build(
      LlamaConfig config,
      Parts parts,
      Parameters parameters,
      ModelOptions options,
      Kernels kernels,
      Scope scope) {
    Embedding embedding = parts.embedding(LlamaTensors.EMBEDDING);
    List<LlamaBlock> blocks = new ArrayList<>();
    for (int l = 0; l < config.layers(); l++) {
      blocks.add(block(config, parts, l));
    }
    LmHead head =
        new LmHead(
            parts.norm(LlamaTensors.LAST_NORM, config.normEpsilon()),
            parts.head(config.tiedHead() ? LlamaTensors.EMBEDDING : LlamaTensors.HEAD),
            scope,
            config,
            options.maxBatchTokens());
    return new Llama(config, kernels, scope, parameters, embedding, blocks, head, options);
  }

  private static LlamaBlock block(LlamaConfig config, Parts parts, int l) {
    return new LlamaBlock(
        parts.norm(LlamaTensors.module(l, "input_layernorm.weight"), config.normEpsilon()),
        new Attention(
            parts.linear(LlamaTensors.module(l, "self_attn.q_proj")),
            parts.linear(LlamaTensors.module(l, "self_attn.k_proj")),
            parts.linear(LlamaTensors.module(l, "self_attn.v_proj")),
            parts.linear(LlamaTensors.module(l, "self_attn.o_proj")),
            config.headSize()),
        parts.norm(LlamaTensors.module(l, "post_attention_layernorm.weight"), config.normEpsilon()),
        new GatedMlp(
            parts.linear(LlamaTensors.module(l, "mlp.gate_proj")),
            parts.linear(LlamaTensors.module(l, "mlp.up_proj")),
            parts.linear(LlamaTensors.module(l, "mlp.down_proj"))));
  }
}
