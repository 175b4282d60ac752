package dev.nibble.quant;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;

/**
 * The tensors of one module of a checkpoint, each named by what follows the module's name. Errors
 * name file, tensor, what was expected and what was found.
 *
 * @param module for example {@code model.layers.0.self_attn.q_proj}
 */
public record ModuleTensors(StoredTensors checkpoint, String module) {
  /** The end of the names that weights have, or would have were they dense. */
  public static final String WEIGHT = ".weight";

  /** The module of a weight: its name without {@link #WEIGHT}. */
  public static String module(String weight) {
    return weight.substring(0, weight.length() - WEIGHT.length());
  }

  /** Whether there is a tensor. */
  public boolean has(String part) {
    return checkpoint.has(module + part);
  }

  /**
   * A tensor.
   *
   * @param beside a part that is there and does not come without it
   * @throws UnusableWeight when it is missing
   */
  public Tensor tensor(String part, String beside) {
    if (!has(part)) {
      throw new UnusableWeight(
          "%s: tensor '%s' has no '%s' beside it"
              .formatted(checkpoint.placeOf(module + beside), module + beside, module + part));
    }
    return checkpoint.tensor(module + part);
  }

  /** Copies a tensor to where it is kept; the checkpoint's memory of it is given back. */
  public void copyTo(Tensor to, String part, Kernels kernels) {
    kernels.moving().copy(to, checkpoint.tensor(module + part));
    checkpoint.unload(module + part);
  }

  /** Checks a tensor's dtype and shape. */
  public void require(String part, DType dtype, Shape shape) {
    Tensor found = checkpoint.tensor(module + part);
    if (found.dtype() != dtype || !found.shape().equals(shape)) {
      throw wrong(part, described(found), dtype.toString() + shape);
    }
  }

  /** The error that a tensor is something else. */
  public UnusableWeight wrong(String part, Object found, String expected) {
    return new UnusableWeight(
        "%s: tensor '%s' is %s, expected %s"
            .formatted(checkpoint.placeOf(module + part), module + part, found, expected));
  }

  /** A tensor's dtype and shape. */
  public static String described(Tensor t) {
    return t.dtype().toString() + t.shape();
  }
}
