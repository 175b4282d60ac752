package dev.nibble.api.plan;

import java.nio.file.Path;
import java.util.List;

/**
 * A plan of weight formats.
 *
 * @param file that holds it
 * @param matrices in the order of the forward pass
 * @param weights of all of them
 * @param bytes that they take
 * @param budgetBytes that they had to fit in
 * @param divergence predicted for the whole model, in nats: the sum of the matrices'
 * @param tokens that were measured on
 * @param uniform the candidates, each for all matrices, by size
 */
public record PlanResult(
    Path file,
    List<PlannedMatrix> matrices,
    long weights,
    long bytes,
    long budgetBytes,
    double divergence,
    long tokens,
    List<UniformFormat> uniform) {
  /** Copies the lists. */
  public PlanResult {
    matrices = List.copyOf(matrices);
    uniform = List.copyOf(uniform);
  }

  /** Bits of a weight, with all that belongs to it. */
  public double bits() {
    return (double) Byte.SIZE * bytes / weights;
  }

  /**
   * A matrix of the plan.
   *
   * @param name of its weight
   * @param format its name
   * @param bytes that it takes
   * @param divergence of the model's outputs that this matrix alone is predicted to cause, in nats
   */
  public record PlannedMatrix(String name, String format, long bytes, double divergence) {}

  /**
   * One format for all matrices.
   *
   * @param format its name
   * @param bits of a weight
   * @param bytes that all matrices take
   * @param divergence predicted for the whole model, in nats
   */
  public record UniformFormat(String format, double bits, long bytes, double divergence) {}
}
