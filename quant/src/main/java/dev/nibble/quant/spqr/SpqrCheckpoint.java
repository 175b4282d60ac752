package dev.nibble.quant.spqr;

import static dev.nibble.quant.ModuleTensors.module;
import static dev.nibble.quant.spqr.SpqrLayout.CODES;
import static dev.nibble.quant.spqr.SpqrLayout.COLUMNS;
import static dev.nibble.quant.spqr.SpqrLayout.INDEX;
import static dev.nibble.quant.spqr.SpqrLayout.SCALES;
import static dev.nibble.quant.spqr.SpqrLayout.SCALE_OF;
import static dev.nibble.quant.spqr.SpqrLayout.STARTS;
import static dev.nibble.quant.spqr.SpqrLayout.VALUES;
import static dev.nibble.quant.spqr.SpqrLayout.ZEROS;
import static dev.nibble.quant.spqr.SpqrLayout.ZERO_OF;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.Numbers;
import dev.nibble.compute.weights.WithOutliers;
import dev.nibble.quant.ModuleTensors;
import dev.nibble.quant.NonFinite;
import dev.nibble.quant.ShapedWeights;
import dev.nibble.quant.StoredSettings;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/**
 * The weights of a checkpoint in {@link SpqrLayout}: the modules that have codes.
 *
 * @param shapes of the weights, by the names that they would have were they dense
 * @param stored the format of all of them
 */
