package dev.nibble.quant.int8;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.quant.NonFinite;
import dev.nibble.quant.ShapedWeights;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The weights of a checkpoint in {@link Int8Layout}: those that have scales beside them.
 *
 * @param shapes of the weights, by their names
 * @param groupSize of all of them
 */
record Int8Checkpoint(StoredTensors checkpoint, SequencedMap<String, Shape> shapes, int groupSize)
    implements ShapedWeights {
  private static final String SCALES_OF_WEIGHT = ".weight" + Int8Layout.SCALE;

  /**
   * Finds the weights and checks their tensors.
   *
   * @return empty when there are no scales
   * @throws UnusableWeight naming file, tensor, what was expected and what was found
   */
  static Optional<StoredWeights> of(StoredTensors checkpoint) {
    SequencedMap<String, Shape> shapes = new LinkedHashMap<>();
    int groupSize = 0;
    for (String name : checkpoint.names()) {
      if (!name.endsWith(SCALES_OF_WEIGHT)) {
        continue;
      }
      String weight = name.substring(0, name.length() - Int8Layout.SCALE.length());
      int found = check(checkpoint, weight);
      if (groupSize != 0 && found != groupSize) {
        throw new UnusableWeight(
            "%s: tensor '%s' is in groups of %d, but '%s' in groups of %d; expected one size for all"
                .formatted(
                    checkpoint.placeOf(name),
                    weight,
                    found,
                    shapes.firstEntry().getKey(),
                    groupSize));
      }
      groupSize = found;
      shapes.put(weight, checkpoint.tensor(weight).shape());
    }
    return shapes.isEmpty()
        ? Optional.empty()
        : Optional.of(new Int8Checkpoint(checkpoint, shapes, groupSize));
  }

  /** The group size of a weight. */
  private static int check(StoredTensors checkpoint, String weight) {
    String scaleName = weight + Int8Layout.SCALE;
    Tensor codes = stored(checkpoint, weight, scaleName);
    Tensor zeros = stored(checkpoint, weight + Int8Layout.ZERO_POINT, scaleName);
    Tensor scales = checkpoint.tensor(scaleName);
    if (codes.dtype() != DType.I8 || codes.shape().rank() != 2) {
      throw wrong(checkpoint, codes, weight, "I8[outputs, inputs]");
    }
    boolean fits =
        scales.shape().rank() == 2
            && scales.dim(0) == codes.dim(0)
            && scales.cols() > 0
            && codes.cols() % scales.cols() == 0;
    if (!fits || !scales.dtype().isFloating()) {
      throw wrong(
          checkpoint,
          scales,
          scaleName,
          "F32[%d, groups], groups a divisor of %d".formatted(codes.dim(0), codes.cols()));
    }
    if (zeros.dtype() != DType.I8 || !zeros.shape().equals(scales.shape())) {
      throw wrong(checkpoint, zeros, weight + Int8Layout.ZERO_POINT, "I8" + scales.shape());
    }
    return Math.toIntExact(codes.cols() / scales.cols());
  }

  private static Tensor stored(StoredTensors checkpoint, String name, String beside) {
    if (!checkpoint.has(name)) {
      throw new UnusableWeight(
          "%s: tensor '%s' has no '%s' beside it, which 8-bit weights with zero points have"
              .formatted(checkpoint.placeOf(beside), beside, name));
    }
    return checkpoint.tensor(name);
  }

  private static UnusableWeight wrong(
      StoredTensors checkpoint, Tensor found, String name, String expected) {
    return new UnusableWeight(
        "%s: tensor '%s' is %s%s, expected %s of an 8-bit weight"
            .formatted(checkpoint.placeOf(name), name, found.dtype(), found.shape(), expected));
  }

  @Override
  public Optional<WeightFormat> format() {
    return Optional.of(new Int8Format(groupSize));
  }

  @Override
  public Set<String> companions() {
    return shapes.keySet().stream()
        .flatMap(w -> Stream.of(w + Int8Layout.SCALE, w + Int8Layout.ZERO_POINT))
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Scales of 16 bits are widened exactly. */
  @Override
  public Loader loader(Kernels kernels, Scope scope) {
    WeightFormat.Allocator allocator = new Int8Format(groupSize).allocator(kernels, scope);
    return weight -> {
      Shape shape = required(weight);
      Affine matrix = (Affine) allocator.allocate(weight, shape.dim(0), shape.dim(1));
      copy(kernels, matrix.codes(), weight);
      checkFinite(kernels, weight + Int8Layout.SCALE);
      copy(kernels, matrix.scales().plain(), weight + Int8Layout.SCALE);
      copy(kernels, matrix.zeros().plain(), weight + Int8Layout.ZERO_POINT);
      return matrix;
    };
  }

  private void copy(Kernels kernels, Tensor to, String name) {
    kernels.moving().copy(to, checkpoint.tensor(name));
    checkpoint.unload(name);
  }

  private void checkFinite(Kernels kernels, String scales) {
    if (kernels.memory().isPlanned()) {
      return; // a plan reads no weights
    }
    Tensor stored = checkpoint.tensor(scales);
    NonFinite.first(stored)
        .ifPresent(i -> {
          throw new UnusableWeight(
              "%s: tensor '%s' has %s at [%d, %d], expected a number"
                  .formatted(
                      checkpoint.placeOf(scales),
                      scales,
                      stored.getFloat(i),
                      i / stored.cols(),
                      i % stored.cols()));
        });
  }
}
