package dev.nibble.quant.spqr;

import static dev.nibble.quant.ModuleTensors.module;

import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Numbers;
import dev.nibble.compute.weights.WithOutliers;
import dev.nibble.quant.CheckpointLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A layout of our own: tensors as they lie in memory, see {@link Affine}, {@link Numbers.Quantized}
 * and {@link WithOutliers}. The one that transformers reads, of 3 bits and groups of 16 alone,
 * packs them for a GPU kernel. A module has no {@code weight}, but beside a bias, which stays as it
 * is:
 *
 * <ul>
 *   <li>{@code codes} U8, a stream; {@code group_index} I32 [I]: the group of each input
 *   <li>{@code scales} U8, a stream; {@code scales_scale} and {@code scales_zero} F16 [rows / rows
 *       together, groups]
 *   <li>{@code zeros}, {@code zeros_scale} and {@code zeros_zero}, as those of scales
 *   <li>{@code outlier_starts} I32 [O + 1] and, where there are outliers, {@code outlier_columns}
 *       I16 and {@code outlier_values} F16
 * </ul>
 */
record SpqrLayout(SpqrFormat format) implements CheckpointLayout {
  static final String METHOD = "nibble-spqr";

  static final String CODES = ".spqr_codes";
  static final String INDEX = ".group_index";
  static final String SCALES = ".scales";
  static final String ZEROS = ".zeros";
  static final String SCALE_OF = "_scale";
  static final String ZERO_OF = "_zero";
  static final String STARTS = ".outlier_starts";
  static final String COLUMNS = ".outlier_columns";
  static final String VALUES = ".outlier_values";

  /** All parts, by the ends of their names. */
  static final List<String> PARTS =
      List.of(
          CODES,
          INDEX,
          SCALES,
          SCALES + SCALE_OF,
          SCALES + ZERO_OF,
          ZEROS,
          ZEROS + SCALE_OF,
          ZEROS + ZERO_OF,
          STARTS,
          COLUMNS,
          VALUES);

  static final String BITS = "bits";
  static final String GROUP_SIZE = "group_size";
  static final String ROWS_TOGETHER = "rows_together";
  static final String STATISTIC_BITS = "statistic_bits";
  static final String THRESHOLD = "outlier_threshold";
  static final String DAMPING = "damp_percent";

  /** How many outliers there are is told by the values. */
  @Override
  public Optional<List<TensorInfo>> tensors(String weight, Shape shape, DType before) {
    return Optional.empty();
  }

  @Override
  public SequencedMap<String, Tensor> tensors(String weight, FrozenMatrix matrix, DType before) {
    WithOutliers sparse = (WithOutliers) matrix;
    Affine base = (Affine) sparse.base();
    String module = module(weight);
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    all.put(module + CODES, base.codes());
    all.put(module + INDEX, base.index().orElseThrow());
    put(all, module + SCALES, (Numbers.Quantized) base.scales());
    put(all, module + ZEROS, (Numbers.Quantized) base.zeros());
    all.put(module + STARTS, sparse.starts());
    int outliers = sparse.starts().getInt(sparse.rows());
    if (outliers > 0) {
      all.put(module + COLUMNS, sparse.columns().prefix(outliers));
      all.put(module + VALUES, sparse.values().prefix(outliers));
    }
    return all;
  }

  private static void put(SequencedMap<String, Tensor> all, String name, Numbers.Quantized q) {
    all.put(name, q.codes());
    all.put(name + SCALE_OF, matrix(q.scales(), q));
    all.put(name + ZERO_OF, matrix(q.zeros(), q));
  }

  /** Pairs by rows and groups. */
  private static Tensor matrix(Tensor pairs, Numbers.Quantized of) {
    long groups = of.sharing().stride();
    return pairs.reshape(pairs.elements() / groups, groups);
  }

  /** Nibble computes in what a recipe says. */
  @Override
  public ObjectNode config(DType compute, List<String> skipped) {
    ObjectNode q = JsonNodeFactory.instance.objectNode();
    q.put("quant_method", METHOD);
    q.put(BITS, format.bits());
    q.put(GROUP_SIZE, format.groupSize());
    q.put(ROWS_TOGETHER, format.rowsTogether());
    q.put(STATISTIC_BITS, format.statisticBits());
    if (Double.isFinite(format.outlierThreshold())) {
      q.put(THRESHOLD, format.outlierThreshold());
    }
    q.put(DAMPING, format.damping());
    ArrayNode ignore = q.putArray("modules_to_not_convert").add("lm_head");
    skipped.forEach(ignore::add);
    return q;
  }

  /** What both the tensors and a config.json tell. */
  @Override
  public String summary() {
    return summary(format.bits(), format.groupSize());
  }

  static String summary(int bits, int groupSize) {
    return "SpQR, %d bits, groups of %d".formatted(bits, groupSize);
  }
}
