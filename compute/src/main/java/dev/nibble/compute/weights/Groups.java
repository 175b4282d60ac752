package dev.nibble.compute.weights;

/**
 * How the elements of a matrix [O, I] are put into groups that share a scale and a zero point.
 *
 * @param axis along which a group runs
 * @param size elements of a group
 */
public record Groups(Axis axis, int size) {

  /** The axis along which a group runs, in the flattened matrix of n elements. */
  public enum Axis {
    /** Group g is the elements from g * size on: consecutive inputs of an output. */
    INPUTS,
    /**
     * Group g is every (n / size)-th element from g on: where O is a multiple of size, outputs of
     * one input.
     */
    OUTPUTS
  }

  /** Checks the size. */
  public Groups {
    if (size < 1) {
      throw new IllegalArgumentException("groups of %d elements".formatted(size));
    }
  }

  /** How many groups {@code elements} make. */
  public long count(long elements) {
    if (elements % size != 0) {
      throw new IllegalArgumentException(
          "%d elements in groups of %d: expected a multiple".formatted(elements, size));
    }
    return elements / size;
  }

  /**
   * The group of element {@code i}.
   *
   * @param count of groups
   */
  public long of(long i, long count) {
    return axis == Axis.INPUTS ? i / size : i % count;
  }

  /**
   * Element {@code k} of group {@code g}.
   *
   * @param count of groups
   */
  public long element(long g, int k, long count) {
    return axis == Axis.INPUTS ? g * size + k : g + k * count;
  }
}
