package dev.nibble.cli.report;

import dev.nibble.trainer.checkpoint.TrainerState;
import dev.nibble.trainer.train.Report;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Consumer;

/** The losses of a run, with those before it was interrupted. */
final class Losses implements Consumer<Report> {
  private static final String BLOCKS = "▁▂▃▄▅▆▇█";

  private final List<Double> training = new ArrayList<>();
  private OptionalDouble start = OptionalDouble.empty();

  @Override
  public void accept(Report report) {
    switch (report) {
      case Report.StepReport s -> training.add(s.loss());
      case Report.EvaluationReport e -> validation(e.step(), e.loss());
      case Report.ResumeReport r -> r.state().history().forEach(this::restore);
      default -> {}
    }
  }

  private void restore(TrainerState.Entry entry) {
    switch (entry.kind()) {
      case TRAINING -> training.add(entry.loss());
      case VALIDATION -> validation(entry.step(), entry.loss());
    }
  }

  private void validation(long step, double loss) {
    if (step == 0) {
      start = OptionalDouble.of(loss);
    }
  }

  /** The validation loss before the first step, if it was measured. */
  OptionalDouble start() {
    return start;
  }

  /** The training loss of each step. */
  List<Double> training() {
    return training;
  }

  /**
   * The training loss in one line of at most so many blocks, each as high as the mean of its steps
   * on a logarithmic scale from the lowest to the highest block. Empty for fewer than two steps.
   */
  String curve(int most) {
    int blocks = Math.min(most, training.size());
    if (blocks < 2) {
      return "";
    }
    double[] heights = new double[blocks];
    for (int i = 0; i < blocks; i++) {
      int from = (int) ((long) i * training.size() / blocks);
      int to = (int) ((long) (i + 1) * training.size() / blocks);
      double mean =
          training.subList(from, to).stream()
              .mapToDouble(Double::doubleValue)
              .average()
              .orElseThrow();
      heights[i] = Math.log(Math.max(mean, Double.MIN_NORMAL));
    }
    return drawn(heights);
  }

  private static String drawn(double[] heights) {
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (double h : heights) {
      low = Math.min(low, h);
      high = Math.max(high, h);
    }
    int top = BLOCKS.length() - 1;
    StringBuilder line = new StringBuilder();
    for (double h : heights) {
      double part = high > low ? (h - low) / (high - low) : 0;
      line.append(BLOCKS.charAt((int) Math.round(part * top)));
    }
    return line.toString();
  }
}
