package dev.nibble.quant;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.Groups;
import dev.nibble.compute.weights.Groups.Axis;
import dev.nibble.compute.weights.Numbers;
import java.util.Optional;

/**
 * What GPTQ and AWQ have in common: in memory, integers in groups of inputs with float scales and
 * whole zero points in a byte; in files, the names of a module's tensors, and numbers of groups as
 * [groups, O].
 */
public final class GroupedIntegers {
  /** The end of the names of codes. */
  public static final String CODES = ".qweight";

  /** The end of the names of zero points. */
  public static final String ZEROS = ".qzeros";

  /** The end of the names of scales. */
  public static final String SCALES = ".scales";

  /** The end of the names of the groups of inputs, which GPTQ alone has. */
  public static final String INDEX = ".g_idx";

  private static final String GROUP = "weights/";

  private GroupedIntegers() {}

  /**
   * Whether a module that has codes is GPTQ's, which packs inputs into words: it has an index, or
   * codes of as many columns as scales. AWQ packs outputs.
   */
  public static boolean packsInputs(ModuleTensors m) {
    if (m.has(INDEX) || !m.has(SCALES)) {
      return m.has(INDEX);
    }
    return m.tensor(CODES, CODES).cols() == m.tensor(SCALES, CODES).cols();
  }

  /** bits + (16 + 8) / size: the code, and a share of a 16-bit scale and of a zero point. */
  public static double bitsPerWeight(int bits, int size) {
    return bits + (Short.SIZE + Byte.SIZE) / (double) size;
  }

  /**
   * A matrix to be filled.
   *
   * @param name of its weight
   * @param size of a group; divides the columns
   * @param scales their dtype
   * @param indexed whether it has room for the group of each input
   */
  public static Affine allocate(
      Scope scope,
      String name,
      long rows,
      long cols,
      int bits,
      int size,
      DType scales,
      boolean indexed) {
    long groups = Math.multiplyExact(rows, cols / size);
    return new Affine(
        scope.allocate(GROUP + name, DType.U8, Affine.bytes(Math.multiplyExact(rows, cols), bits)),
        new Numbers.Plain(scope.allocate(GROUP + name + "_scale", scales, groups)),
        new Numbers.Plain(scope.allocate(GROUP + name + "_zero", DType.U8, groups)),
        rows,
        cols,
        bits,
        new Groups(Axis.INPUTS, size),
        indexed
            ? Optional.of(scope.allocate(GROUP + name + "_g_idx", DType.I32, cols))
            : Optional.empty());
  }

  /** out[c, r] = in[r, c], of real numbers on the host, rounded to out's dtype. */
  public static void transpose(Tensor out, Tensor in, long rows, long cols) {
    for (long r = 0; r < rows; r++) {
      for (long c = 0; c < cols; c++) {
        out.setFloat(c * rows + r, in.getFloat(r * cols + c));
      }
    }
  }
}
