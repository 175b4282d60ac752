package dev.nibble.trainer.export.gguf;

import dev.nibble.quant.CheckpointReaders;
import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.IntPredicate;
import tools.jackson.databind.JsonNode;

/**
 * What GGUF needs of a config.json of transformers 4 or 5; keys that are missing have transformers'
 * defaults.
 *
 * @param hiddenSize C
 * @param feedForwardSize F
 * @param layers L
 * @param heads H
 * @param keyValueHeads K
 * @param headSize D
 * @param attentionBias biases on q, k and v
 * @param outputBias a bias on o
 * @param mlpBias biases on gate, up and down
 * @param tiedHead the output head is the embedding table
 * @param window how many tokens a layer with a sliding window sees
 * @param attentionCap scores are cap * tanh(score / cap)
 * @param finalCap logits are cap * tanh(logit / cap)
 * @param json for what is read elsewhere
 */
record ModelConfig(
    Architecture architecture,
    int hiddenSize,
    int feedForwardSize,
    int layers,
    int heads,
    int keyValueHeads,
    int headSize,
    int maxPositions,
    double normEpsilon,
    boolean attentionBias,
    boolean outputBias,
    boolean mlpBias,
    boolean tiedHead,
    OptionalInt window,
    OptionalDouble attentionCap,
    OptionalDouble finalCap,
    JsonFile json) {

  static ModelConfig read(Path folder) {
    JsonFile c = JsonFile.read(folder.resolve("config.json"));
    Architecture a = Architecture.of(c);
    c.object("quantization_config").ifPresent(CheckpointReaders::summary);
    String activation = a.isGemma() ? "hidden_activation" : "hidden_act";
    String supported = a.isGemma() ? "gelu_pytorch_tanh" : "silu";
    if (!c.text(activation, supported).equals(supported)) {
      throw c.wrong(activation, supported);
    }
    if (c.flag("use_bidirectional_attention", false)) {
      throw c.wrong("use_bidirectional_attention", "false");
    }
    int hidden = c.positive("hidden_size");
    int heads = c.positive("num_attention_heads");
    boolean bias = c.flag("attention_bias", false);
    boolean llama = a == Architecture.LLAMA;
    if (bias && !llama) {
      throw c.wrong("attention_bias", "false for " + a.id());
    }
    ModelConfig config =
        new ModelConfig(
            a,
            hidden,
            c.positive("intermediate_size"),
            c.positive("num_hidden_layers"),
            heads,
            c.positive("num_key_value_heads", defaultKeyValueHeads(c, heads)),
            c.positive("head_dim", defaultHeadSize(a, hidden / heads)),
            c.positive("max_position_embeddings"),
            c.number("rms_norm_eps", a == Architecture.PHI3 ? 1e-5 : 1e-6),
            bias || a == Architecture.QWEN2,
            bias,
            llama && c.flag("mlp_bias", false),
            c.flag("tie_word_embeddings", a.isGemma()),
            window(c, a),
            a == Architecture.GEMMA2 ? cap(c, "attn_logit_softcapping") : OptionalDouble.empty(),
            a.isGemma() ? cap(c, "final_logit_softcapping") : OptionalDouble.empty(),
            c);
    if (a.isGemma()) {
      config.checkAttentionScale();
      config.checkWindowedLayers(a == Architecture.GEMMA2 ? i -> i % 2 == 0 : i -> i % 6 != 5);
    }
    return config;
  }

  private static int defaultKeyValueHeads(JsonFile c, int heads) {
    return switch (c.text("model_type", "")) {
      case "mistral" -> 8;
      case "qwen2", "qwen3" -> 32;
      case "gemma2", "gemma3_text" -> 4;
      default -> heads;
    };
  }

  private static int defaultHeadSize(Architecture a, int quotient) {
    return switch (a) {
      case QWEN3 -> 128;
      case GEMMA2, GEMMA3 -> 256;
      default -> quotient;
    };
  }

  private static OptionalInt window(JsonFile c, Architecture a) {
    boolean used =
        switch (a) {
          case QWEN2, QWEN3 -> c.flag("use_sliding_window", false);
          default -> true;
        };
    if (used && c.has("sliding_window")) {
      return OptionalInt.of(c.positive("sliding_window"));
    }
    boolean byDefault =
        a.isGemma()
            || (c.text("model_type", "").equals("mistral") && !c.node().has("sliding_window"));
    return byDefault ? OptionalInt.of(4096) : OptionalInt.empty();
  }

  private static OptionalDouble cap(JsonFile c, String key) {
    return c.has(key) ? OptionalDouble.of(c.number(key)) : OptionalDouble.empty();
  }

  /** llama.cpp knows the scale of Gemma's attention by the model's size. */
  private void checkAttentionScale() {
    int largest = architecture == Architecture.GEMMA2 ? 46 : 62;
    int expected = layers == largest ? hiddenSize / heads : headSize;
    if (json.number("query_pre_attn_scalar", 256) != expected) {
      throw json.wrong(
          "query_pre_attn_scalar",
          "%d, which llama.cpp takes for this number of layers".formatted(expected));
    }
  }

  /** llama.cpp knows which of Gemma's layers have a window. */
  private void checkWindowedLayers(IntPredicate windowed) {
    JsonNode types = json.get("layer_types");
    for (int i = 0; i < types.size(); i++) {
      if (types.get(i).asString("").equals("sliding_attention") != windowed.test(i)) {
        throw json.wrong(
            "layer_types", "the pattern of %s as it was published".formatted(architecture.id()));
      }
    }
  }

  int querySize() {
    return heads * headSize;
  }

  int keyValueSize() {
    return keyValueHeads * headSize;
  }
}
