package dev.nibble.api.plan;

import dev.nibble.api.text.Human;
import java.util.Locale;

/** The most that the linear maps inside a model's blocks may take. */
public sealed interface PlanBudget {

  /** The most bits of a weight on average, with scales and whatever else a format holds. */
  record Bits(double bits) implements PlanBudget {
    /** Checks the number. */
    public Bits {
      if (!(bits > 0) || Double.isInfinite(bits)) {
        throw new IllegalArgumentException(bits + " bits a weight");
      }
    }

    @Override
    public long bytesOf(long weights) {
      return (long) Math.min(Long.MAX_VALUE, Math.floor(bits * weights / Byte.SIZE));
    }

    @Override
    public String describe() {
      return String.format(Locale.ROOT, "%.4g bits a weight", bits);
    }
  }

  /** The most bytes of all of them together. */
  record Bytes(long bytes) implements PlanBudget {
    /** Checks the number. */
    public Bytes {
      if (bytes < 1) {
        throw new IllegalArgumentException(bytes + " bytes");
      }
    }

    @Override
    public long bytesOf(long weights) {
      return bytes;
    }

    @Override
    public String describe() {
      return Human.exactBytes(bytes);
    }
  }

  /** The budget of so many weights, in bytes. */
  long bytesOf(long weights);

  /** For people, for example {@code 3.5 bits a weight}. */
  String describe();
}
