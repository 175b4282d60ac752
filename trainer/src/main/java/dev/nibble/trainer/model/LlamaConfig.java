package dev.nibble.trainer.model;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The sizes of a Llama model (arXiv:2302.13971), as its config.json gives them.
 *
 * @param vocabSize V
 * @param hiddenSize C
 * @param feedForwardSize F
 * @param layers L
 * @param heads H
 * @param keyValueHeads K, a divisor of H
 * @param headSize D
 * @param maxPositions the most tokens of a sequence
 * @param normEpsilon of RMSNorm
 * @param ropeTheta base of the rotary frequencies
 * @param ropeScaling their stretching
 * @param attentionBias biases on q, k, v and o
 * @param mlpBias biases on gate, up and down
 * @param tiedHead the output head is the embedding table
 * @param initializerRange standard deviation of random initial weights
 */
record LlamaConfig(
    int vocabSize,
    int hiddenSize,
    int feedForwardSize,
    int layers,
    int heads,
    int keyValueHeads,
    int headSize,
    int maxPositions,
    double normEpsilon,
    double ropeTheta,
    RopeScaling ropeScaling,
    boolean attentionBias,
    boolean mlpBias,
    boolean tiedHead,
    double initializerRange) {

  /**
   * Reads a config.json of transformers 4 or 5. Keys that are missing have transformers' defaults.
   *
   * @throws ModelException when the file is none, or asks for what is not supported
   */
  static LlamaConfig read(Path file) {
    ConfigJson c = ConfigJson.read(file);
    if (!c.text("model_type", "").equals("llama")) {
      throw c.wrong("model_type", "llama");
    }
    refuseOtherMathematics(c);
    int hidden = c.positive("hidden_size", 4096);
    int heads = c.positive("num_attention_heads", 32);
    int keyValueHeads = c.positive("num_key_value_heads", heads);
    if (heads % keyValueHeads != 0) {
      throw c.wrong("num_key_value_heads", "a divisor of num_attention_heads = " + heads);
    }
    if (!c.has("head_dim") && hidden % heads != 0) {
      throw c.wrong("hidden_size", "a multiple of num_attention_heads = " + heads);
    }
    int headSize = c.positive("head_dim", hidden / heads);
    if (headSize % 2 != 0) {
      throw c.wrong("head_dim", "an even number");
    }
    Optional<ConfigJson> rope = c.object("rope_parameters").or(() -> c.object("rope_scaling"));
    rope.ifPresent(r -> r.requireNumber("partial_rotary_factor", 1));
    double theta = c.positiveNumber("rope_theta", 10000);
    return new LlamaConfig(
        c.positive("vocab_size", 32000),
        hidden,
        c.positive("intermediate_size", 11008),
        c.positive("num_hidden_layers", 32),
        heads,
        keyValueHeads,
        headSize,
        c.positive("max_position_embeddings", 2048),
        c.positiveNumber("rms_norm_eps", 1e-6),
        rope.map(r -> r.positiveNumber("rope_theta", theta)).orElse(theta),
        rope.map(RopeScaling::read).orElseGet(RopeScaling.None::new),
        c.flag("attention_bias"),
        c.flag("mlp_bias"),
        c.flag("tie_word_embeddings"),
        c.positiveNumber("initializer_range", 0.02));
  }

  private static void refuseOtherMathematics(ConfigJson c) {
    if (!c.text("hidden_act", "silu").equals("silu")) {
      throw c.wrong("hidden_act", "silu");
    }
    c.requireNumber("pretraining_tp", 1);
    c.requireNumber("attention_dropout", 0);
    c.requireNumber("partial_rotary_factor", 1);
    c.requireAbsent("sliding_window");
  }

  /** H * D. */
  int querySize() {
    return heads * headSize;
  }

  /** K * D. */
  int keyValueSize() {
    return keyValueHeads * headSize;
  }
}