record SpqrCheckpoint(
    StoredTensors checkpoint, SequencedMap<String, Shape> shapes, SpqrFormat stored)
    implements ShapedWeights {

  /**
   * Finds the weights and checks their tensors.
   *
   * @return empty when there are none
   * @throws UnusableWeight naming file, tensor, what was expected and what was found
   */
  static Optional<StoredWeights> of(StoredTensors checkpoint) {
    SequencedMap<String, Shape> shapes = new LinkedHashMap<>();
    Optional<SpqrFormat> format = Optional.empty();
    for (String name : checkpoint.names()) {
      if (name.endsWith(CODES)) {
        if (format.isEmpty()) {
          format = Optional.of(format(StoredSettings.of(checkpoint, name)));
        }
        String module = name.substring(0, name.length() - CODES.length());
        Shape shape = read(new ModuleTensors(checkpoint, module), format.get());
        shapes.put(module + ModuleTensors.WEIGHT, shape);
      }
    }
    return format.map(f -> new SpqrCheckpoint(checkpoint, shapes, f));
  }

  private static SpqrFormat format(StoredSettings settings) {
    try {
      return new SpqrFormat(
          whole(settings, SpqrLayout.BITS),
          whole(settings, SpqrLayout.GROUP_SIZE),
          whole(settings, SpqrLayout.ROWS_TOGETHER),
          whole(settings, SpqrLayout.STATISTIC_BITS),
          settings.number(SpqrLayout.THRESHOLD, Double.POSITIVE_INFINITY),
          settings.number(SpqrLayout.DAMPING, SpqrFormat.DEFAULT_DAMPING));
    } catch (IllegalArgumentException e) {
      throw new UnusableWeight("%s: %s".formatted(settings.file(), e.getMessage()));
    }
  }

  private static int whole(StoredSettings settings, String key) {
    double value = settings.number(key, 0);
    if (value < 1 || value != (int) value) {
      throw new UnusableWeight(
          "%s: \"quantization_config\" has no positive integer \"%s\", which weights in SpQR need"
              .formatted(settings.file(), key));
    }
    return (int) value;
  }

  /** The shape of a weight. */
  private static Shape read(ModuleTensors m, SpqrFormat format) {
    long rows = m.tensor(STARTS, CODES).elements() - 1;
    long cols = m.tensor(INDEX, CODES).elements();
    if (rows < 1) {
      throw m.wrong(STARTS, ModuleTensors.described(m.tensor(STARTS, CODES)), "I32[outputs + 1]");
    }
    if (cols == 0 || cols % format.groupSize() != 0) {
      throw m.wrong(
          INDEX,
          ModuleTensors.described(m.tensor(INDEX, CODES)),
          "I32[inputs], which groups of %d divide".formatted(format.groupSize()));
    }
    m.require(STARTS, DType.I32, Shape.of(rows + 1));
    m.require(INDEX, DType.I32, Shape.of(cols));
    long n = Math.multiplyExact(rows, cols);
    m.require(CODES, DType.U8, Shape.of(Affine.bytes(n, format.bits())));
    long groups = cols / format.groupSize();
    Shape pairs = Shape.of(Math.ceilDiv(rows, format.rowsTogether()), groups);
    for (String part : new String[] {SCALES, ZEROS}) {
      m.tensor(part, CODES);
      m.tensor(part + SCALE_OF, CODES);
      m.tensor(part + ZERO_OF, CODES);
      long bytes = Affine.bytes(rows * groups, format.statisticBits());
      m.require(part, DType.U8, Shape.of(bytes));
      m.require(part + SCALE_OF, DType.F16, pairs);
      m.require(part + ZERO_OF, DType.F16, pairs);
    }
    if (m.has(VALUES) || m.has(COLUMNS)) {
      long outliers = m.tensor(VALUES, COLUMNS).elements();
      m.tensor(COLUMNS, VALUES);
      m.require(VALUES, DType.F16, Shape.of(outliers));
      m.require(COLUMNS, DType.I16, Shape.of(outliers));
    }
    return Shape.of(rows, cols);
  }

  @Override
  public Optional<WeightFormat> format() {
    return Optional.of(stored);
  }

  @Override
  public Set<String> companions() {
    return present(checkpoint, SpqrLayout.PARTS);
  }

  @Override
  public Loader loader(Kernels kernels, Scope scope) {
    return weight -> {
      Shape shape = required(weight);
      ModuleTensors m = new ModuleTensors(checkpoint, module(weight));
      long outliers = m.has(VALUES) ? m.tensor(VALUES, CODES).elements() : 0;
      // Memory of no bytes is none: there is room for one.
      WithOutliers matrix =
          stored.allocate(
              scope, weight, shape.dim(0), shape.dim(1), Math.max(1, outliers), DType.F16);
      if (!kernels.memory().isPlanned()) { // a plan reads no weights
        check(m, matrix, (int) outliers);
      }
      Affine base = (Affine) matrix.base();
      m.copyTo(base.codes(), CODES, kernels);
      m.copyTo(base.index().orElseThrow(), INDEX, kernels);
      copy(kernels, (Numbers.Quantized) base.scales(), m, SCALES);
      copy(kernels, (Numbers.Quantized) base.zeros(), m, ZEROS);
      m.copyTo(matrix.starts(), STARTS, kernels);
      if (outliers > 0) {
        m.copyTo(matrix.columns(), COLUMNS, kernels);
        m.copyTo(matrix.values(), VALUES, kernels);
      }
      return matrix;
    };
  }

  private static void copy(Kernels kernels, Numbers.Quantized to, ModuleTensors m, String part) {
    m.copyTo(to.codes(), part, kernels);
    m.copyTo(to.scales(), part + SCALE_OF, kernels);
    m.copyTo(to.zeros(), part + ZERO_OF, kernels);
  }

  /** Checks what kernels go by: groups, rows and columns that are there, and numbers. */
  private static void check(ModuleTensors m, WithOutliers matrix, int outliers) {
    int groups = Math.toIntExact(matrix.cols() / ((Affine) matrix.base()).groups().size());
    int[] index = m.tensor(INDEX, CODES).toInts();
    for (int i = 0; i < index.length; i++) {
      if (index[i] < 0 || index[i] >= groups) {
        throw m.wrong(
            INDEX, "%d at [%d]".formatted(index[i], i), "a group from 0 to " + (groups - 1));
      }
    }
    int[] starts = m.tensor(STARTS, CODES).toInts();
    for (int r = 0; r < starts.length; r++) {
      int least = r == 0 ? 0 : starts[r - 1];
      int most = r == 0 ? 0 : outliers;
      if (starts[r] < least || starts[r] > most || (r == starts.length - 1 && starts[r] < most)) {
        throw m.wrong(
            STARTS,
            "%d at [%d]".formatted(starts[r], r),
            "ascending numbers from 0 to the %d outliers".formatted(outliers));
      }
    }
    if (outliers > 0) {
      Tensor columns = m.tensor(COLUMNS, VALUES);
      for (int r = 0; r + 1 < starts.length; r++) {
        int before = -1;
        for (int e = starts[r]; e < starts[r + 1]; e++) {
          int column = columns.getInt(e) & 0xffff;
          if (column <= before || column >= matrix.cols()) {
            throw m.wrong(
                COLUMNS,
                "%d at [%d]".formatted(column, e),
                "ascending inputs below %d in each row".formatted(matrix.cols()));
          }
          before = column;
        }
      }
      refuse(m, VALUES);
    }
    for (String part : new String[] {SCALES, ZEROS}) {
      refuse(m, part + SCALE_OF);
      refuse(m, part + ZERO_OF);
    }
  }

  private static void refuse(ModuleTensors m, String part) {
    NonFinite.refuse(m.tensor(part, CODES), m.checkpoint().placeOf(m.module() + part));
  }
}
