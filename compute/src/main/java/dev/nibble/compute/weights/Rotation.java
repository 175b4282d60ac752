package dev.nibble.compute.weights;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * A random orthogonal change of basis of n = q 2^k numbers, (H_q (x) H_2^k) diag(signs) / sqrt(n):
 * number i is in row i / 2^k of q; H_2^k is Sylvester's Hadamard matrix, [[H, H], [H, -H]] doubled
 * k times. Takes n (k + q) additions.
 *
 * @param signs I8 [n], 1 or -1
 * @param base I8 [q, q]: H_q, entries of 1 and -1, rows orthogonal to each other
 */
public record Rotation(Tensor signs, Tensor base) {

  /** Checks that the parts fit each other. */
  public Rotation {
    long n = signs.elements();
    boolean square = base.shape().rank() == 2 && base.dim(0) == base.dim(1) && base.dim(0) > 0;
    if (signs.dtype() != DType.I8
        || base.dtype() != DType.I8
        || !square
        || n % base.dim(0) != 0
        || Long.bitCount(n / base.dim(0)) != 1) {
      throw new IllegalArgumentException(
          "%s, %s: expected I8 signs of q 2^k numbers and an I8 base [q, q]"
              .formatted(signs, base));
    }
  }

  /** H_q with the smallest q, on the host; empty where no Hadamard matrix of size n is known. */
  public static Optional<Tensor> baseOf(long n) {
    long power = Long.lowestOneBit(n);
    for (long q = n / power; power > 0; q *= 2, power /= 2) {
      Optional<byte[][]> found = HadamardMatrices.of(Math.toIntExact(q));
      if (found.isPresent()) {
        MemorySegment all = Arena.ofAuto().allocate(q * q); // kernels read no heap memory
        for (int i = 0; i < q; i++) {
          MemorySegment.copy(MemorySegment.ofArray(found.get()[i]), 0, all, i * q, q);
        }
        return Optional.of(Tensor.onHost("hadamard", DType.I8, Shape.of(q, q), all));
      }
    }
    return Optional.empty();
  }

  /** How many numbers, n. */
  public long size() {
    return signs.elements();
  }

  /** 2^k. */
  public long power() {
    return signs.elements() / base.dim(0);
  }

  /** The same over other tensors, see {@link FrozenMatrix#over}. */
  public Rotation over(UnaryOperator<Tensor> other) {
    return new Rotation(other.apply(signs), other.apply(base));
  }

  /** Rotates n numbers from {@code at} on, in plain Java: the specification. */
  public void apply(float[] x, int at) {
    multiply(x, at);
    sylvester(x, at);
    mix(x, at, false);
  }

  /** Undoes {@link #apply}: the transpose. */
  public void undo(float[] x, int at) {
    sylvester(x, at);
    mix(x, at, true);
    multiply(x, at);
  }

  /** {@link #apply} to each row of a matrix [N, n]. */
  public void rows(float[] all) {
    byRows(all, this::apply);
  }

  /** {@link #undo} to each row of a matrix [N, n]. */
  void undoRows(float[] all) {
    byRows(all, this::undo);
  }

  /** {@link #apply} to each column of a matrix [n, N]. */
  public void columns(float[] all) {
    byColumns(all, this::apply);
  }

  /** {@link #undo} to each column of a matrix [n, N]. */
  void undoColumns(float[] all) {
    byColumns(all, this::undo);
  }

  private interface Change {
    void of(float[] x, int at);
  }

  private void byRows(float[] all, Change change) {
    int n = Math.toIntExact(size());
    IntStream.range(0, all.length / n).parallel().forEach(row -> change.of(all, row * n));
  }

  private void byColumns(float[] all, Change change) {
    int n = Math.toIntExact(size());
    int cols = all.length / n;
    IntStream.range(0, cols)
        .parallel()
        .forEach(c -> {
          float[] column = new float[n];
          for (int r = 0; r < n; r++) {
            column[r] = all[r * cols + c];
          }
          change.of(column, 0);
          for (int r = 0; r < n; r++) {
            all[r * cols + c] = column[r];
          }
        });
  }

  private void multiply(float[] x, int at) {
    for (int i = 0; i < size(); i++) {
      x[at + i] *= signs.getInt(i);
    }
  }

  private void sylvester(float[] x, int at) {
    int end = at + Math.toIntExact(size());
    for (int half = 1; half < power(); half *= 2) {
      for (int from = at; from < end; from += 2 * half) {
        for (int i = from; i < from + half; i++) {
          float a = x[i];
          float b = x[i + half];
          x[i] = a + b;
          x[i + half] = a - b;
        }
      }
    }
  }

  /** Rows by the base or its transpose; scales. */
  private void mix(float[] x, int at, boolean transposed) {
    int q = Math.toIntExact(base.dim(0));
    int power = Math.toIntExact(power());
    float scale = (float) (1 / Math.sqrt((double) size()));
    float[] out = new float[q * power];
    for (int i = 0; i < q; i++) {
      for (int j = 0; j < q; j++) {
        int sign = base.getInt(transposed ? (long) j * q + i : (long) i * q + j);
        for (int k = 0; k < power; k++) {
          out[i * power + k] += sign * x[at + j * power + k];
        }
      }
    }
    for (int i = 0; i < out.length; i++) {
      x[at + i] = out[i] * scale;
    }
  }
}
