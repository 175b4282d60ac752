package dev.nibble.adapters;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The values that an adapter starts from: PEFT's {@code init_lora_weights}. */
public sealed interface LoraStart {

  /** The names that PEFT and recipes write. */
  String NAMES =
      "true, false, gaussian, orthogonal, pissa, pissa_niter_N (such as pissa_niter_4), olora, loftq, caldera";

  /** A uniform in ±1/sqrt(I), B zero: the update is zero at first. */
  record Zero() implements LoraStart {}

  /** A as in {@link Zero}, B uniform in ±1/sqrt(r): the update is noise at first. */
  record Noise() implements LoraStart {}

  /** A normal with deviation 1/r, B zero. */
  record Gaussian() implements LoraStart {}

  /** A and B in orthogonal halves of a random space of even rank r, so that B A = 0. */
  record Orthogonal() implements LoraStart {}

  /**
   * PiSSA (arXiv:2404.02948): the update takes W's r largest singular values and vectors over, the
   * frozen weight keeps the rest.
   *
   * @param iterations of a randomised decomposition (arXiv:0909.4061); empty for one to full
   *     precision
   */
  record Pissa(OptionalInt iterations) implements LoraStart {}

  /** OLoRA (arXiv:2406.01775): the update takes the first r columns and rows of W's QR over. */
  record Olora() implements LoraStart {}

  /**
   * LoftQ (arXiv:2310.08659): the frozen weight and the update are fitted to W in turn, so that the
   * update starts as what quantisation loses.
   *
   * @param iterations at least 1
   */
  record Loftq(int iterations) implements LoraStart {
    /** Checks the range. */
    public Loftq {
      if (iterations < 1) {
        throw new AdapterException("LoftQ takes at least 1 iteration, not " + iterations);
      }
    }
  }

  /**
   * The leading part of the low-rank product that a base in CALDERA has (arXiv:2405.18886); the
   * frozen weight keeps the rest of it.
   */
  record Caldera() implements LoraStart {}

  /** True when the frozen weights are no longer those of the checkpoint. */
  default boolean changesBase() {
    return switch (this) {
      case Zero z -> false;
      case Noise n -> false;
      case Gaussian g -> false;
      case Orthogonal o -> false;
      case Pissa p -> true;
      case Olora o -> true;
      case Loftq l -> true;
      case Caldera c -> true;
    };
  }

  /**
   * The start of this name; empty when there is none.
   *
   * @param loftqIterations what {@code loftq} takes
   */
  static Optional<LoraStart> named(String name, int loftqIterations) {
    Matcher niter = Pattern.compile("pissa_niter_(\\d{1,4})").matcher(name);
    if (niter.matches()) {
      return Optional.of(new Pissa(OptionalInt.of(Integer.parseInt(niter.group(1)))));
    }
    return switch (name) {
      case "true" -> Optional.of(new Zero());
      case "false" -> Optional.of(new Noise());
      case "gaussian" -> Optional.of(new Gaussian());
      case "orthogonal" -> Optional.of(new Orthogonal());
      case "pissa" -> Optional.of(new Pissa(OptionalInt.empty()));
      case "olora" -> Optional.of(new Olora());
      case "caldera" -> Optional.of(new Caldera());
      case "loftq" -> Optional.of(new Loftq(loftqIterations));
      default -> Optional.empty();
    };
  }

  /** Its name, see {@link #NAMES}. */
  default String written() {
    return switch (this) {
      case Zero z -> "true";
      case Noise n -> "false";
      case Gaussian g -> "gaussian";
      case Orthogonal o -> "orthogonal";
      case Pissa p ->
          p.iterations().isPresent() ? "pissa_niter_" + p.iterations().getAsInt() : "pissa";
      case Olora o -> "olora";
      case Loftq l -> "loftq";
      case Caldera c -> "caldera";
    };
  }
}
