package dev.nibble.trainer.model.config;

import dev.nibble.compute.kernels.Activation;
import dev.nibble.trainer.model.config.LayerPlan.Attention;
import dev.nibble.trainer.model.config.LayerPlan.GatedMlp;
import dev.nibble.trainer.model.config.LayerPlan.HeadNorms;
import dev.nibble.trainer.model.config.LayerPlan.Inputs;
import dev.nibble.trainer.model.config.LayerPlan.Linear;
import dev.nibble.trainer.model.config.LayerPlan.Norm;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How the layers of a family differ from each other family's, from which their {@link LayerPlan}s
 * are made: what is there, not how large it is.
 *
 * @param fused one matrix {@code qkv_proj} and one {@code gate_up_proj}, parts stacked by rows
 * @param inputBias biases on q, k and v
 * @param outputBias a bias on o
 * @param mlpBias biases on gate, up and down
 * @param headNorms norms of each query and key head, before rope
 * @param postNorms norms of what a branch adds, besides those of what it reads
 * @param normOffset what every norm adds to its stored weight
 * @param activation of the gate
 */
record LayerWiring(
    boolean fused,
    boolean inputBias,
    boolean outputBias,
    boolean mlpBias,
    boolean headNorms,
    boolean postNorms,
    double normOffset,
    Activation activation) {

  /** Llama without biases; families say what they change. */
  static final LayerWiring PLAIN =
      new LayerWiring(false, false, false, false, false, false, 0, Activation.SILU);

  LayerWiring withFusedProjections() {
    return new LayerWiring(
        true, inputBias, outputBias, mlpBias, headNorms, postNorms, normOffset, activation);
  }

  LayerWiring withAttentionBiases(boolean inputs, boolean output) {
    return new LayerWiring(
        fused, inputs, output, mlpBias, headNorms, postNorms, normOffset, activation);
  }

  LayerWiring withMlpBias(boolean present) {
    return new LayerWiring(
        fused, inputBias, outputBias, present, headNorms, postNorms, normOffset, activation);
  }

  LayerWiring withHeadNorms() {
    return new LayerWiring(
        fused, inputBias, outputBias, mlpBias, true, postNorms, normOffset, activation);
  }

  /** Gemma's: four norms with stored weight - 1, GeGLU. */
  LayerWiring withGemmaNormsAndGate() {
    return new LayerWiring(
        fused, inputBias, outputBias, mlpBias, headNorms, true, 1, Activation.GELU_TANH);
  }

  /** The plans of a model's layers, one for each element of {@code attention}. */
  List<LayerPlan> layers(Sizes sizes, List<LayerAttention> attention) {
    List<LayerPlan> plans = new ArrayList<>();
    for (int l = 0; l < attention.size(); l++) {
      plans.add(layer(l, sizes, attention.get(l)));
    }
    return plans;
  }

  private LayerPlan layer(int l, Sizes s, LayerAttention attention) {
    String layer = ModelTensors.layer(l);
    int c = s.hidden();
    Norm afterAttention = norm(layer + "post_attention_layernorm", Part.POST_ATTENTION_NORM, c);
    return new LayerPlan(
        l,
        norm(layer + "input_layernorm", Part.ATTENTION_NORM, c),
        attention(layer + "self_attn.", s, attention),
        postNorms ? Optional.of(afterAttention) : Optional.empty(),
        postNorms
            ? norm(layer + "pre_feedforward_layernorm", Part.FEED_FORWARD_NORM, c)
            : norm(layer + "post_attention_layernorm", Part.FEED_FORWARD_NORM, c),
        mlp(layer + "mlp.", s),
        postNorms
            ? Optional.of(
                norm(layer + "post_feedforward_layernorm", Part.POST_FEED_FORWARD_NORM, c))
            : Optional.empty());
  }

  private Attention attention(String at, Sizes s, LayerAttention attention) {
    int c = s.hidden();
    int q = s.query();
    int kv = s.keyValue();
    Inputs inputs =
        fused
            ? new Inputs(
                List.of(
                    new Linear(at + "qkv_proj", Part.QUERY_KEY_VALUE, q + 2 * kv, c, inputBias)),
                true)
            : new Inputs(
                List.of(
                    new Linear(at + "q_proj", Part.QUERY, q, c, inputBias),
                    new Linear(at + "k_proj", Part.KEY, kv, c, inputBias),
                    new Linear(at + "v_proj", Part.VALUE, kv, c, inputBias)),
                false);
    return new Attention(
        inputs,
        headNorms
            ? Optional.of(
                new HeadNorms(
                    norm(at + "q_norm", Part.QUERY_NORM, s.head()),
                    norm(at + "k_norm", Part.KEY_NORM, s.head())))
            : Optional.empty(),
        new Linear(at + "o_proj", Part.ATTENTION_OUTPUT, c, q, outputBias),
        attention.rule(),
        attention.rope(),
        s.heads(),
        s.keyValueHeads(),
        s.head());
  }

  private GatedMlp mlp(String at, Sizes s) {
    int c = s.hidden();
    int f = s.feedForward();
    Inputs inputs =
        fused
            ? new Inputs(
                List.of(new Linear(at + "gate_up_proj", Part.GATE_UP, 2 * f, c, mlpBias)), true)
            : new Inputs(
                List.of(
                    new Linear(at + "gate_proj", Part.GATE, f, c, mlpBias),
                    new Linear(at + "up_proj", Part.UP, f, c, mlpBias)),
                false);
    return new GatedMlp(
        inputs, new Linear(at + "down_proj", Part.DOWN, c, f, mlpBias), f, activation);
  }

  private static Norm norm(String module, Part part, int size) {
    return new Norm(module, part, size);
  }
}
