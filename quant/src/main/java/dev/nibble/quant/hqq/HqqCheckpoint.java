package dev.nibble.quant.hqq;

import static dev.nibble.quant.ModuleTensors.described;
import static dev.nibble.quant.ModuleTensors.module;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.Groups;
import dev.nibble.compute.weights.Groups.Axis;
import dev.nibble.quant.ModuleTensors;
import dev.nibble.quant.NonFinite;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.hqq.HqqFormat.Metadata;
import dev.nibble.quant.hqq.MixedHqqFormat.Stored;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The weights of a checkpoint in {@link HqqLayout}: the modules that have codes.
 *
 * @param weights by the names that they would have were they dense
 */
record HqqCheckpoint(StoredTensors checkpoint, SequencedMap<String, Stored> weights)
    implements StoredWeights {

  /**
   * Finds the weights and checks their tensors.
   *
   * @return empty when there are none
   * @throws UnusableWeight naming file, tensor, what was expected and what was found
   */
  static Optional<StoredWeights> of(StoredTensors checkpoint) {
    SequencedMap<String, Stored> weights = new LinkedHashMap<>();
    for (String name : checkpoint.names()) {
      if (name.endsWith(HqqLayout.CODES)) {
        String module = name.substring(0, name.length() - HqqLayout.CODES.length());
        weights.put(
            module + ModuleTensors.WEIGHT,
            new ModuleReader(new ModuleTensors(checkpoint, module)).read());
      }
    }
    return weights.isEmpty()
        ? Optional.empty()
        : Optional.of(new HqqCheckpoint(checkpoint, weights));
  }

  /** Reads what a module's tensors say of its weight. */
  private record ModuleReader(ModuleTensors module) {

    Stored read() {
      for (String flag : new String[] {HqqLayout.QUANTIZED_SCALE, HqqLayout.QUANTIZED_ZERO}) {
        if (flag(flag, false)) {
          throw module.wrong(flag, "1", "0: scales and zero points in 16 or 32 bits");
        }
      }
      int bits = number(HqqLayout.BITS);
      if (!HqqFormat.BITS.contains(bits)) {
        throw module.wrong(HqqLayout.BITS, bits, "8, 4, 3, 2 or 1");
      }
      int size = number(HqqLayout.GROUP_SIZE);
      if (size < Byte.SIZE || size % Byte.SIZE != 0) {
        throw module.wrong(HqqLayout.GROUP_SIZE, size, "a multiple of 8");
      }
      int axis = number(HqqLayout.AXIS);
      if (axis != 0 && axis != 1) {
        throw module.wrong(HqqLayout.AXIS, axis, "0 or 1");
      }
      Tensor shape = tensor(HqqLayout.SHAPE);
      if (shape.dtype() != DType.I64 || shape.elements() != 2) {
        throw module.wrong(HqqLayout.SHAPE, described(shape), "I64[2]: outputs, inputs");
      }
      long rows = shape.getLong(0);
      long cols = shape.getLong(1);
      boolean sized = rows > 0 && cols > 0 && rows <= Integer.MAX_VALUE / cols;
      if (!sized || rows * cols % size != 0) {
        throw module.wrong(
            HqqLayout.SHAPE,
            "[%d, %d]".formatted(rows, cols),
            "outputs and inputs whose product is a multiple of " + size);
      }
      Groups groups = new Groups(axis == 1 ? Axis.INPUTS : Axis.OUTPUTS, size);
      checkCodes(HqqPacking.of(bits, groups, rows * cols));
      Metadata metadata = metadata(HqqLayout.SCALE, rows * cols / size);
      if (metadata(HqqLayout.ZERO, rows * cols / size) != metadata) {
        throw module.wrong(
            HqqLayout.ZERO,
            described(tensor(HqqLayout.ZERO)),
            "the dtype of scales, " + tensor(HqqLayout.SCALE).dtype());
      }
      return new Stored(
          Shape.of(rows, cols),
          new HqqFormat(bits, size, groups.axis(), flag(HqqLayout.OPTIMIZE, true), metadata));
    }

    /** Codes may be stored as numbers of another dtype ("view_as_float"): their bytes count. */
    private void checkCodes(HqqPacking packing) {
      Tensor codes = tensor(HqqLayout.CODES);
      long expected = packing.shape().elements() * packing.dtype().bytes();
      if (!packing.fits() || codes.bytes() != expected) {
        throw module.wrong(
            HqqLayout.CODES,
            described(codes),
            "%s%s in bytes".formatted(packing.dtype(), packing.shape()));
      }
    }

    private Metadata metadata(String part, long count) {
      Tensor t = tensor(part);
      Metadata found =
          switch (t.dtype()) {
            case F16 -> Metadata.F16;
            case BF16 -> Metadata.BF16;
            case F32 -> Metadata.F32;
            default -> Metadata.QUANTIZED;
          };
      if (found == Metadata.QUANTIZED || t.elements() != count) {
        throw module.wrong(part, described(t), "F16, BF16 or F32 of %d groups".formatted(count));
      }
      return found;
    }

    private int number(String part) {
      Tensor t = tensor(part);
      if (t.dtype().isFloating() || t.elements() != 1) {
        throw module.wrong(part, described(t), "an integer");
      }
      long value = t.getLong(0);
      return Math.clamp(value, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    private boolean flag(String part, boolean otherwise) {
      return module.has(part) ? number(part) != 0 : otherwise;
    }

    private Tensor tensor(String part) {
      if (!module.has(part)) {
        String codes = module.module() + HqqLayout.CODES;
        throw new UnusableWeight(
            "%s: tensor '%s' has no '%s' beside it, which weights of HQQ have"
                .formatted(module.checkpoint().placeOf(codes), codes, module.module() + part));
      }
      return module.tensor(part, HqqLayout.CODES);
    }
  }

  @Override
  public Optional<WeightFormat> format() {
    Set<HqqFormat> all =
        weights.values().stream().map(Stored::format).collect(Collectors.toUnmodifiableSet());
    return Optional.of(all.size() == 1 ? all.iterator().next() : new MixedHqqFormat(weights));
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(weights.keySet());
  }

  @Override
  public Optional<Shape> shape(String weight) {
    return Optional.ofNullable(weights.get(weight)).map(Stored::shape);
  }

  @Override
  public Set<String> companions() {
    return weights.keySet().stream()
        .flatMap(w -> HqqLayout.parts().map(part -> module(w) + part))
        .collect(Collectors.toUnmodifiableSet());
  }

  @Override
  public Loader loader(Kernels kernels, Scope scope) {
    WeightFormat.Allocator allocator = format().orElseThrow().allocator(kernels, scope);
    return weight -> {
      Stored stored = weights.get(weight);
      if (stored == null) {
        throw new IllegalArgumentException(weight + " is dense");
      }
      Affine matrix =
          (Affine) allocator.allocate(weight, stored.shape().dim(0), stored.shape().dim(1));
      if (!kernels.memory().isPlanned()) { // a plan reads no weights
        load(kernels, weight, matrix);
      }
      return matrix;
    };
  }

  private void load(Kernels kernels, String weight, Affine matrix) {
    String codes = module(weight) + HqqLayout.CODES;
    HqqPacking packing = HqqPacking.of(matrix.bits(), matrix.groups(), matrix.elements());
    Tensor packed =
        Tensor.onHost(codes, packing.dtype(), packing.shape(), checkpoint.tensor(codes).memory());
    try (Scope host = Scope.open("unpacked codes", Memory.host())) {
      Tensor stream = host.allocate(codes, DType.U8, matrix.codes().elements());
      Affine.pack(packing.unpack(packed), matrix.bits(), stream);
      kernels.moving().copy(matrix.codes(), stream);
    }
    checkpoint.unload(codes);
    numbers(kernels, matrix.scales().plain(), module(weight) + HqqLayout.SCALE);
    numbers(kernels, matrix.zeros().plain(), module(weight) + HqqLayout.ZERO);
  }

  private void numbers(Kernels kernels, Tensor to, String name) {
    Tensor stored = checkpoint.tensor(name);
    NonFinite.refuse(stored, checkpoint.placeOf(name), kernels);
    kernels.moving().copy(to, stored.reshape(to.elements()));
    checkpoint.unload(name);
  }
}
