package dev.nibble.quant.awq;

import static dev.nibble.quant.awq.AwqLayout.module;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.quant.ModuleTensors;
import dev.nibble.quant.NonFinite;
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
 * The weights of a checkpoint in {@link AwqLayout}: the modules that have codes.
 *
 * @param shapes of the weights [O, I], by the names that they would have were they dense
 * @param stored the format of all of them
 */
record AwqCheckpoint(StoredTensors checkpoint, SequencedMap<String, Shape> shapes, AwqFormat stored)
    implements StoredWeights {
  /** What modules of GPTQ have, whose codes have the same name. */
  private static final String INDEX = ".g_idx";

  /**
   * Finds the weights and checks their tensors.
   *
   * @return empty when there are none
   * @throws UnusableWeight naming file, tensor, what was expected and what was found
   */
  static Optional<StoredWeights> of(StoredTensors checkpoint) {
    SequencedMap<String, Shape> shapes = new LinkedHashMap<>();
    int size = 0;
    for (String name : checkpoint.names()) {
      if (!name.endsWith(AwqLayout.CODES)) {
        continue;
      }
      ModuleTensors module =
          new ModuleTensors(
              checkpoint, name.substring(0, name.length() - AwqLayout.CODES.length()));
      if (!isOurs(module)) {
        continue;
      }
      Shape shape = shape(module);
      int found =
          Math.toIntExact(shape.dim(1) / module.tensor(AwqLayout.SCALES, AwqLayout.CODES).dim(0));
      if (size != 0 && found != size) {
        throw new UnusableWeight(
            "%s: '%s' is in groups of %d, but '%s' in groups of %d; expected one size for all"
                .formatted(
                    checkpoint.placeOf(name),
                    module.module(),
                    found,
                    module(shapes.firstEntry().getKey()),
                    size));
      }
      size = found;
      shapes.put(module.module() + AwqLayout.WEIGHT, shape);
    }
    return shapes.isEmpty()
        ? Optional.empty()
        : Optional.of(new AwqCheckpoint(checkpoint, shapes, new AwqFormat(size)));
  }

  /** GPTQ's codes have an index beside them, or as many columns as their scales. */
  private static boolean isOurs(ModuleTensors m) {
    if (m.has(INDEX)) {
      return false;
    }
    return !m.has(AwqLayout.SCALES)
        || m.tensor(AwqLayout.CODES, AwqLayout.CODES).cols()
            != m.tensor(AwqLayout.SCALES, AwqLayout.CODES).cols();
  }

  private static Shape shape(ModuleTensors m) {
    Tensor codes = m.tensor(AwqLayout.CODES, AwqLayout.CODES);
    Tensor scales = m.tensor(AwqLayout.SCALES, AwqLayout.CODES);
    m.tensor(AwqLayout.ZEROS, AwqLayout.CODES);
    if (codes.dtype() != DType.I32 || codes.shape().rank() != 2 || codes.elements() == 0) {
      throw m.wrong(AwqLayout.CODES, ModuleTensors.described(codes), "I32[inputs, outputs / 8]");
    }
    long cols = codes.dim(0);
    long words = codes.dim(1);
    boolean fits =
        scales.dtype() == DType.F16
            && scales.shape().rank() == 2
            && scales.dim(1) == words * AwqPacking.CODES
            && scales.dim(0) > 0
            && cols % scales.dim(0) == 0;
    if (!fits) {
      throw m.wrong(
          AwqLayout.SCALES,
          ModuleTensors.described(scales),
          "F16[groups, %d], groups a divisor of %d".formatted(words * AwqPacking.CODES, cols));
    }
    m.require(AwqLayout.ZEROS, DType.I32, Shape.of(scales.dim(0), words));
    return Shape.of(words * AwqPacking.CODES, cols);
  }

  @Override
  public Optional<WeightFormat> format() {
    return Optional.of(stored);
  }

  @Override
  public Optional<Shape> shape(String weight) {
    return Optional.ofNullable(shapes.get(weight));
  }

  @Override
  public Set<String> tensors(Set<String> names) {
    Set<String> all = StoredWeights.super.tensors(names);
    all.addAll(shapes.keySet());
    return all;
  }

  @Override
  public Set<String> companions() {
    return shapes.keySet().stream()
        .flatMap(w ->
            Stream.of(AwqLayout.CODES, AwqLayout.ZEROS, AwqLayout.SCALES)
                .map(part -> module(w) + part))
        .collect(Collectors.toUnmodifiableSet());
  }

  @Override
  public Loader loader(Kernels kernels, Scope scope) {
    WeightFormat.Allocator allocator = stored.allocator(kernels, scope);
    return weight -> {
      Shape shape = shapes.get(weight);
      if (shape == null) {
        throw new IllegalArgumentException(weight + " is dense");
      }
      Affine matrix = (Affine) allocator.allocate(weight, shape.dim(0), shape.dim(1));
      if (!kernels.memory().isPlanned()) { // a plan reads no weights
        load(kernels, module(weight), matrix);
      }
      return matrix;
    };
  }

  private void load(Kernels kernels, String module, Affine matrix) {
    long groups = matrix.cols() / matrix.groups().size();
    try (Scope host = Scope.open("unpacked weight", Memory.host())) {
      Tensor codes = host.allocate("codes", DType.U8, matrix.codes().elements());
      unpack(module + AwqLayout.CODES, matrix.bits(), codes);
      kernels.moving().copy(matrix.codes(), codes);

      Tensor zeros = host.allocate("zeros", DType.U8, matrix.rows() * groups);
      unpack(module + AwqLayout.ZEROS, Byte.SIZE, zeros);
      kernels.moving().copy(matrix.zeros().plain(), zeros);

      Tensor scales = checkpoint.tensor(module + AwqLayout.SCALES);
      NonFinite.refuse(scales, checkpoint.placeOf(module + AwqLayout.SCALES));
      Tensor turned = host.allocate("scales", DType.F16, matrix.rows() * groups);
      for (long g = 0; g < groups; g++) {
        for (long r = 0; r < matrix.rows(); r++) {
          turned.setFloat(r * groups + g, scales.getFloat(g * matrix.rows() + r));
        }
      }
      kernels.moving().copy(matrix.scales().plain(), turned);
      checkpoint.unload(module + AwqLayout.SCALES);
    }
  }

  /** Writes codes as a stream of some bits each. */
  private void unpack(String name, int bits, Tensor to) {
    Affine.pack(AwqPacking.unpack(checkpoint.tensor(name)), bits, to);
    checkpoint.unload(name);
  }
}
