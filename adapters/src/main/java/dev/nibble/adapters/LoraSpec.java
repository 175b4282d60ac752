package dev.nibble.adapters;

/**
 * What a LoRA adapter (arXiv:2106.09685) looks like.
 *
 * @param r rank, at least 1
 * @param alpha the update is scaled by alpha / r
 * @param dropout rate in [0, 1) on the adapter's input, when training
 * @param targets which linear modules get one
 */
public record LoraSpec(int r, double alpha, double dropout, TargetModules targets) {

  /** Checks the ranges. */
  public LoraSpec {
    if (r < 1) {
      throw new AdapterException("LoRA rank r must be at least 1, got " + r);
    }
    if (!(alpha > 0) || Double.isInfinite(alpha)) {
      throw new AdapterException("LoRA alpha must be a positive number, got " + alpha);
    }
    if (!(dropout >= 0 && dropout < 1)) {
      throw new AdapterException("LoRA dropout must be at least 0 and below 1, got " + dropout);
    }
  }

  /** alpha / r. */
  public double scale() {
    return alpha / r;
  }
}
