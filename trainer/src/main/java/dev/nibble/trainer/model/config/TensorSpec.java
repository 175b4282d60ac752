package dev.nibble.trainer.model.config;

import dev.nibble.compute.tensor.Shape;
import java.util.OptionalInt;

/**
 * One tensor that a model's checkpoint must hold.
 *
 * @param name as Hugging Face has it
 * @param part that it belongs to
 * @param isBias whether it is the part's bias, else its weight
 * @param layer that it is in; empty for what lies before and behind all layers
 */
public record TensorSpec(String name, Shape shape, Part part, boolean isBias, OptionalInt layer) {

  /** A weight before or behind all layers. */
  public TensorSpec(String name, Shape shape, Part part) {
    this(name, shape, part, false, OptionalInt.empty());
  }

  /** The kinds of tensors. */
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

  /** Its kind. */
  public Kind kind() {
    return isBias ? Kind.BIAS : part.kind();
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
    return kind() != Kind.NORM && kind() != Kind.BIAS;
  }
}
