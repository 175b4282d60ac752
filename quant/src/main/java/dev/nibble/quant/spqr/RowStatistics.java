package dev.nibble.quant.spqr;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.Numbers;
import java.lang.foreign.MemorySegment;

/**
 * The scales, or the zero points, of some rows of a matrix: set group by group, and each time
 * brought to what the matrix will hold.
 */
final class RowStatistics {
  private final Numbers.Quantized of;
  private final int first;
  private final int rows;
  private final int together;
  private final Numbers.Quantized[] groups;

  /**
   * Of rows whose number is a multiple of those that share pairs, unless they are the last.
   *
   * @param of the matrix's
   */
  RowStatistics(Numbers.Quantized of, int first, int rows) {
    this.of = of;
    this.first = first;
    this.rows = rows;
    together = of.sharing().rows();
    groups = new Numbers.Quantized[Math.toIntExact(of.sharing().stride())];
  }

  /**
   * Sets a group's numbers, one for each row.
   *
   * @return the nearest that can be held
   */
  float[] put(int group, float[] values) {
    Numbers.Sharing sharing = new Numbers.Sharing(1, together);
    DType pairs = of.scales().dtype();
    Numbers.Quantized near =
        new Numbers.Quantized(
            tensor(DType.U8, Affine.bytes(rows, of.bits())),
            rows,
            of.bits(),
            tensor(pairs, sharing.pairs(rows)),
            tensor(pairs, sharing.pairs(rows)),
            sharing);
    near.put(values);
    groups[group] = near;
    float[] held = new float[rows];
    for (int r = 0; r < rows; r++) {
      held[r] = near.get(r);
    }
    return held;
  }

  private static Tensor tensor(DType dtype, long elements) {
    byte[] memory = new byte[Math.toIntExact(elements * dtype.bytes())];
    return Tensor.onHost("statistics", dtype, Shape.of(elements), MemorySegment.ofArray(memory));
  }

  /**
   * Sets the matrix's pairs, and codes.
   *
   * @param codes of all rows
   */
  void copyTo(byte[] codes) {
    for (int group = 0; group < groups.length; group++) {
      Numbers.Quantized near = groups[group];
      for (int r = 0; r < rows; r++) {
        int number = (first + r) * groups.length + group;
        codes[number] = (byte) near.code(r);
        if (r % together == 0) {
          int pair = Math.toIntExact(of.sharing().pair(number));
          of.scales().setFloat(pair, near.scales().getFloat(r / together));
          of.zeros().setFloat(pair, near.zeros().getFloat(r / together));
        }
      }
    }
  }
}
