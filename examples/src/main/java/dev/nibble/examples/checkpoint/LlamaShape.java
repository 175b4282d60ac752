package dev.nibble.examples.checkpoint;

import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.examples.ProgramException;
import java.util.ArrayList;
import java.util.List;

/** Sizes of Llama models; those of {@code nibble bench}. */
record LlamaShape(
    int hidden, int feedForward, int layers, int heads, int keyValueHeads, int vocab) {

  /** The shape of this name. */
  static LlamaShape named(String name) {
    return switch (name) {
      case "tiny" -> new LlamaShape(512, 1408, 4, 8, 4, 4096);
      case "1b" -> new LlamaShape(2048, 5632, 22, 32, 4, 32000);
      case "7b" -> new LlamaShape(4096, 11008, 32, 32, 32, 32000);
      default -> throw new ProgramException("'%s' is none of tiny, 1b and 7b".formatted(name));
    };
  }

  /** As Llama 2 has it. */
  String config() {
    return """
    {
      "architectures": ["LlamaForCausalLM"],
      "model_type": "llama",
      "vocab_size": %d,
      "hidden_size": %d,
      "intermediate_size": %d,
      "num_hidden_layers": %d,
      "num_attention_heads": %d,
      "num_key_value_heads": %d,
      "max_position_embeddings": 4096,
      "rms_norm_eps": 1e-5,
      "tie_word_embeddings": false,
      "torch_dtype": "bfloat16"
    }
    """
        .formatted(vocab, hidden, feedForward, layers, heads, keyValueHeads);
  }

  /** All tensors in BF16, in the order of the forward pass. */
  List<TensorInfo> tensors() {
    long keyValue = (long) keyValueHeads * (hidden / heads);
    List<TensorInfo> all = new ArrayList<>();
    all.add(matrix("model.embed_tokens", vocab, hidden));
    for (int l = 0; l < layers; l++) {
      String layer = "model.layers." + l + ".";
      all.add(norm(layer + "input_layernorm"));
      all.add(matrix(layer + "self_attn.q_proj", hidden, hidden));
      all.add(matrix(layer + "self_attn.k_proj", keyValue, hidden));
      all.add(matrix(layer + "self_attn.v_proj", keyValue, hidden));
      all.add(matrix(layer + "self_attn.o_proj", hidden, hidden));
      all.add(norm(layer + "post_attention_layernorm"));
      all.add(matrix(layer + "mlp.gate_proj", feedForward, hidden));
      all.add(matrix(layer + "mlp.up_proj", feedForward, hidden));
      all.add(matrix(layer + "mlp.down_proj", hidden, feedForward));
    }
    all.add(norm("model.norm"));
    all.add(matrix("lm_head", vocab, hidden));
    return all;
  }

  /** Number of weights. */
  long weights() {
    return tensors().stream().mapToLong(t -> t.shape().elements()).sum();
  }

  private TensorInfo norm(String module) {
    return new TensorInfo(module + ".weight", DType.BF16, Shape.of(hidden));
  }

  private static TensorInfo matrix(String module, long rows, long cols) {
    return new TensorInfo(module + ".weight", DType.BF16, Shape.of(rows, cols));
  }
}
