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
import dev.nibble.compute.weights.TiledMatrix;
import dev.nibble.quant.CheckpointLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Stream;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A layout of our own: tensors as they lie in memory, see {@link Lattice} and {@link Rotated}. A
 * module has no {@code weight}, but beside a bias, which stays as it is:
 *
 * <ul>
 *   <li>{@code e8_codes} I16 [O, I / 8] and {@code e8_residuals}, U8 with 3 bits and I16 with 4
 *   <li>{@code e8_scales} F32 [1], or [2]
 *   <li>of CALDERA's L^T and R the same in 4 bits, their names after {@code left} and {@code right}
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
  static final String LEFT = ".left";
  static final String RIGHT = ".right";

  /** All parts, by the ends of their names. */
  static final List<String> PARTS =
      Stream.concat(
              Stream.of("", LEFT, RIGHT)
                  .flatMap(of -> Stream.of(of + CODES, of + RESIDUALS, of + SCALES)),
              Stream.of(SIGNS_OUT, SIGNS_IN))
          .toList();

  static final String BITS = "bits";
  static final String RANK = "rank";
  static final String PASSES = "passes";
  static final String DAMPING = "damp_percent";

  /** In the place of {@link #RANK}: that it is {@link QuipFormat#FITTING}. */
  static final String FITTING = "fitting_rank";

  @Override
  public Optional<List<TensorInfo>> tensors(String weight, Shape shape, DType before) {
    String module = module(weight);
    long rows = shape.dim(0);
    long cols = shape.dim(1);
    List<TensorInfo> all = new ArrayList<>(lattice(module, format.bits(), rows, cols));
    long rank = format.rankOf(rows, cols);
    if (rank > 0) {
      all.addAll(lattice(module + LEFT, 4, rank, rows));
      all.addAll(lattice(module + RIGHT, 4, rank, cols));
    }
    all.add(new TensorInfo(module + SIGNS_OUT, DType.I8, Shape.of(rows)));
    all.add(new TensorInfo(module + SIGNS_IN, DType.I8, Shape.of(cols)));
    return Optional.of(all);
  }

  private static List<TensorInfo> lattice(String name, int bits, long rows, long cols) {
    Shape eights = Shape.of(rows, cols / E8Lattice.EIGHT);
    List<TensorInfo> all = new ArrayList<>();
    all.add(new TensorInfo(name + CODES, DType.I16, eights));
    QuipFormat.residuals(bits)
        .ifPresent(dtype -> all.add(new TensorInfo(name + RESIDUALS, dtype, eights)));
    all.add(new TensorInfo(name + SCALES, DType.F32, Shape.of(bits > 2 ? 2 : 1)));
    return all;
  }

  @Override
  public SequencedMap<String, Tensor> tensors(String weight, FrozenMatrix matrix, DType before) {
    Rotated rotated = (Rotated) matrix;
    String module = module(weight);
    SequencedMap<String, Tensor> all = new LinkedHashMap<>(tensors(module, rotated.base()));
    rotated
        .lowRank()
        .ifPresent(factors -> {
          all.putAll(tensors(module + LEFT, factors.left()));
          all.putAll(tensors(module + RIGHT, factors.right()));
        });
    all.put(module + SIGNS_OUT, rotated.outputs().signs());
    all.put(module + SIGNS_IN, rotated.inputs().signs());
    return all;
  }

  /** The tensors of a lattice by their names. */
  static SequencedMap<String, Tensor> tensors(String name, TiledMatrix matrix) {
    Lattice lattice = (Lattice) matrix;
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    all.put(name + CODES, lattice.codes());
    lattice.residuals().ifPresent(r -> all.put(name + RESIDUALS, r));
    all.put(name + SCALES, lattice.scales());
    return all;
  }

  /** Nibble computes in what a recipe says. */
  @Override
  public ObjectNode config(DType compute, List<String> skipped) {
    ObjectNode q = JsonNodeFactory.instance.objectNode();
    q.put("quant_method", METHOD);
    q.put(BITS, format.bits());
    if (format.rank() == QuipFormat.FITTING) {
      q.put(FITTING, true);
    } else {
      q.put(RANK, format.rank());
    }
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
