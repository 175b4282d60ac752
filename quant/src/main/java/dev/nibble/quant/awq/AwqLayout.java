package dev.nibble.quant.awq;

import static dev.nibble.quant.GroupedIntegers.CODES;
import static dev.nibble.quant.GroupedIntegers.SCALES;
import static dev.nibble.quant.GroupedIntegers.ZEROS;
import static dev.nibble.quant.ModuleTensors.module;

import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.CheckpointLayout;
import dev.nibble.quant.GroupedIntegers;
import dev.nibble.quant.PackedTensors;
import dev.nibble.quant.UnusableWeight;
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

  @Override
  public Optional<List<TensorInfo>> tensors(String weight, Shape shape, DType before) {
    return Optional.of(tensors(weight, shape.dim(0), shape.dim(1)));
  }

  @Override
  public SequencedMap<String, Tensor> tensors(String weight, FrozenMatrix matrix, DType before) {
    Affine affine = (Affine) matrix;
    PackedTensors all = PackedTensors.zeros(tensors(weight, affine.rows(), affine.cols()));
    String module = module(weight);
    long groups = affine.cols() / format.groupSize();
    AwqPacking.pack(affine::code, all.get(module + CODES));
    AwqPacking.pack(affine.zeros().plain()::getInt, all.get(module + ZEROS));
    GroupedIntegers.transpose(
        all.get(module + SCALES), affine.scales().plain(), affine.rows(), groups);
    return all.all();
  }

  private List<TensorInfo> tensors(String weight, long rows, long cols) {
    if (rows % AwqPacking.CODES != 0) {
      throw new UnusableWeight(
          "tensor '%s' has %d outputs, and the file format packs 8 at a time"
              .formatted(weight, rows));
    }
    String module = module(weight);
    long groups = cols / format.groupSize();
    return List.of(
        new TensorInfo(module + CODES, DType.I32, Shape.of(cols, rows / AwqPacking.CODES)),
        new TensorInfo(module + ZEROS, DType.I32, Shape.of(groups, rows / AwqPacking.CODES)),
        new TensorInfo(module + SCALES, DType.F16, Shape.of(groups, rows)));
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
