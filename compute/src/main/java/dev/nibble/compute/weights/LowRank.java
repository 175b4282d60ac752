package dev.nibble.compute.weights;

import dev.nibble.compute.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * A frozen product L R of rank k that is added to a matrix [O, I] (CALDERA, arXiv:2405.18886). Both
 * factors have a row for each of the k, the ones that matter most first, so that a part of the rank
 * is a part of the rows.
 *
 * @param left L^T [k, O]
 * @param right R [k, I]
 */
public record LowRank(TiledMatrix left, TiledMatrix right) {

  /** Checks that the factors fit each other. */
  public LowRank {
    if (left.rows() != right.rows()) {
      throw new IllegalArgumentException("%s and %s are of different rank".formatted(left, right));
    }
  }

  /** k. */
  public long rank() {
    return left.rows();
  }

  /** The product of the rows {@code from} (inclusive) to {@code to} (exclusive) of both factors. */
  public LowRank part(long from, long to) {
    return new LowRank(rows(left, from, to), rows(right, from, to));
  }

  private static TiledMatrix rows(TiledMatrix factor, long from, long to) {
    return switch (factor) {
      case Lattice lattice -> lattice.slice(from, to);
      case Dense(Tensor weight) -> new Dense(weight.slice(from, to));
      default -> throw new IllegalArgumentException(factor + ": its rows cannot be taken apart");
    };
  }

  /** Bytes of both factors. */
  public long bytes() {
    return left.bytes() + right.bytes();
  }

  /** The same over other tensors, see {@link FrozenMatrix#over}. */
  public LowRank over(UnaryOperator<Tensor> other) {
    return new LowRank(left.over(other), right.over(other));
  }
}
