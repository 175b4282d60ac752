package dev.nibble.trainer.train;

/** Seconds a step, smoothed over the latest ones, to tell the time that is left. */
final class Pace {
  private static final double NEW_SHARE = 0.1;

  private double secondsPerStep;

  /** Notes a step and returns the seconds that {@code stepsLeft} more will take. */
  double afterStep(double seconds, long stepsLeft) {
    // The first step also warms up the JIT; it counts until there is a second.
    secondsPerStep =
        secondsPerStep == 0 ? seconds : secondsPerStep + NEW_SHARE * (seconds - secondsPerStep);
    return secondsPerStep * stepsLeft;
  }
}
