package dev.nibble.quant.awq;

import static dev.nibble.quant.ModuleTensors.module;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.quant.GroupedIntegers;
import dev.nibble.quant.ModuleTensors;
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
 * The weights of a checkpoint in {@link AwqLayout}: the modules that have codes.
 *
 * @param shapes of the weights [O, I], by the names that they would have were they dense
 * @param stored the format of all of them
 */
record AwqCheckpoint(StoredTensors checkpoint, SequencedMap<String, Shape> shapes, AwqFormat stored)
    implements ShapedWeights {
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
      if (!name.endsWith(GroupedIntegers.CODES)) {
        continue;
      }
      ModuleTensors module =
          new ModuleTensors(
              checkpoint, name.substring(0, name.length() - GroupedIntegers.CODES.length()));
      if (GroupedIntegers.packsInputs(module)) {
        continue;
      }
      Shape shape = shape(module);
      int found =
          Math.toIntExact(
              shape.dim(1) / module.tensor(GroupedIntegers.SCALES, GroupedIntegers.CODES).dim(0));
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
      shapes.put(module.module() + ModuleTensors.WEIGHT, shape);
    }
    return shapes.isEmpty()
        ? Optional.empty()
        : Optional.of(new AwqCheckpoint(checkpoint, shapes, new AwqFormat(size)));
  }

  private static Shape shape(ModuleTensors m) {
    Tensor codes = m.tensor(GroupedIntegers.CODES, GroupedIntegers.CODES);
    Tensor scales = m.tensor(GroupedIntegers.SCALES, GroupedIntegers.CODES);
    m.tensor(GroupedIntegers.ZEROS, GroupedIntegers.CODES);
    if (codes.dtype() != DType.I32 || codes.shape().rank() != 2 || codes.elements() == 0) {
      throw m.wrong(
          GroupedIntegers.CODES, ModuleTensors.described(codes), "I32[inputs, outputs / 8]");
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
          GroupedIntegers.SCALES,
          ModuleTensors.described(scales),
          "F16[groups, %d], groups a divisor of %d".formatted(words * AwqPacking.CODES, cols));
    }
    m.require(GroupedIntegers.ZEROS, DType.I32, Shape.of(scales.dim(0), words));
    return Shape.of(words * AwqPacking.CODES, cols);
  }

  @Override
  public Optional<WeightFormat> format() {
    return Optional.of(stored);
  }

  @Override
  public Set<String> companions() {
    return shapes.keySet().stream()
        .flatMap(w ->
            Stream.of(GroupedIntegers.CODES, GroupedIntegers.ZEROS, GroupedIntegers.SCALES)
                .map(part -> module(w) + part))
        .collect(Collectors.toUnmodifiableSet());
  }

  @Override
  public Loader loader(Kernels kernels, Scope scope) {
    WeightFormat.Allocator allocator = stored.allocator(kernels, scope);
    return weight -> {
      Shape shape = required(weight);
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
      unpack(module + GroupedIntegers.CODES, matrix.bits(), codes);
      kernels.moving().copy(matrix.codes(), codes);

      Tensor zeros = host.allocate("zeros", DType.U8, matrix.rows() * groups);
      unpack(module + GroupedIntegers.ZEROS, Byte.SIZE, zeros);
      kernels.moving().copy(matrix.zeros().plain(), zeros);

      Tensor scales = checkpoint.tensor(module + GroupedIntegers.SCALES);
      NonFinite.refuse(scales, checkpoint.placeOf(module + GroupedIntegers.SCALES));
      Tensor turned = host.allocate("scales", DType.F16, matrix.rows() * groups);
      GroupedIntegers.transpose(turned, scales, groups, matrix.rows());
      kernels.moving().copy(matrix.scales().plain(), turned);
      checkpoint.unload(module + GroupedIntegers.SCALES);
    }
  }

  /** Writes codes as a stream of some bits each. */
  private void unpack(String name, int bits, Tensor to) {
    Affine.pack(AwqPacking.unpack(checkpoint.tensor(name)), bits, to);
    checkpoint.unload(name);
  }
}
