package dev.nibble.quant.quip;

import static dev.nibble.quant.ModuleTensors.module;

import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.E8Lattice;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Lattice;
import dev.nibble.compute.weights.Rotated;
import dev.nibble.quant.CheckpointLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A layout of our own: tensors as they lie in memory, see {@link Lattice} and {@link Rotated}. A
 * module has no {@code weight}, but beside a bias, which stays as it is:
 *
 * <ul>
 *   <li>{@code e8_codes} I16 [O, I / 8] and, with 4 bits, {@code e8_residuals}
 *   <li>{@code e8_scales} F32 [1], or [2]
 *   <li>{@code signs_out} I8 [O] and {@code signs_in} I8 [I]: 1 or -1
 * </ul>
 */
record QuipLayout(QuipFormat format) implements CheckpointLayout {
  static final String METHOD = "nibble-quip";

  static final String CODES = ".e8_codes";
  static final String RESIDUALS = ".e8_residuals";
  static final String SCALES = ".e8_scales";
  static final String SIGNS_OUT = ".signs_out";
  static final String SIGNS_IN = ".signs_in";

  /** All parts, by the ends of their names. */
  static final List<String> PARTS = List.of(CODES, RESIDUALS, SCALES, SIGNS_OUT, SIGNS_IN);

  static final String BITS = "bits";
  static final String PASSES = "passes";
  static final String DAMPING = "damp_percent";

  @Override
  public Optional<List<TensorInfo>> tensors(String weight, Shape shape, DType before) {
    String module = module(weight);
    Shape eights = Shape.of(shape.dim(0), shape.dim(1) / E8Lattice.EIGHT);
    List<TensorInfo> all = new ArrayList<>();
    all.add(new TensorInfo(module + CODES, DType.I16, eights));
    if (format.bits() == 4) {
      all.add(new TensorInfo(module + RESIDUALS, DType.I16, eights));
    }
    all.add(new TensorInfo(module + SCALES, DType.F32, Shape.of(format.bits() / 2)));
    all.add(new TensorInfo(module + SIGNS_OUT, DType.I8, Shape.of(shape.dim(0))));
    all.add(new TensorInfo(module + SIGNS_IN, DType.I8, Shape.of(shape.dim(1))));
    return Optional.of(all);
  }

  @Override
  public SequencedMap<String, Tensor> tensors(String weight, FrozenMatrix matrix, DType before) {
    Rotated rotated = (Rotated) matrix;
    Lattice lattice = (Lattice) rotated.base();
    String module = module(weight);
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    all.put(module + CODES, lattice.codes());
    lattice.residuals().ifPresent(r -> all.put(module + RESIDUALS, r));
    all.put(module + SCALES, lattice.scales());
    all.put(module + SIGNS_OUT, rotated.outputs().signs());
    all.put(module + SIGNS_IN, rotated.inputs().signs());
    return all;
  }

  /** Nibble computes in what a recipe says. */
  @Override
  public ObjectNode config(DType compute, List<String> skipped) {
    ObjectNode q = JsonNodeFactory.instance.objectNode();
    q.put("quant_method", METHOD);
    q.put(BITS, format.bits());
    q.put(PASSES, format.passes());
    q.put(DAMPING, format.damping());
    ArrayNode ignore = q.putArray("modules_to_not_convert").add("lm_head");
    skipped.forEach(ignore::add);
    return q;
  }

  /** What both the tensors and a config.json tell. */
  @Override
  public String summary() {
    return format.describe();
  }
}
