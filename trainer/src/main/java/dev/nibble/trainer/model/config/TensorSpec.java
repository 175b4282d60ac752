package dev.nibble.trainer.model.config;

import dev.nibble.compute.tensor.Shape;

/**
 * One tensor that a model's checkpoint must hold.
 *
 * @param name as Hugging Face has it
 */
public record TensorSpec(String name, Shape shape, Kind kind) {

  /** What a tensor is for. */
  public enum Kind {
    /** Token embeddings [V, C]. */
    EMBEDDING,
    /** Weight of a norm [C]. */
    NORM,
    /** Weight of a linear map inside a block [O, I]: what is quantised and adapted. */
    LINEAR,
    /** Bias of a linear map [O]. */
    BIAS,
    /** The output head [V, C], when it is not the embedding table. */
    HEAD
  }

  /** Path of the module that the tensor belongs to: its name without the last part. */
  public String module() {
    return module(name);
  }

  /** The module of a tensor. */
  public static String module(String tensor) {
    return tensor.substring(0, tensor.lastIndexOf('.'));
  }

  /** True when weight decay applies. */
  public boolean decays() {
    return kind != Kind.NORM && kind != Kind.BIAS;
  }
}
