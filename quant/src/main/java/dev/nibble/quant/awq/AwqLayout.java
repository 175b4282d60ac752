package dev.nibble.quant.awq;

import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.CheckpointLayout;
import dev.nibble.quant.UnusableWeight;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * AutoAWQ's layout, version "gemm". A module has no {@code weight}, but beside a bias, which stays
 * as it is, {@code qweight} I32 [I, O / 8], {@code qzeros} I32 [groups, O / 8] and {@code scales}
 * F16 [groups, O]; see {@link AwqPacking} for the words. A weight is {@code (code - zero) * scale}.
 */
record AwqLayout(AwqFormat format) implements CheckpointLayout {
  static final String METHOD = "awq";
  static final String WEIGHT = ".weight";
  static final String CODES = ".qweight";
  static final String ZEROS = ".qzeros";
  static final String SCALES = ".scales";

  /** The module of a weight: without the last part of its name. */
  static String module(String weight) {
    return weight.substring(0, weight.length() - WEIGHT.length());
  }

  @Override
  public Optional<List<TensorInfo>> tensors(String weight, Shape shape, DType before) {
    return Optional.of(
        allocate(weight, shape.dim(0), shape.dim(1)).entrySet().stream()
            .map(e -> TensorInfo.of(e.getKey(), e.getValue()))
            .toList());
  }

  @Override
  public SequencedMap<String, Tensor> tensors(String weight, FrozenMatrix matrix, DType before) {
    Affine affine = (Affine) matrix;
    SequencedMap<String, Tensor> all = allocate(weight, affine.rows(), affine.cols());
    String module = module(weight);
    long groups = affine.cols() / format.groupSize();
    AwqPacking.pack(affine::code, part(all, module + CODES));
    AwqPacking.pack(affine.zeros().plain()::getInt, part(all, module + ZEROS));
    Tensor scales = part(all, module + SCALES);
    for (long r = 0; r < affine.rows(); r++) {
      for (long g = 0; g < groups; g++) {
        scales.setFloat(g * affine.rows() + r, affine.scales().get(r * groups + g));
      }
    }
    return all;
  }

  private static Tensor part(SequencedMap<String, Tensor> all, String name) {
    return Optional.ofNullable(all.get(name)).orElseThrow();
  }

  /** All tensors of a weight, with values of 0. */
  private SequencedMap<String, Tensor> allocate(String weight, long rows, long cols) {
    if (rows % AwqPacking.CODES != 0) {
      throw new UnusableWeight(
          "tensor '%s' has %d outputs, and the file format packs 8 at a time"
              .formatted(weight, rows));
    }
    String module = module(weight);
    long groups = cols / format.groupSize();
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    put(all, module + CODES, DType.I32, Shape.of(cols, rows / AwqPacking.CODES));
    put(all, module + ZEROS, DType.I32, Shape.of(groups, rows / AwqPacking.CODES));
    put(all, module + SCALES, DType.F16, Shape.of(groups, rows));
    return all;
  }

  private static void put(SequencedMap<String, Tensor> all, String name, DType dtype, Shape shape) {
    byte[] memory = new byte[Math.toIntExact(shape.elements() * dtype.bytes())];
    all.put(name, Tensor.onHost(name, dtype, shape, MemorySegment.ofArray(memory)));
  }

  /** Readers compute in float16, or in the model's own dtype. */
  @Override
  public ObjectNode config(DType compute, List<String> skipped) {
    ObjectNode q = JsonNodeFactory.instance.objectNode();
    q.put("quant_method", METHOD);
    q.put("bits", AwqFormat.BITS);
    q.put("group_size", format.groupSize());
    q.put("zero_point", true);
    q.put("version", AwqReader.GEMM);
    if (skipped.isEmpty()) {
      q.putNull("modules_to_not_convert");
    } else {
      ArrayNode kept = q.putArray("modules_to_not_convert").add("lm_head");
      skipped.forEach(kept::add);
    }
    return q;
  }

  @Override
  public String summary() {
    return AwqReader.SUMMARY;
  }
}
