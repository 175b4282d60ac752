package dev.nibble.trainer.model.config;

import dev.nibble.compute.kernels.Activation;

/**
 * How the layers of a family differ from each other family's: what is there, not how large it is.
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
public record LayerWiring(
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
}
