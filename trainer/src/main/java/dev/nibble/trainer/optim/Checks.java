package dev.nibble.trainer.optim;

/** Checks of settings. */
final class Checks {
  private Checks() {}

  static void require(String name, double value, boolean holds, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(
          "optimizer: %s must be %s, not %s".formatted(name, expected, value));
    }
  }

  /** A share that stays from step to step. */
  static void requireShare(String name, double value) {
    require(name, value, value >= 0 && value < 1, "in [0, 1)");
  }

  static void requireDecay(double weightDecay) {
    require("weight decay", weightDecay, weightDecay >= 0, "0 or more");
  }
}
