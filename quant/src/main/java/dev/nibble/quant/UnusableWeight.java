package dev.nibble.quant;

/** A tensor of a checkpoint cannot serve as a frozen weight. The message names it and says why. */
public final class UnusableWeight extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UnusableWeight(String message) {
    super(message);
  }
}
